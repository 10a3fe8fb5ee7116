"""The order of starting and stopping; the same graph always gives the same order.

Both are linear in units plus edges, and have no recursion, so a chain of thousands of units fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .graph import Graph

__all__ = ["levels", "start_order", "stop_order", "waves"]


def waves(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Return the units in waves: each needs only units of earlier waves, and one of the last.

    Members of a wave stand in file order. Waves are for reading: a unit starts as soon as its own
    conditions hold, whatever the rest of its wave does.
    """
    level = levels({name: [e.on for e in own] for name, own in graph.dependencies.items()})
    found: list[list[str]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for name in graph.units:
        found[level[name]].append(name)
    return tuple(tuple(wave) for wave in found)


def start_order(graph: Graph) -> tuple[str, ...]:
    """Return the units, each after all it depends on: wave by wave, each in file order."""
    return tuple(name for wave in waves(graph) for name in wave)


def stop_order(graph: Graph) -> tuple[str, ...]:
    """Return the units, each after all that depend on it: the start order turned round."""
    return start_order(graph)[::-1]


def levels(targets: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return for each name the number of edges on the longest way down from it.

    Args:
        targets: name → names it has edges to; without a cycle. Every edge is read once.
    """
    missing: dict[str, int] = {}
    sources: dict[str, list[str]] = {name: [] for name in targets}
    for name, own in targets.items():
        edges = list(own)
        missing[name] = len(edges)
        for target in edges:
            sources[target].append(name)
    level = {name: 0 for name, count in missing.items() if count == 0}
    ready = list(level)
    for name in ready:
        for source in sources[name]:
            missing[source] -= 1
            if missing[source] == 0:
                # `ready` is in order of level, so the last target met is the deepest.
                level[source] = level[name] + 1
                ready.append(source)
    return level
