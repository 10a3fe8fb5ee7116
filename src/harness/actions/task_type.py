"""What authors of deployment tasks derive from: a class that does one kind of task."""

from __future__ import annotations

import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, get_origin

from .declaration import Action, declared_method
from .task import Task

__all__ = ["NO_OUTPUTS", "TaskType"]

NO_OUTPUTS = (None, type(None))
"""What `execute` is declared to return where its task has none."""


class TaskType(ABC):
    """Does each task whose `task_type` in the stack file is the name of this.

    An author writes `execute`, whose parameters, with their types, are what stack files give under
    `config`, or which takes one dataclass of them. One called `call` gets a `TaskCall`. What it
    returns, a dataclass or a mapping, are the task's outputs; what it raises is why it failed.
    A run may be cancelled, and made again after a crash: what is done already stays.

    `is_completed` may be written, too, with the same parameters but the call. Without it a task is
    done when it is remembered with the same inputs. With it, its answer counts: what was done once
    may be gone. Where a task has outputs, a method `outputs`, again with the same parameters, tells
    those of what is done already; without it, they are found by running it.

    Args:
        task: the one it is for; an instance lives for one run.

    Attributes:
        name: what stack files call it.
        events: dataclasses that it may emit.
    """

    name: ClassVar[str]
    events: ClassVar[Sequence[type]] = ()
    _declared: ClassVar[Action]

    def __init__(self, task: Task) -> None:
        self.task = task

    @abstractmethod
    async def execute(self, *args: Any, **config: Any) -> Any:
        """Do the task."""

    async def is_completed(self, *args: Any, **config: Any) -> bool:
        """Tell whether nothing is left to do; asked only where its author has written it."""
        return False

    async def outputs(self, *args: Any, **config: Any) -> Any:
        """Return the outputs of what is done already; asked only where its author wrote it."""
        return {}

    @classmethod
    def declared(cls) -> Action:
        """Return what it takes, tells and returns.

        Raises:
            TypeError: its declaration is not complete.
        """
        found = cls.__dict__.get("_declared")
        if found is None:
            found = cls._declared = _declare(cls)
        return found

    @classmethod
    def writes(cls, method: str) -> bool:
        """Tell whether its author has written one of the three methods."""
        return getattr(cls, method) is not getattr(TaskType, method)


def _declare(of: type[TaskType]) -> Action:
    if not isinstance(getattr(of, "name", None), str):
        raise TypeError(f"{of.__name__} has no name; stack files need one")
    if not of.writes("execute"):
        raise TypeError(f"{of.__name__} has no method execute, which does the task")
    declared = declared_method(of, "execute", of.events)
    if not _is_object(declared.result):
        raise TypeError(f"{of.__name__}.execute must return a dataclass, a mapping or None")
    for method in ("is_completed", "outputs"):
        if of.writes(method) and _names(of, method) != _names(of, "execute"):
            raise TypeError(f"{of.__name__}.{method} must take what execute takes, but the call")
    return declared


def _is_object(result: Any) -> bool:
    origin = get_origin(result) or result
    is_mapping = isinstance(origin, type) and issubclass(origin, Mapping)
    return result in NO_OUTPUTS or is_mapping or dataclasses.is_dataclass(result)


def _names(of: type, method: str) -> list[str]:
    parameters = list(inspect.signature(getattr(of, method)).parameters)[1:]
    return [name for name in parameters if name != "call"]
