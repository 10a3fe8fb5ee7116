"""Workflows of a stack, and their runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .params import Params, Result, Source

__all__ = [
    "ListWorkflowsParams",
    "PlanWorkflowParams",
    "PlannedStep",
    "RunWorkflowParams",
    "TraceStep",
    "WorkflowInfo",
    "WorkflowParams",
    "WorkflowPlan",
    "WorkflowProblem",
    "WorkflowRun",
    "WorkflowRunParams",
    "WorkflowRunTrace",
    "WorkflowRunsParams",
    "WorkflowSummary",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWorkflowsParams(Params):
    """Whose workflows: give one of the two."""

    project: str | None = None
    """Name of a loaded project."""
    source: Source | None = None
    """Stack files, read now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowParams(ListWorkflowsParams):
    """One workflow."""

    workflow: str
    """Its name; with `document` any."""
    document: Mapping[str, Any] | None = None
    """What a stack file would have under that name, to run one that no file has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWorkflowParams(WorkflowParams):
    """A run to look at."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    """By name, as its schema says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWorkflowParams(PlanWorkflowParams):
    """A run to begin; a source becomes the project's definition first, as with `services.up`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRunsParams(Params):
    """Whose runs."""

    project: str
    workflow: str | None = None
    """Only runs of this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRunParams(Params):
    """One run."""

    run: str
    """Its id, which is that of its operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSummary(Result):
    """One workflow in a list."""

    name: str
    description: str | None
    parameters: tuple[str, ...]
    """Their names."""
    origin: str
    """stack or plugin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep(Result):
    """A step as it would be done."""

    path: str
    kind: str
    when: str | None
    """It is skipped unless this holds."""
    because: str | None
    """What it is in, such as `if params.fast`; null: it is done in order."""
    attempts: int
    timeout_s: float | None
    place: str | None
    """file:line:column."""
    inputs: Mapping[str, Any]
    """Its options; what is not known before the run is as it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowProblem(Result):
    """Why a step would fail."""

    path: str
    place: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowInfo(Result):
    """Everything about a workflow."""

    name: str
    description: str | None
    parameters: Mapping[str, Any]
    """JSON Schema of its parameters, an object."""
    timeout_s: float | None
    steps: tuple[Mapping[str, Any], ...]
    """Its steps as they are written."""
    finally_steps: tuple[Mapping[str, Any], ...] = ()
    """Those under `finally`, as they are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowPlan(Result):
    """What a run would do."""

    workflow: str
    parameters: Mapping[str, Any]
    steps: tuple[PlannedStep, ...]
    """In the order of the file."""
    problems: tuple[WorkflowProblem, ...]
    missing: tuple[str, ...] = ()
    """Parameters that a run must have and that were not given; their `${…}` is as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRun(Result):
    """One run."""

    id: str
    project: str
    workflow: str
    parameters: Mapping[str, Any]
    state: str
    """running, done, failed, cancelled, or interrupted by the end of its daemon."""
    started_at: str
    """ISO 8601, UTC."""
    ended_at: str | None
    error: Mapping[str, Any] | None
    """kind, message, step and hint: what to do about it, or null."""
    compensated: tuple[str, ...]
    """Paths of the steps that were undone, in that order."""
    left: tuple[Mapping[str, Any], ...]
    """{step, reason} of those that could not be."""
    leftover: str | None
    """Why `finally` failed, after the run had failed already or was cancelled."""
    steps: int
    """How many it has done, once it has ended."""
    dropped_steps: int
    """How many of them have no record, because there were too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStep(Result):
    """One step of a run; secrets in it are masked."""

    number: int
    path: str
    """With numbers of items, such as each[2]/1-exec."""
    kind: str
    name: str | None
    state: str
    """running, done, failed, cancelled, skipped or interrupted."""
    started_at: str
    ended_at: str | None
    attempt: int
    attempts: tuple[Mapping[str, Any], ...]
    """{attempt, error} of those before."""
    inputs: Any
    outputs: Any
    error: Mapping[str, Any] | None
    compensates: str | None
    """Path of the step that it undoes."""
    place: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRunTrace(WorkflowRun):
    """One run with its steps."""

    trace: tuple[TraceStep, ...]
    """In the order in which they began."""
