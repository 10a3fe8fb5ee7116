"""What a class that a plugin brings must look like; it is said before it is used, and in words."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import is_dataclass
from inspect import isabstract

from harness.executors import Capabilities, Executor
from harness.health import HealthCheck
from harness.workflows import WorkflowStep

__all__ = ["checked_executor", "checked_health_check", "checked_step"]

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def checked_executor(of: type[Executor], known: Collection[str]) -> str:
    """Return an executor's name.

    Args:
        of: its class.
        known: names that are taken.

    Raises:
        ValueError, TypeError: it cannot be used.
    """
    _check_class(of, Executor)
    name = _checked_name(of, "executor", known)
    if not isinstance(getattr(of, "capabilities", None), Capabilities):
        raise TypeError(f"{of.__name__}.capabilities is no Capabilities")
    return name


def checked_health_check(of: type[HealthCheck], known: Collection[str]) -> str:
    """Return a health check's name; the rest is as for `checked_executor`."""
    _check_class(of, HealthCheck)
    return _checked_name(of, "health check", known)


def checked_step(of: type[WorkflowStep], known: Collection[str]) -> str:
    """Return the name of a kind of step; the rest is as for `checked_executor`."""
    _check_class(of, WorkflowStep)
    if not (of.__doc__ or "").strip():
        raise TypeError(f"{of.__name__} has no docstring; its first line is what users read")
    return _checked_name(of, "step", known)


def _check_class(of: object, base: type) -> None:
    if not (isinstance(of, type) and issubclass(of, base)):
        raise TypeError(f"{of!r} is no class of {base.__name__}")
    if isabstract(of):
        missing = ", ".join(sorted(getattr(of, "__abstractmethods__", ())))
        raise TypeError(f"{of.__name__} lacks {missing}")


def _checked_name(of: type, what: str, known: Collection[str]) -> str:
    name = getattr(of, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{of.__name__}.name is no name: lower case letters, digits, - and _")
    if name in known:
        raise ValueError(f'the {what} "{name}" is there already')
    options = getattr(of, "options", None)
    if not isinstance(options, type) or not is_dataclass(options):
        raise TypeError(f"{of.__name__}.options is no dataclass")
    return name
