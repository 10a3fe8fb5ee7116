"""What a plugin may bring; it implements those of these hooks that it needs.

from harness.plugins import hookimpl

@hookimpl
def harness_service_types():
return [Chain]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .markers import hookspec

if TYPE_CHECKING:
    from harness.actions import ActionSet, ServiceType, TaskType
    from harness.executors import Executor
    from harness.health import HealthCheck
    from harness.workflows import Workflow, WorkflowStep

    from .transitions import Observer

__all__: list[str] = []


@hookspec
def harness_service_types() -> Iterable[type[ServiceType]]:
    """Return classes of typed actions, one for each `service_type`."""
    return ()


@hookspec
def harness_task_types() -> Iterable[type[TaskType]]:
    """Return classes that do tasks, one for each `task_type`."""
    return ()


@hookspec
def harness_daemon_actions() -> Iterable[type[ActionSet]]:
    """Return classes of actions that belong to no service."""
    return ()


@hookspec
def harness_executors() -> Iterable[type[Executor]]:
    """Return executors, one for each `type` of unit; each is made once, without arguments."""
    return ()


@hookspec
def harness_health_checks() -> Iterable[type[HealthCheck]]:
    """Return health checks, one for each name below `custom`; each is made once."""
    return ()


@hookspec
def harness_workflow_steps() -> Iterable[type[WorkflowStep]]:
    """Return classes of steps, which workflows call by their names after `uses`."""
    return ()


@hookspec
def harness_workflows() -> Iterable[Workflow]:
    """Return workflows that every project has, unless its stack file has one of the name."""
    return ()


@hookspec
def harness_transitions() -> Iterable[Observer]:
    """Return async functions that are called with every `Transition` of every unit.

    They are called beside what the daemon does, and delay nothing but themselves.
    """
    return ()
