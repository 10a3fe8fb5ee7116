"""What is remembered of one unit, so that the next daemon continues where this one was killed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from harness.errors import StoreTooNew
from harness.model import ExitStatus, Goal, Handle, HealthState, ServiceState

__all__ = ["RECORD_VERSION", "UnitRecord", "decode_record", "encode_record"]

RECORD_VERSION = 2
"""2: how a run ended may have a cause of its own."""


@dataclass(slots=True, kw_only=True)
class UnitRecord:
    """The durable part of a unit.

    Attributes:
        goal: what the user wants.
        state: the machine's state.
        generation: number of the newest run, 0 before the first.
        token: marker text of that run; empty before the first and while the next one is prepared.
        handle: how the executor finds that run; None before it started and after it was cleaned up.
        exit: how the newest run ended.
        restarts: automatic restarts since the user last started it.
        attempts: consecutive restarts, which set the length of the next delay.
        ended_at: ISO times of the ends that count for the crash-loop limit, oldest first.
        started_at: ISO time the newest run started.
        awaits_hooks: the newest run's post_start hooks have not succeeded yet: it is not ready.
        next_try_at: ISO time of the next attempt, in back-off.
        since: ISO time of the last change of state.
        reason: why it is in this state, for people.
        fingerprint: of the definition the newest run was started with.
        fields: hashes of that definition's parts, to name what changed.
        values: hashes of what its references stood for then; None in a record of an older version.
        ports: assigned host ports, by name; kept so that a restart gets the same ones.
        log_offsets: where the newest run's output starts, by stream.
        health: what its checks said last.
        stages: stages the newest run reached → seconds from its start.
        completed: of a task: hash of the inputs of its remembered completion.
        completed_at: ISO time of that completion.
        outputs: of a task: its outputs at that completion.
    """

    goal: Goal = Goal.DOWN
    state: ServiceState = ServiceState.STOPPED
    health: HealthState = HealthState.NONE
    stages: dict[str, float] = field(default_factory=dict)
    generation: int = 0
    token: str = ""
    handle: Handle | None = None
    exit: ExitStatus | None = None
    restarts: int = 0
    attempts: int = 0
    ended_at: list[str] = field(default_factory=list)
    started_at: str | None = None
    awaits_hooks: bool = False
    next_try_at: str | None = None
    since: str | None = None
    reason: str | None = None
    fingerprint: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] | None = None
    ports: dict[str, int] = field(default_factory=dict)
    log_offsets: dict[str, int] = field(default_factory=dict)
    completed: str | None = None
    completed_at: str | None = None
    outputs: dict[str, Any] = field(default_factory=dict)


def encode_record(record: UnitRecord) -> dict[str, Any]:
    """Return the record as JSON values with its version."""
    value = {name: getattr(record, name) for name in _FIELDS}
    value["handle"] = None if record.handle is None else _shallow(record.handle)
    value["exit"] = None if record.exit is None else _shallow(record.exit)
    value["version"] = RECORD_VERSION
    return value


def decode_record(value: Mapping[str, Any]) -> UnitRecord:
    """Read a stored record of this or an older version.

    Raises:
        StoreTooNew: a newer version wrote it.
    """
    if value.get("version", 0) > RECORD_VERSION:
        raise StoreTooNew(
            f"cannot read a unit's record of version {value['version']}: "
            f"this version knows {RECORD_VERSION}",
            hint="use the newer version",
        )
    known = {name: value[name] for name in _FIELDS if name in value}
    known["goal"] = Goal(value["goal"])
    known["state"] = ServiceState(value["state"])
    known["health"] = HealthState(value["health"])
    known["handle"] = Handle(**value["handle"]) if value.get("handle") else None
    known["exit"] = ExitStatus(**value["exit"]) if value.get("exit") else None
    return UnitRecord(**known)


def _shallow(value: Handle | ExitStatus) -> dict[str, Any]:
    """Return a dataclass as a mapping; records are stored often, and `asdict` copies deeply."""
    return {item.name: getattr(value, item.name) for item in fields(value)}


_FIELDS = tuple(item.name for item in fields(UnitRecord))
