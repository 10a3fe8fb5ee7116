"""What this distribution brings; the entry point names this module."""

from __future__ import annotations

from harness.actions import ActionSet, ServiceType
from harness.executors import Executor
from harness.health import HealthCheck
from harness.plugins import Observer, hookimpl

from .executor import ForkingExecutor
from .history import History, remember
from .key_values import KeyValues
from .talk import Talk


@hookimpl
def harness_executors() -> list[type[Executor]]:
    """Bring units of type `forking`."""
    return [ForkingExecutor]


@hookimpl
def harness_health_checks() -> list[type[HealthCheck]]:
    """Bring the check `talk`."""
    return [Talk]


@hookimpl
def harness_service_types() -> list[type[ServiceType]]:
    """Bring the actions of services with `service_type: key-values`."""
    return [KeyValues]


@hookimpl
def harness_transitions() -> list[Observer]:
    """Bring the observer."""
    return [remember]


@hookimpl
def harness_daemon_actions() -> list[type[ActionSet]]:
    """Bring the daemon's action `history`."""
    return [History]
