"""What the daemon answers, as type checkers see it; made by docs/generate.py."""

from __future__ import annotations

from typing import Any, TypedDict

__all__ = [
    "ActionInfo",
    "ActionSummary",
    "DaemonStatus",
    "EndpointAddress",
    "EventRecord",
    "Explanation",
    "GraphNode",
    "LeaseStatus",
    "Leftover",
    "Listening",
    "LogChunk",
    "Need",
    "NewToken",
    "OperationRef",
    "OperationStatus",
    "PlanChange",
    "PlanDiff",
    "PlanGraph",
    "PlannedStep",
    "PluginStatus",
    "ProbeReport",
    "ProbeTry",
    "ProjectName",
    "ProjectSummary",
    "RegistryEntry",
    "RestoreMark",
    "ServicesStatus",
    "SnapshotInfo",
    "StageReport",
    "TaskInfo",
    "TaskStatus",
    "TokenStatus",
    "TraceStep",
    "UnitDetails",
    "UnitHealth",
    "UnitOutcome",
    "UnitProcess",
    "UnitStatus",
    "UnitUsage",
    "WorkflowInfo",
    "WorkflowPlan",
    "WorkflowProblem",
    "WorkflowRun",
    "WorkflowRunTrace",
    "WorkflowSummary",
]


class ActionInfo(TypedDict):
    """Everything about an action."""

    name: str
    service: str | None
    service_type: str | None
    summary: str
    description: str
    parameters: dict[str, Any]
    result: dict[str, Any]
    events: dict[str, dict[str, Any]]
    timeout_s: float | None
    columns: dict[str, str]


class ActionSummary(TypedDict):
    """One action in a list."""

    name: str
    service: str | None
    service_type: str | None
    summary: str


class DaemonStatus(TypedDict):
    """How the daemon does."""

    pid: int
    version: str
    protocol: int
    started_at: str
    uptime_s: float
    state_dir: str
    endpoint: str
    remote: Listening | None
    projects: list[str]
    connections: int
    rss_bytes: int
    last_event: int


class EndpointAddress(TypedDict):
    """Where a unit can be reached."""

    host: str
    port: int
    url: str


class EventRecord(TypedDict):
    """One fact."""

    number: int
    at: str
    kind: str
    project: str | None
    unit: str | None
    data: dict[str, Any]


class Explanation(TypedDict):
    """Why a unit is as it is, and the same for everything that it waits for."""

    unit: str
    kind: str
    state: str
    health: str
    since: str | None
    summary: str
    needs: list[Need]
    probe: ProbeReport | None
    last_output: list[str]
    next: str | None
    causes: list[Explanation]
    lease: LeaseStatus | None


class GraphNode(TypedDict):
    """One unit of the graph."""

    name: str
    kind: str
    type: str


class LeaseStatus(TypedDict):
    """One lease."""

    id: str
    project: str
    owner: str
    ttl_s: float
    left_s: float
    granted_at: str
    renewed_at: str


class Leftover(TypedDict):
    """One thing that was left."""

    kind: str
    name: str
    why: str
    state_dir: str | None
    pids: list[int]
    removable: bool
    adoptable: bool
    removed: bool
    error: str | None
    hint: str | None


class Listening(TypedDict):
    """Where clients of other machines are served, or are to be."""

    host: str | None
    port: int
    url: str | None
    problem: str | None


class LogChunk(TypedDict):
    """A piece of one stream of one unit."""

    subscription: str
    unit: str
    stream: str
    at: str | None
    text: str
    skipped: int
    end: int | None


class Need(TypedDict):
    """Something a unit waits for."""

    unit: str
    condition: str
    met: bool
    state: str


class NewToken(TypedDict):
    """A token that was made."""

    name: str
    role: str
    created_at: str
    expires_at: str | None
    expired: bool
    token: str


class OperationRef(TypedDict):
    """An operation that was started."""

    id: str
    project: str
    after: int


class OperationStatus(TypedDict):
    """One operation."""

    id: str
    verb: str
    project: str
    units: list[str]
    state: str
    started_at: str
    ended_at: str | None
    error: dict[str, Any] | None
    results: list[UnitOutcome]


class PlanChange(TypedDict):
    """What would happen to one unit."""

    unit: str
    kind: str
    action: str
    reasons: list[str]
    differs: bool


class PlanDiff(TypedDict):
    """What would happen, in file order."""

    project: str
    changes: list[PlanChange]


class PlanGraph(TypedDict):
    """The graph of a stack, nodes in file order."""

    project: str
    nodes: list[GraphNode]
    edges: list[dict[str, Any]]


class PlannedStep(TypedDict):
    """A step as it would be done."""

    path: str
    kind: str
    when: str | None
    because: str | None
    attempts: int
    timeout_s: float | None
    place: str | None
    inputs: dict[str, Any]


class PluginStatus(TypedDict):
    """One plugin that was found."""

    name: str
    source: str
    module: str
    error: str | None
    brings: dict[str, list[str]]
    failures: dict[str, str]


class ProbeReport(TypedDict):
    """What a check has found so far."""

    stage: str
    tries: int
    last: list[ProbeTry]


class ProbeTry(TypedDict):
    """One try of a check."""

    at: str
    ok: bool
    latency_ms: float
    message: str


class ProjectName(TypedDict):
    """Which loaded project the files mean."""

    name: str | None
    others: list[str]


class ProjectSummary(TypedDict):
    """One loaded project."""

    name: str
    files: list[str]
    units: int
    running: int


class RegistryEntry(TypedDict):
    """One unit, as others find it."""

    project: str
    name: str
    kind: str
    type: str
    version: str | None
    state: str
    health: str
    endpoints: dict[str, EndpointAddress]
    node: str | None
    labels: dict[str, str]
    since: str | None


class RestoreMark(TypedDict):
    """A restore that did not come to its end: the parts are not of the same moment."""

    snapshot: str
    restored: list[str]
    others: list[str]


class ServicesStatus(TypedDict):
    """All units of a project, in file order."""

    project: str
    services: list[UnitStatus]
    lease: LeaseStatus | None
    half_restored: RestoreMark | None


class SnapshotInfo(TypedDict):
    """One snapshot."""

    name: str
    created_at: str
    plan: str
    parts: list[str]
    left: list[str]
    tasks: list[str]


class StageReport(TypedDict):
    """One stage of readiness."""

    name: str
    reached: bool
    reached_after_s: float | None
    last: list[ProbeTry]


class TaskInfo(TypedDict):
    """What the type of a task takes, tells and returns."""

    name: str
    task_type: str
    summary: str
    description: str
    parameters: dict[str, Any]
    result: dict[str, Any]
    events: dict[str, Any]


class TaskStatus(TypedDict):
    """One task as it is now."""

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
    endpoints: dict[str, EndpointAddress]
    depends_on: list[str]
    goal: str | None
    message: str | None
    next_try_at: str | None
    outputs: dict[str, Any]
    completed_at: str | None
    input_hash: str | None


class TokenStatus(TypedDict):
    """What may be told about a token."""

    name: str
    role: str
    created_at: str
    expires_at: str | None
    expired: bool


class TraceStep(TypedDict):
    """One step of a run; secrets in it are masked."""

    number: int
    path: str
    kind: str
    name: str | None
    state: str
    started_at: str
    ended_at: str | None
    attempt: int
    attempts: list[dict[str, Any]]
    inputs: Any
    outputs: Any
    error: dict[str, Any] | None
    compensates: str | None
    place: str | None


class UnitDetails(TypedDict):
    """Everything about one unit."""

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
    endpoints: dict[str, EndpointAddress]
    depends_on: list[str]
    goal: str | None
    message: str | None
    next_try_at: str | None
    outputs: dict[str, Any]
    completed_at: str | None
    spec: dict[str, Any]
    handle: dict[str, Any] | None
    generation: int
    since: str | None
    health_checks: dict[str, Any] | None
    history: list[dict[str, Any]]


class UnitHealth(TypedDict):
    """Checks of one unit; units without any are there, too."""

    unit: str
    state: str
    stages: list[StageReport]
    liveness: StageReport | None


class UnitOutcome(TypedDict):
    """What became of one unit of an operation."""

    unit: str
    outcome: str
    message: str | None


class UnitProcess(TypedDict):
    """One process of a unit."""

    pid: int
    parent: int
    command: str
    rss_bytes: int
    cpu_s: float


class UnitStatus(TypedDict):
    """One unit as it is now."""

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
    endpoints: dict[str, EndpointAddress]
    depends_on: list[str]
    goal: str | None
    message: str | None
    next_try_at: str | None
    outputs: dict[str, Any]
    completed_at: str | None


class UnitUsage(TypedDict):
    """What a unit uses now, all its processes together."""

    name: str
    processes: int
    rss_bytes: int
    cpu_s: float
    tree: list[UnitProcess]


class WorkflowInfo(TypedDict):
    """Everything about a workflow."""

    name: str
    description: str | None
    parameters: dict[str, Any]
    timeout_s: float | None
    steps: list[dict[str, Any]]
    finally_steps: list[dict[str, Any]]


class WorkflowPlan(TypedDict):
    """What a run would do."""

    workflow: str
    parameters: dict[str, Any]
    steps: list[PlannedStep]
    problems: list[WorkflowProblem]
    missing: list[str]


class WorkflowProblem(TypedDict):
    """Why a step would fail."""

    path: str
    place: str | None
    message: str


class WorkflowRun(TypedDict):
    """One run."""

    id: str
    project: str
    workflow: str
    parameters: dict[str, Any]
    state: str
    started_at: str
    ended_at: str | None
    error: dict[str, Any] | None
    compensated: list[str]
    left: list[dict[str, Any]]
    leftover: str | None
    steps: int
    dropped_steps: int


class WorkflowRunTrace(TypedDict):
    """One run with its steps."""

    id: str
    project: str
    workflow: str
    parameters: dict[str, Any]
    state: str
    started_at: str
    ended_at: str | None
    error: dict[str, Any] | None
    compensated: list[str]
    left: list[dict[str, Any]]
    leftover: str | None
    steps: int
    dropped_steps: int
    trace: list[TraceStep]


class WorkflowSummary(TypedDict):
    """One workflow in a list."""

    name: str
    description: str | None
    parameters: list[str]
    origin: str
