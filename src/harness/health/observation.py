"""What a monitor reports: facts as they happen, and all it knows at one moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from harness.model import HealthState

from .result import CheckResult

__all__ = [
    "HealthChanged",
    "HealthReport",
    "Observation",
    "Observer",
    "ProbeFinished",
    "ProbeReport",
    "StageReached",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFinished:
    """A probe was tried.

    Attributes:
        at: when the try ended, aware UTC.
        probe: name of the stage, or `liveness`.
        result: what came of it.
        repeated: the try before it had the same outcome and message, so it is no news.
    """

    at: datetime
    probe: str
    result: CheckResult
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReached:
    """A stage of readiness was reached, `after_s` seconds from the start of monitoring."""

    at: datetime
    stage: str
    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChanged:
    """The unit's health is another one now.

    Attributes:
        at: when, aware UTC.
        old: what it was.
        new: what it is.
        probe: name of the stage, or `liveness`, whose result decided it.
        message: that result's message.
    """

    at: datetime
    old: HealthState
    new: HealthState
    probe: str
    message: str


Observation = ProbeFinished | StageReached | HealthChanged
Observer = Callable[[Observation], None]
"""Takes each fact in order, in the monitor's task; it must not block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """What is known of one probe.

    Attributes:
        probe: name of the stage, or `liveness`.
        check: what it asks; a secret in it is not masked, and it may have several lines.
        tries: how often it was tried.
        failures: failed tries in a row, up to now.
        history: the newest tries, oldest first, at most 20.
        pending: for a log check that has not passed: what was read so far; else None.
    """

    probe: str
    check: str
    tries: int
    failures: int
    history: tuple[ProbeFinished, ...]
    pending: str | None = None

    @property
    def message(self) -> str | None:
        """How the probe stands, or None if it was never tried."""
        if self.pending is not None:
            return self.pending
        return self.history[-1].result.message if self.history else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """What a monitor knows now.

    Attributes:
        health: what the checks found.
        reached: names of the stages reached, in order.
        waiting_for: the stage that is probed to be reached, or None.
        probes: in the order stages, liveness; probes that were not begun are absent.
    """

    health: HealthState
    reached: tuple[str, ...]
    waiting_for: str | None
    probes: tuple[ProbeReport, ...]
