"""The plan: everything the supervisor needs to know of a stack before it starts the first unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from harness.model import Dependency, StackSpec, UnitSpec

from .graph import Graph
from .order import waves

__all__ = ["Plan", "plan_stack"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Units in the order they start, and how they hang together.

    Attributes:
        units: by name, in start order: each after all it depends on.
        dependencies: unit → its edges, to units of this plan only.
        dependents: unit → names of those that wait for it.
        wave: unit → number of its wave, from 0; what is in one wave may start at the same time.
        graph: the graph it was made from, with units in file order.
    """

    units: Mapping[str, UnitSpec]
    dependencies: Mapping[str, tuple[Dependency, ...]]
    dependents: Mapping[str, tuple[str, ...]]
    wave: Mapping[str, int]
    graph: Graph

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """Order a graph."""
        wave = {name: number for number, names in enumerate(waves(graph)) for name in names}
        return cls(
            units={name: graph.units[name] for name in wave},
            dependencies={name: graph.dependencies[name] for name in wave},
            dependents={name: graph.dependents[name] for name in wave},
            wave=wave,
            graph=graph,
        )

    @property
    def stop_order(self) -> tuple[str, ...]:
        """The units' names, each after all that depend on it."""
        return tuple(self.units)[::-1]


def plan_stack(stack: StackSpec, units: Iterable[str] = (), *, deps: bool = True) -> Plan:
    """Plan a stack, or some of its units and what they depend on.

    Args:
        stack: the whole stack; it is checked whole, whatever is chosen of it.
        units: names to choose; none chooses all.
        deps: False leaves out what they depend on.

    Raises:
        UnknownService: a name, or a dependency, is not in the stack.
        PlanError: a condition can never hold.
        DependencyCycle: units wait for one another.
    """
    return Plan.of(Graph.of(stack).select(units, deps=deps))
