"""Tasks: units that are to complete once."""

from __future__ import annotations

from dataclasses import dataclass

from .params import Params, ProjectParams, Source
from .units import UnitStatus

__all__ = ["ResetTasksParams", "RunTasksParams", "TaskStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus(UnitStatus):
    """One task as it is now."""

    input_hash: str | None = None
    """Of the inputs it completed with; it runs again when they change."""


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
