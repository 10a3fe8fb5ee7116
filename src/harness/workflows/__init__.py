"""Workflows: steps over the services of a project, run by the daemon and remembered.

Importing this loads what authors need; the parts that run workflows are loaded when asked for.
"""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

if TYPE_CHECKING:
    from .building import (
        Action,
        Exec,
        ForEach,
        Http,
        If,
        Parallel,
        Param,
        Piece,
        Restart,
        Retry,
        Sequence,
        Set,
        Sleep,
        Start,
        Stop,
        Task,
        Uses,
        Wait,
        Workflow,
    )
    from .kinds import BUILT_IN_STEPS, StepCall, StepKinds, WorkflowStep
    from .parameters import parameters_schema
    from .trace import forget_runs
    from .workflows import Workflows, check_kinds

__all__ = [
    "BUILT_IN_STEPS",
    "Action",
    "Exec",
    "ForEach",
    "Http",
    "If",
    "Parallel",
    "Param",
    "Piece",
    "Restart",
    "Retry",
    "Sequence",
    "Set",
    "Sleep",
    "Start",
    "StepCall",
    "StepKinds",
    "Stop",
    "Task",
    "Uses",
    "Wait",
    "Workflow",
    "WorkflowStep",
    "Workflows",
    "check_kinds",
    "forget_runs",
    "parameters_schema",
]

_PLACES = {
    **dict.fromkeys(
        (
            "Action", "Exec", "ForEach", "Http", "If", "Parallel", "Param", "Piece", "Restart",
            "Retry", "Sequence", "Set", "Sleep", "Start", "Stop", "Task", "Uses", "Wait",
            "Workflow",
        ),
        "building",
    ),
    **dict.fromkeys(("StepCall", "StepKinds", "WorkflowStep"), "kinds"),
    "parameters_schema": "parameters",
    "BUILT_IN_STEPS": "kinds",
    "Workflows": "workflows",
    "check_kinds": "workflows",
    "forget_runs": "trace",
}  # fmt: skip

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
