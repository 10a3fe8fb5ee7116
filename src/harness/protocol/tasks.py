"""Tasks: units that are to complete once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .params import Params, ProjectParams, Result, Source
from .units import UnitStatus

__all__ = ["ResetTasksParams", "RunTasksParams", "TaskInfo", "TaskParams", "TaskStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus(UnitStatus):
    """One task as it is now."""

    input_hash: str | None = None
    """Of the inputs it completed with; it runs again when they change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskParams(ProjectParams):
    """One task."""

    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInfo(Result):
    """What the type of a task takes, tells and returns."""

    name: str
    task_type: str
    summary: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of what stack files give under `config`."""
    result: Mapping[str, Any]
    """JSON Schema of its outputs."""
    events: Mapping[str, Any]
    """Name → JSON Schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTasksParams(Params):
    """Which tasks to run, with what they depend on."""

    source: Source
    tasks: tuple[str, ...]
    force: bool = False
    """Even if they have completed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetTasksParams(ProjectParams):
    """Which completions to forget."""

    tasks: tuple[str, ...]
