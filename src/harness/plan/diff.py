"""What an `up` would do, and why: the wanted units beside those that are there.

Each unit gets one action and at least one reason, a sentence about "it". Applying the actions
makes the next diff empty of changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model import Condition, Goal, ServiceState, UnitKind, UnitSpec

from .fingerprint import changed_fields, fingerprint
from .graph import Graph
from .order import start_order

__all__ = ["Action", "Change", "Observed", "PlanDiff", "diff"]


class Action(StrEnum):
    """What happens to one unit. run and skip are for tasks, start for services."""

    START = "start"
    RESTART = "restart"
    STOP = "stop"
    KEEP = "keep"
    RUN = "run"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is known of one unit of the project.

    Attributes:
        state: what it does now.
        goal: what the user last wanted of it.
        kind: service or task.
        fingerprint: of the definition it was last started with; None when it never was.
        fields: `field_hashes` of that definition, so that a change can be named; may be empty.
        completed: hash of the inputs a task last completed with; None when it never did, was reset,
            or what it creates is gone.
        values: names of what has another value than at its start, though its definition may not.
    """

    state: ServiceState
    goal: Goal = Goal.UP
    kind: UnitKind = UnitKind.SERVICE
    fingerprint: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    completed: str | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One unit's part of a diff.

    Attributes:
        unit: its name.
        kind: service or task.
        action: what `up` does to it.
        reasons: sentences without a full stop, the main one first.
        changed: names of what differs in its definition, where known.
        differs: the stack file, or a value it refers to, says something else than when the unit was
            last started; so it is when only one of the two has the unit.
    """

    unit: str
    kind: UnitKind
    action: Action
    reasons: tuple[str, ...]
    changed: tuple[str, ...] = ()
    differs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDiff:
    """All changes.

    First what is no longer wanted, dependents first, then the rest in start order.
    """

    changes: tuple[Change, ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to do."""
        return all(change.action in (Action.KEEP, Action.SKIP) for change in self.changes)

    def units(self, *actions: Action) -> tuple[str, ...]:
        """Return the names of the units with one of these actions, in order."""
        return tuple(change.unit for change in self.changes if change.action in actions)


def diff(
    wanted: Graph,
    running: Mapping[str, Observed],
    *,
    inputs: Mapping[str, str] | None = None,
    force: bool = False,
) -> PlanDiff:
    """Compare the wanted units with those that are there.

    Units of the stack that were not chosen do not appear. A unit that the stack no longer has is
    stopped.

    Args:
        wanted: the chosen units.
        running: name → what is known, in the order the units were started.
        inputs: task → hash of its inputs as they are now; the fingerprint stands for a missing one.
        force: run tasks that are done again.
    """
    changes = [
        _removed(name, seen)
        for name, seen in reversed(tuple(running.items()))
        if name not in wanted.stack and _is_there(seen)
    ]
    actions: dict[str, Action] = {}
    for name in start_order(wanted):
        unit = wanted.units[name]
        seen = running.get(name)
        if unit.kind is UnitKind.TASK:
            now = (inputs or {}).get(name) or fingerprint(unit)
            change = _task(unit, seen, inputs=now, force=force, again=_again(wanted, name, actions))
        else:
            change = _service(unit, seen, wanted=wanted, again=_again(wanted, name, actions))
        actions[name] = change.action
        changes.append(change)
    return PlanDiff(changes=tuple(changes))


def _is_there(seen: Observed) -> bool:
    """Tell whether the unit exists somewhere, or will again without anybody asking."""
    if seen.state in (ServiceState.STARTING, ServiceState.RUNNING, ServiceState.UNKNOWN):
        return True
    return seen.state in (ServiceState.PENDING, ServiceState.BACKOFF) and seen.goal is Goal.UP


def _removed(name: str, seen: Observed) -> Change:
    reason = "it is no longer in the stack file, or its profile is not active"
    return Change(unit=name, kind=seen.kind, action=Action.STOP, reasons=(reason,), differs=True)


def _again(wanted: Graph, name: str, actions: Mapping[str, Action]) -> tuple[str, ...]:
    """Return reasons to start a unit again that come from what it depends on.

    A dependency asks for it with `restart`; a task that reads another task's outputs needs it.
    """
    is_task = wanted.units[name].kind is UnitKind.TASK
    reasons: dict[str, None] = {}
    for edge in wanted.dependencies[name]:
        action = actions[edge.on]
        if action is Action.RESTART and edge.restart:
            reasons[f'"{edge.on}", which it depends on, restarts'] = None
        elif action is Action.RUN and (edge.restart or (is_task and edge.implicit)):
            reasons[f'"{edge.on}", which it depends on, runs again'] = None
    return tuple(reasons)


def _difference(unit: UnitSpec, seen: Observed) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return reasons and names of what changed since the unit was started."""
    if seen.fingerprint is None or seen.fingerprint == fingerprint(unit):
        if seen.values:
            return (f"its values changed: {', '.join(seen.values)}",), seen.values
        return (), ()
    names = changed_fields(seen.fields, unit) if seen.fields else ()
    what = f": {', '.join(names)}" if names else ""
    return (f"its definition changed{what}",), names


_KEPT = {
    ServiceState.PENDING: "it waits for what it depends on",
    ServiceState.STARTING: "it is starting",
    ServiceState.RUNNING: "it runs as defined",
    ServiceState.BACKOFF: "it waits for its next start",
    ServiceState.UNKNOWN: "contact with it was lost; it is being looked for",
}

_STARTED = {
    ServiceState.PENDING: "it does not run",
    ServiceState.STOPPING: "it is stopping, and is started after that",
    ServiceState.STOPPED: "it is stopped",
    ServiceState.BACKOFF: "it does not run",
    ServiceState.EXITED: "it ended by itself",
    ServiceState.FAILED: "it failed, and is tried again",
}


def _present(unit: UnitSpec, seen: Observed, again: tuple[str, ...]) -> Change:
    """Keep what is there, or restart it."""
    reasons, changed = _difference(unit, seen)
    if reasons or again:
        return Change(
            unit=unit.name,
            kind=unit.kind,
            action=Action.RESTART,
            reasons=(*reasons, *again),
            changed=changed,
            differs=bool(reasons),
        )
    return Change(unit=unit.name, kind=unit.kind, action=Action.KEEP, reasons=(_KEPT[seen.state],))


def _service(
    unit: UnitSpec, seen: Observed | None, *, wanted: Graph, again: tuple[str, ...]
) -> Change:
    start = Action.START
    if seen is None:
        new = ("it is new",)
        return Change(unit=unit.name, kind=unit.kind, action=start, reasons=new, differs=True)
    if _is_there(seen):
        return _present(unit, seen, again)
    reasons, changed = _difference(unit, seen)
    ended = seen.state is ServiceState.EXITED and seen.goal is Goal.UP
    if ended and not reasons and not again and _is_waited_to_end(wanted, unit.name):
        reason = "it completed, as those that depend on it want"
        return Change(unit=unit.name, kind=unit.kind, action=Action.KEEP, reasons=(reason,))
    return Change(
        unit=unit.name,
        kind=unit.kind,
        action=start,
        reasons=(_STARTED[seen.state], *reasons),
        changed=changed,
        differs=bool(reasons),
    )


def _is_waited_to_end(wanted: Graph, name: str) -> bool:
    return any(
        edge.on == name and edge.condition is Condition.COMPLETED
        for dependent in wanted.dependents[name]
        for edge in wanted.dependencies[dependent]
    )


def _task(
    unit: UnitSpec, seen: Observed | None, *, inputs: str, force: bool, again: tuple[str, ...]
) -> Change:
    if seen is not None and _is_there(seen):
        return _present(unit, seen, again)
    reasons: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    if seen is None or seen.completed is None:
        failed = seen is not None and seen.state is ServiceState.FAILED
        reasons = (_STARTED[ServiceState.FAILED] if failed else "it has not completed yet",)
    elif seen.completed != inputs:
        reasons, changed = _difference(unit, seen)
        reasons = reasons or ("its inputs changed since it completed",)
    elif force:
        reasons = ("it is done, and was asked for again",)
    reasons = (*reasons, *again)
    if reasons:
        return Change(
            unit=unit.name,
            kind=unit.kind,
            action=Action.RUN,
            reasons=reasons,
            changed=changed,
            differs=seen is None or bool(_difference(unit, seen)[0]),
        )
    reason = "it completed with the same inputs"
    return Change(unit=unit.name, kind=unit.kind, action=Action.SKIP, reasons=(reason,))
