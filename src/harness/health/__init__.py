"""Health: run checks, and follow the health of one unit over time."""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

from .context import ProbeContext
from .custom import HealthCheck, without_absent
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

if TYPE_CHECKING:
    from .http_exchange import MAX_BODY_BYTES, Answer, Request, exchange

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

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    # It loads what most stacks do not need.
    _EXCHANGE = ("MAX_BODY_BYTES", "Answer", "Request", "exchange")
    __getattr__ = lazy_names(__name__, dict.fromkeys(_EXCHANGE, "http_exchange"))
