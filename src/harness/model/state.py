"""The vocabularies of state: what a unit does, how its checks find it, and what kind of unit it is.

`ServiceState` and `HealthState` are never mixed; "ready" is derived from both.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "Goal",
    "HealthState",
    "ServiceState",
    "SetupState",
    "UnitKind",
    "is_live",
    "is_ready",
]


class UnitKind(StrEnum):
    """A service is to keep running; a task is to end with success once."""

    SERVICE = "service"
    TASK = "task"


class Goal(StrEnum):
    """What the user wants of a unit; it survives a crash of the daemon."""

    UP = "up"
    DOWN = "down"


class ServiceState(StrEnum):
    """What one unit does now.

    pending: wanted, waits for its conditions. exited: ended by itself, as it may (a completed
        task).
    failed: ended and will not be tried again. unknown: contact was lost.
    """

    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    BACKOFF = "backoff"
    EXITED = "exited"
    FAILED = "failed"
    UNKNOWN = "unknown"


class HealthState(StrEnum):
    """What the checks of one unit found last. none: it has no check, or does not run."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class SetupState(StrEnum):
    """How far the setup of a running service is. none: it has none, or does not run."""

    NONE = "none"
    REQUIRED = "required"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


def is_ready(state: ServiceState, health: HealthState) -> bool:
    """Tell whether a service can be used: it runs, and has no check or a passing one."""
    return state is ServiceState.RUNNING and health in (HealthState.NONE, HealthState.HEALTHY)


def is_live(state: ServiceState) -> bool:
    """Tell whether something of the unit may exist on its machine."""
    return state in (
        ServiceState.STARTING,
        ServiceState.RUNNING,
        ServiceState.STOPPING,
        ServiceState.UNKNOWN,
    )
