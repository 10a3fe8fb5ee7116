"""What the checks of units find."""

from __future__ import annotations

from dataclasses import dataclass

from .params import ProjectParams, Result
from .units import ProbeTry

__all__ = ["ListHealthParams", "StageReport", "UnitHealth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHealthParams(ProjectParams):
    """Whose checks."""

    unit: str | None = None
    """Null: of all units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport(Result):
    """One stage of readiness."""

    name: str
    reached: bool
    reached_after_s: float | None = None
    """From the start of the unit."""
    last: tuple[ProbeTry, ...] = ()
    """Oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitHealth(Result):
    """Checks of one unit; units without any are there, too."""

    unit: str
    state: str
    """none, starting, healthy or unhealthy."""
    stages: tuple[StageReport, ...] = ()
    liveness: StageReport | None = None
