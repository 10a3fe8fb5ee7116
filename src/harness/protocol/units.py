"""What is told about units. Only clients and documents want these types, no daemon needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .leases import LeaseStatus
from .params import Result
from .snapshots import RestoreMark

__all__ = [
    "EndpointAddress",
    "Explanation",
    "Need",
    "ProbeReport",
    "ProbeTry",
    "ServicesStatus",
    "UnitDetails",
    "UnitProcess",
    "UnitStatus",
    "UnitUsage",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointAddress(Result):
    """Where a unit can be reached."""

    host: str
    port: int
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitStatus(Result):
    """One unit as it is now."""

    name: str
    kind: str
    """`service` or `task`."""
    type: str
    """Executor, such as `process`."""
    state: str
    """pending, starting, running, stopping, stopped, backoff, exited, failed or unknown."""
    health: str
    """none, starting, healthy or unhealthy."""
    setup: str
    """none, required, running, complete or failed: how far its type has set it up."""
    ready: bool
    pid: int | None = None
    container: str | None = None
    node: str | None = None
    restarts: int = 0
    exit_code: int | None = None
    started_at: str | None = None
    """ISO 8601, UTC."""
    endpoints: Mapping[str, EndpointAddress] = field(default_factory=dict)
    """By name."""
    depends_on: tuple[str, ...] = ()
    goal: str | None = None
    """`up` or `down`: what the user wants of it."""
    message: str | None = None
    """Why it is so."""
    next_try_at: str | None = None
    """When it is started again, ISO 8601, UTC; of a unit in back-off."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Of a completed task."""
    completed_at: str | None = None
    """When a task last completed, ISO 8601, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesStatus(Result):
    """All units of a project, in file order."""

    project: str
    services: tuple[UnitStatus, ...]
    lease: LeaseStatus | None = None
    """How long the project lives; null: until it is taken down."""
    half_restored: RestoreMark | None = None
    """A restore that did not come to its end; null: the parts of the stack agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDetails(UnitStatus):
    """Everything about one unit."""

    spec: Mapping[str, Any] = field(default_factory=dict)
    """As configured, secrets masked."""
    handle: Mapping[str, Any] | None = None
    generation: int = 0
    """How often it was started."""
    since: str | None = None
    """When it came into its state, ISO 8601, UTC."""
    health_checks: Mapping[str, Any] | None = None
    """What its checks found, as `health.list` shows it."""
    history: tuple[Mapping[str, Any], ...] = ()
    """Its last events, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need(Result):
    """Something a unit waits for."""

    unit: str
    condition: str
    met: bool
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTry(Result):
    """One try of a check."""

    at: str
    """ISO 8601, UTC."""
    ok: bool
    latency_ms: float
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport(Result):
    """What a check has found so far."""

    stage: str
    tries: int
    last: tuple[ProbeTry, ...] = ()
    """Oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Result):
    """Why a unit is as it is, and the same for everything that it waits for."""

    unit: str
    kind: str
    state: str
    health: str
    since: str | None = None
    """ISO 8601, UTC."""
    summary: str
    needs: tuple[Need, ...] = ()
    probe: ProbeReport | None = None
    last_output: tuple[str, ...] = ()
    """Its last lines of output, oldest first."""
    next: str | None = None
    causes: tuple[Explanation, ...] = ()
    lease: LeaseStatus | None = None
    """How long its project lives; null: until it is taken down. Not said of the causes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitProcess(Result):
    """One process of a unit."""

    pid: int
    parent: int
    """The process that is its parent now."""
    command: str
    """Its command line, with secrets masked; a long one is cut."""
    rss_bytes: int
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitUsage(Result):
    """What a unit uses now, all its processes together."""

    name: str
    processes: int
    rss_bytes: int
    cpu_s: float
    tree: tuple[UnitProcess, ...] = ()
    """Each of them, the oldest first; empty where its executor cannot tell."""
