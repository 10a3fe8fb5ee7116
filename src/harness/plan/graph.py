"""Services and tasks as one graph of who waits for whom, checked when it is made.

An edge points from the unit that waits to the unit it waits for. The graph decides what an edge
means between these two units; when the condition holds is the supervisor's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from harness.errors import DependencyCycle, PlanError, UnknownService
from harness.model import (
    Condition,
    Dependency,
    RestartMode,
    ServiceSpec,
    StackSpec,
    UnitKind,
    UnitSpec,
    find_cycle,
)
from harness.suggestions import nearest

__all__ = ["Graph"]

_ENDING_MODES = (RestartMode.NO, RestartMode.ON_FAILURE)
_HINT_LENGTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Units and the edges between them; made by `of` or `select`, so it has no cycle.

    Attributes:
        units: by name, in file order.
        dependencies: unit → its edges, in file order, to units of this graph only. `healthy` of a
            task stands here as `completed`.
        dependents: unit → names of those that have an edge to it, in file order.
        stack: every unit of the stack, chosen or not.
        inactive: name of a unit that is not in the stack → the profiles it belongs to.
    """

    units: Mapping[str, UnitSpec]
    dependencies: Mapping[str, tuple[Dependency, ...]]
    dependents: Mapping[str, tuple[str, ...]]
    stack: Mapping[str, UnitSpec]
    inactive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, stack: StackSpec | Mapping[str, UnitSpec]) -> Self:
        """Check the edges of all units and link them.

        Raises:
            UnknownService: a required dependency is not in the stack; an optional one is dropped.
            PlanError: a condition can never hold.
            DependencyCycle: units wait for one another.
        """
        units = stack.units if isinstance(stack, StackSpec) else stack
        inactive = stack.inactive if isinstance(stack, StackSpec) else {}
        edges = {
            name: tuple(
                _checked(unit, edge, units)
                for edge in unit.depends_on
                if edge.required or edge.on in units
            )
            for name, unit in units.items()
        }
        cycle = find_cycle(edges)
        if cycle:
            raise DependencyCycle(cycle=cycle)
        return cls(
            units=units,
            dependencies=edges,
            dependents=_dependents(edges),
            stack=units,
            inactive=inactive,
        )

    def select(self, names: Iterable[str] = (), *, deps: bool = True) -> Self:
        """Return the graph of some units and all they depend on, directly or not.

        Args:
            names: the units to choose; none chooses all.
            deps: False leaves out what they depend on; edges to it are dropped.

        Raises:
            UnknownService: a name is not in this graph.
        """
        chosen = list(names)
        for name in chosen:
            if name not in self.units:
                raise _unknown(name, self.units, self.inactive)
        if not chosen:
            return self
        wanted = self._closure(chosen, self._targets) if deps else set(chosen)
        edges = {
            name: tuple(edge for edge in self.dependencies[name] if edge.on in wanted)
            for name in self.units
            if name in wanted
        }
        units = {name: self.units[name] for name in edges}
        return replace(self, units=units, dependencies=edges, dependents=_dependents(edges))

    def upstream(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return these units and all they depend on, directly or not, in file order."""
        found = self._closure(names, self._targets)
        return tuple(name for name in self.units if name in found)

    def downstream(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return these units and all that depend on them, directly or not, in file order."""
        found = self._closure(names, self.dependents)
        return tuple(name for name in self.units if name in found)

    @property
    def _targets(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(e.on for e in edges) for name, edges in self.dependencies.items()}

    def _closure(self, names: Iterable[str], next_of: Mapping[str, tuple[str, ...]]) -> set[str]:
        found: set[str] = set()
        open_names = list(names)
        while open_names:
            name = open_names.pop()
            if name in found:
                continue
            if name not in self.units:
                raise _unknown(name, self.units)
            found.add(name)
            open_names.extend(next_of[name])
        return found


def _checked(unit: UnitSpec, edge: Dependency, units: Mapping[str, UnitSpec]) -> Dependency:
    """Return the edge as it is meant, or raise when it never can hold."""
    other = units.get(edge.on)
    if other is None:
        raise _unknown(edge.on, units)
    if edge.stage is not None:
        _check_stage(unit, edge, other)
    if other.kind is UnitKind.TASK:
        if edge.condition is Condition.HEALTHY:
            return replace(edge, condition=Condition.COMPLETED)
    elif edge.condition is Condition.COMPLETED:
        _check_ends(unit, other)
    return edge


def _check_stage(unit: UnitSpec, edge: Dependency, other: UnitSpec) -> None:
    stages = [stage.name for stage in other.health.stages] if other.health else []
    if edge.condition is not Condition.HEALTHY:
        raise _impossible(
            unit,
            other,
            cause=f'a stage goes with the condition "healthy", not "{edge.condition.value}"',
            hint=f'write "condition: healthy" beside "stage: {edge.stage}"',
        )
    if other.kind is UnitKind.TASK:
        raise _impossible(
            unit,
            other,
            cause=f'"{other.name}" is a task, and tasks have no stages',
            hint='leave the stage out, or write "condition: completed"',
        )
    if edge.stage not in stages:
        raise _impossible(
            unit,
            other,
            cause=f'"{other.name}" has no stage "{edge.stage}"',
            hint=f"its stages: {', '.join(stages)}" if stages else "it has no health check",
        )


def _check_ends(unit: UnitSpec, other: UnitSpec) -> None:
    """Refuse to wait for the end of a service that is started again even after a success."""
    if isinstance(other, ServiceSpec) and other.restart.mode not in _ENDING_MODES:
        raise _impossible(
            unit,
            other,
            cause=f'"{other.name}" never completes: its restart mode is {other.restart.mode.value}',
            hint='wait for "healthy", make it a task, or set "restart: no"',
        )


def _impossible(unit: UnitSpec, other: UnitSpec, *, cause: str, hint: str) -> PlanError:
    return PlanError(
        f'cannot plan "{unit.name}": it waits for "{other.name}", but {cause}',
        hint=hint,
        details={"unit": unit.name, "dependency": other.name},
    )


def _unknown(
    name: str, units: Mapping[str, UnitSpec], inactive: Mapping[str, tuple[str, ...]] | None = None
) -> UnknownService:
    profiles = (inactive or {}).get(name)
    if profiles:
        where = " or ".join(f'"{profile}"' for profile in profiles)
        hint = f"it is in profile {where}; add --profile {profiles[0]}"
        return UnknownService(name=name, hint=hint)
    known = tuple(units) if len(units) <= _HINT_LENGTH else ()
    return UnknownService(name=name, did_you_mean=nearest(name, units), known=known)


def _dependents(edges: Mapping[str, tuple[Dependency, ...]]) -> Mapping[str, tuple[str, ...]]:
    """Turn the edges round; dicts are ordered sets here: one unit may wait twice for another."""
    found: dict[str, dict[str, None]] = {name: {} for name in edges}
    for name, own in edges.items():
        for edge in own:
            found[edge.on][name] = None
    return {name: tuple(names) for name, names in found.items()}
