"""Long work: started by a call, followed by others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .params import Params, Result

__all__ = [
    "OperationParams",
    "OperationRef",
    "OperationStatus",
    "UnitOutcome",
    "WaitOperationParams",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRef(Result):
    """An operation that was started."""

    id: str
    project: str
    after: int
    """Number of the newest event before it: events with higher numbers tell its story."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationParams(Params):
    """Which operation."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitOperationParams(OperationParams):
    """Which operation, and how long to wait for its end."""

    timeout_s: float | None = None
    """Null: no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOutcome(Result):
    """What became of one unit of an operation."""

    unit: str
    outcome: str
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStatus(Result):
    """One operation."""

    id: str
    verb: str
    project: str
    units: tuple[str, ...]
    state: str
    """running, done, failed or cancelled."""
    started_at: str
    """ISO 8601, UTC."""
    ended_at: str | None = None
    error: Mapping[str, Any] | None = None
    """kind, message, hint and details."""
    results: tuple[UnitOutcome, ...] = ()
