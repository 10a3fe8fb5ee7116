"""Health: run checks, and follow the health of one unit over time."""

from .context import ProbeContext
from .monitor import HISTORY_LENGTH, LIVENESS, Monitor
from .observation import (
    HealthChanged,
    HealthReport,
    Observation,
    Observer,
    ProbeFinished,
    ProbeReport,
    StageReached,
)
from .result import CheckResult, excerpt
from .runner import CheckRunner, describe, question
from .schedule import delays

__all__ = [
    "HISTORY_LENGTH",
    "LIVENESS",
    "CheckResult",
    "CheckRunner",
    "HealthChanged",
    "HealthReport",
    "Monitor",
    "Observation",
    "Observer",
    "ProbeContext",
    "ProbeFinished",
    "ProbeReport",
    "StageReached",
    "delays",
    "describe",
    "excerpt",
    "question",
]
