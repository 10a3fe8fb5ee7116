"""Health: run checks, and follow the health of one unit over time."""

from .context import ProbeContext
from .custom import HealthCheck, without_absent
from .exchange import MAX_BODY_BYTES, Answer, Request, exchange
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
from .result import CheckResult, Outcome, excerpt
from .runner import CheckRunner, describe, question
from .schedule import delays

__all__ = [
    "HISTORY_LENGTH",
    "LIVENESS",
    "MAX_BODY_BYTES",
    "Answer",
    "CheckResult",
    "CheckRunner",
    "HealthChanged",
    "HealthCheck",
    "HealthReport",
    "Monitor",
    "Observation",
    "Observer",
    "Outcome",
    "ProbeContext",
    "ProbeFinished",
    "ProbeReport",
    "Request",
    "StageReached",
    "delays",
    "describe",
    "excerpt",
    "exchange",
    "question",
    "without_absent",
]
