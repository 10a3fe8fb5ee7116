"""What one unit waits for, and units that wait for one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Condition", "Dependency", "find_cycle"]


class Condition(StrEnum):
    """What must hold of the other unit. completed: a task (or a service) ended with success."""

    STARTED = "started"
    HEALTHY = "healthy"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """An edge from the unit that has it to the unit `on`.

    Attributes:
        on: name of the service or task waited for.
        condition: what must hold of it.
        stage: the named readiness stage to wait for, or None for the last one; with `healthy` only.
        implicit: made from a `${…}` reference, not written by the user.
        required: False lets the unit start when the other one is not part of the plan.
        restart: restart this unit when the other one restarts.
    """

    on: str
    condition: Condition
    stage: str | None = None
    implicit: bool = False
    required: bool = True
    restart: bool = False


def find_cycle(edges: Mapping[str, tuple[Dependency, ...]]) -> tuple[str, ...]:
    """Return the first cycle met from the first unit on, or nothing.

    It names the units in order, from the one first in the file on, which stands again at the end.

    Walks depth first with its own stack, so a chain of any length fits.
    """
    done: set[str] = set()
    for start in edges:
        path: dict[str, None] = {}
        walk = [(start, iter(edges[start]))] if start not in done else []
        path.update(dict.fromkeys(name for name, _ in walk))
        while walk:
            name, rest = walk[-1]
            edge = next(rest, None)
            if edge is None:
                walk.pop()
                path.pop(name)
                done.add(name)
            elif edge.on in path:
                return _closed(list(path), edge.on, edges)
            elif edge.on not in done:
                path[edge.on] = None
                walk.append((edge.on, iter(edges[edge.on])))
    return ()


def _closed(path: list[str], entry: str, names: Iterable[str]) -> tuple[str, ...]:
    """Cut the path at the cycle and turn it so that the unit first in the file leads."""
    cycle = path[path.index(entry) :]
    members = set(cycle)
    first = next(name for name in names if name in members)
    at = cycle.index(first)
    return (*cycle[at:], *cycle[:at], first)
