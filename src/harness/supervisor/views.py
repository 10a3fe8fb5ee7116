"""What the outside sees of units: plain data, made from what the supervisor knows at one moment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from harness.health import ProbeReport, excerpt
from harness.model import MASK, Goal, Secret, ServiceState, SetupState, UnitKind

from .masking import masked
from .reasons import one_line, waited_probe

if TYPE_CHECKING:
    from harness.executors import Usage

    from .unit import Unit

__all__ = [
    "Explanation",
    "UnitStatus",
    "explain",
    "health_view",
    "plain",
    "unit_status",
    "usage_view",
]

_SHOWN_LINES = 5
_SHOWN_COMMAND_BYTES = 1_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatus:
    """One row of `status`; `started_at` is ISO text, `exit_code` as a shell would show it."""

    name: str
    kind: str
    type: str
    state: str
    health: str
    setup: str
    ready: bool
    pid: int | None
    container: str | None
    node: str | None
    restarts: int
    exit_code: int | None
    started_at: str | None
    endpoints: dict[str, dict[str, Any]]
    depends_on: list[str]
    goal: str
    message: str | None
    next_try_at: str | None
    outputs: dict[str, Any]
    completed_at: str | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a unit is as it is: the waiting line of `up`, `why`, and the text of every timeout.

    Attributes:
        summary: one sentence.
        needs: one entry a dependency: unit, condition, met, state.
        probe: the check that is waited for: stage, check, tries, message, last results; or None.
        last_output: newest lines of the unit's output.
        next: what happens next and when, or None.
        causes: explanations of the units that hold this one up.
    """

    unit: str
    kind: str
    state: str
    health: str
    since: str | None
    summary: str
    needs: list[dict[str, Any]]
    probe: dict[str, Any] | None
    last_output: list[str]
    next: str | None
    causes: list[Explanation]


def unit_status(unit: Unit) -> UnitStatus:
    """Return a unit's row."""
    record = unit.record
    next_try_at = unit.next_try_at
    return UnitStatus(
        name=unit.name,
        kind=unit.kind.value,
        type=unit.spec.type,
        state=unit.state.value,
        health=unit.health.value,
        setup=unit.setup.value,
        ready=unit.is_ready or (unit.kind is UnitKind.TASK and unit.is_completed),
        pid=record.handle.pid if record.handle else None,
        container=record.handle.container if record.handle else None,
        node=None,
        restarts=record.restarts,
        exit_code=record.exit.as_shell() if record.exit else None,
        started_at=record.started_at if unit.is_live else None,
        endpoints=_endpoints(unit),
        depends_on=list(dict.fromkeys(d.on for d in unit.spec.depends_on)),
        goal=unit.goal.value,
        message=_waits_for(unit) or record.reason,
        next_try_at=next_try_at.isoformat() if next_try_at else None,
        outputs=masked(record.outputs, unit.secrets),
        completed_at=record.completed_at,
    )


def _waits_for(unit: Unit) -> str | None:
    """Return what keeps a unit that should be ready from it, in a few words."""
    if unit.goal is Goal.DOWN or unit.is_ready:
        return None
    if unit.state is ServiceState.PENDING:
        unmet = [need.dependency for need in unit.needs() if not need.met]
        names = ", ".join(f'"{need.on}" ({need.stage or need.condition.value})' for need in unmet)
        return f"waits for {names}" if unmet else None
    if unit.is_usable:
        return _setup_text(unit)
    probe = waited_probe(unit.report) if unit.state is ServiceState.RUNNING else None
    if probe is None or not probe.message:
        return None
    text: str = masked(f"{probe.probe}: {probe.message}", unit.secrets)
    return one_line(text)


def _endpoints(unit: Unit) -> dict[str, dict[str, Any]]:
    return {
        name: {"host": endpoint.host, "port": endpoint.port, "url": endpoint.url}
        for name, endpoint in unit.endpoints().items()
    }


def explain(unit: Unit, *, _path: tuple[str, ...] = ()) -> Explanation:
    """Explain a unit and, where another one holds it up, that one too."""
    needs = unit.needs()
    causes = []
    if unit.state in (ServiceState.PENDING, ServiceState.FAILED):
        for need in needs:
            peer = unit.peer(need.dependency.on)
            if not need.met and peer is not None and peer.name not in _path:
                causes.append(explain(peer, _path=(*_path, unit.name)))
    return Explanation(
        unit=unit.name,
        kind=unit.kind.value,
        state=unit.state.value,
        health=unit.health.value,
        since=unit.record.since,
        summary=_summary(unit),
        needs=[
            {
                "unit": need.dependency.on,
                "condition": need.dependency.stage or need.dependency.condition.value,
                "met": need.met,
                "state": need.state.value,
            }
            for need in needs
        ],
        probe=masked(_waited_probe(unit), unit.secrets),
        last_output=[
            masked(line, unit.secrets)
            for line in unit.log.last_lines(_SHOWN_LINES, since=unit.record.log_offsets)
        ],
        next=_next(unit),
        causes=causes,
    )


def _summary(unit: Unit) -> str:
    record, name = unit.record, unit.name
    reason = record.reason
    match unit.state:
        case ServiceState.PENDING:
            unmet = [f'"{need.dependency.on}"' for need in unit.needs() if not need.met]
            return f"{name} waits for {', '.join(unmet)}" if unmet else f"{name} is about to start"
        case ServiceState.STARTING:
            return f"{name} is being started"
        case ServiceState.RUNNING if unit.is_ready:
            return f"{name} is running and ready"
        case ServiceState.RUNNING if unit.kind is UnitKind.TASK:
            return f"{name} is running and has not completed yet"
        case ServiceState.RUNNING if unit.is_usable:
            return f"{name} is running and not ready: {_setup_text(unit)}"
        case ServiceState.RUNNING:
            return f"{name} is running and not ready: its checks have not passed"
        case ServiceState.BACKOFF:
            attempts = f"{record.restarts + 1} attempt{'s' if record.restarts else ''}"
            return f"{name} is in back-off after {attempts}: {reason}"
        case ServiceState.EXITED:
            return f"{name} has ended: {reason or record.exit}"
        case ServiceState.STOPPED if unit.goal is Goal.DOWN:
            return f"{name} is stopped{f': {reason}' if reason else ''}"
        case state:
            return f"{name} is {state.value}{f': {reason}' if reason else ''}"


def _setup_text(unit: Unit) -> str:
    match unit.setup:
        case SetupState.RUNNING:
            return "it is being set up"
        case SetupState.FAILED:
            return "its setup failed"
        case _:
            return "its setup is due"


def _waited_probe(unit: Unit) -> dict[str, Any] | None:
    current = None if unit.is_ready else waited_probe(unit.report)
    return None if current is None else _probe_view(current, unit)


def _probe_view(probe: ProbeReport, unit: Unit) -> dict[str, Any]:
    return {
        "stage": probe.probe,
        # Masked before it is cut: half a secret is not found.
        "check": excerpt(masked(probe.check, unit.secrets)),
        "tries": probe.tries,
        "failures": probe.failures,
        "message": probe.message,
        "last": [
            {
                "at": item.at.isoformat(),
                "ok": item.result.ok,
                "latency_ms": round(item.result.latency_s * 1000, 3),
                "message": item.result.message,
            }
            for item in probe.history
        ],
    }


def _next(unit: Unit) -> str | None:
    next_try_at = unit.next_try_at
    if next_try_at is not None:
        limit = getattr(unit.spec, "restart", None)
        most = f" of {limit.max_attempts + 1}" if limit and limit.max_attempts is not None else ""
        return f"attempt {unit.record.restarts + 2}{most} at {next_try_at.isoformat()}"
    return None


def health_view(unit: Unit) -> dict[str, Any]:
    """Return what the checks of a unit found: state, stages in order, liveness."""
    report = unit.report
    probes = {p.probe: _probe_view(p, unit) for p in report.probes} if report else {}
    names = [stage.name for stage in unit.spec.health.stages] if unit.spec.health else []
    view = {
        "unit": unit.name,
        "state": unit.health.value,
        "stages": [
            {
                "name": name,
                "reached": unit.has_reached(name),
                "reached_after_s": unit.stages.get(name),
                **{k: v for k, v in probes.get(name, {"last": []}).items() if k != "stage"},
            }
            for name in names
        ],
        "liveness": probes.get("liveness"),
    }
    return dict(masked(view, unit.secrets))


def usage_view(unit: Unit, usage: Usage) -> dict[str, Any]:
    """Return what a unit uses, with secrets masked in the command lines of its processes."""
    view = {"name": unit.name, **plain(usage)}
    for process in view["tree"]:
        # Masked before it is cut: what is left of a secret would not be found.
        command = masked(process["command"], unit.secrets)
        process["command"] = excerpt(command, _SHOWN_COMMAND_BYTES)
    return view


def plain(value: Any) -> Any:
    """Return model data as JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, PurePath) else value
