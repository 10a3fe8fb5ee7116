"""The stack file read here, without a daemon: for commands that check it, and when none runs.

Reading it costs a tenth of a second (pydantic, YAML), so only functions of this module do it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.config import Report, Source
    from harness.errors import PlanError
    from harness.model import StackSpec, UnitSpec

    from .session import Session

__all__ = [
    "check_stack",
    "configured_units",
    "has_stack_file",
    "load_stack",
    "plan_problem",
    "show_stack",
    "stack_schema",
]


def has_stack_file(session: Session) -> bool:
    """Tell whether one was named, or is found in the working directory or above."""
    from harness.config import discover

    return bool(session.options.files or discover(os.getcwd()))


def load_stack(session: Session) -> StackSpec:
    """Return the stack.

    Raises:
        ConfigError: it cannot be used.
    """
    from harness.config import load

    return load(_source(session), executors=_executors(), find=session.types.find)


def check_stack(session: Session) -> Report:
    """Return the stack, or all that is wrong with it."""
    from harness.config import validate

    return validate(_source(session), executors=_executors(), find=session.types.find)


def plan_problem(session: Session, stack: StackSpec) -> PlanError | None:
    """Return why a stack that could be read can never be started; None when it can be."""
    from harness.errors import PlanError
    from harness.plan import check_capabilities, plan_stack

    try:
        plan_stack(stack)
        check_capabilities(stack.units, session.types.capabilities())
    except PlanError as error:
        return error
    return None


def show_stack(session: Session) -> str:
    """Return the resolved stack as YAML, secrets masked.

    Raises:
        ConfigError: it cannot be used.
    """
    from harness.config import show

    return show(_source(session), executors=_executors(), find=session.types.find)


def stack_schema(session: Session) -> dict[str, Any]:
    """Return the JSON Schema of a stack file, with what plugins add to it."""
    from harness.config import schema

    extra = session.types.find()
    return schema({**extra.executors, **_executors()}, checks=extra.checks)


def configured_units(session: Session) -> dict[str, Any]:
    """Return the stack as `services.status` shows one of which nothing runs.

    Raises:
        ConfigError: it cannot be used.
    """
    stack = load_stack(session)
    units = [_stopped(unit) for unit in stack.units.values()]
    return {"project": stack.name, "services": units}


def _stopped(unit: UnitSpec) -> dict[str, Any]:
    return {
        "name": unit.name,
        "kind": unit.kind.value,
        "type": unit.type,
        "state": "stopped",
        "health": "none",
        "ready": False,
        "goal": None,
        "pid": None,
        "container": None,
        "node": None,
        "restarts": 0,
        "exit_code": None,
        "started_at": None,
        "endpoints": {},
        "depends_on": list(dict.fromkeys(edge.on for edge in unit.depends_on)),
        "message": None,
        "next_try_at": None,
        "outputs": {},
        "completed_at": None,
    }


def _source(session: Session) -> Source:
    from harness.config import Source

    options = session.options
    return Source(
        directory=os.getcwd(),
        files=tuple(session.files()),
        project=options.project,
        profiles=tuple(options.profiles),
        env=dict(os.environ),
    )


def _executors() -> Mapping[str, type]:
    from harness.executors import option_types

    return option_types()
