"""What a plugin's author derives a step from, and what any step is told when it runs."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from harness.errors import WorkflowStepFailed
from harness.supervisor import Project
from harness.validation import ValidationError, adapter, problems, validated

__all__ = [
    "BUILT_IN_STEPS",
    "StepCall",
    "StepKinds",
    "WorkflowStep",
    "plain_outputs",
    "read_options",
]

T = TypeVar("T")

BUILT_IN_STEPS = (
    "start", "stop", "restart", "wait", "exec", "http", "action", "task", "sleep", "set",
    "sequence", "parallel", "if", "for_each",
)  # fmt: skip
"""Kinds that need no plugin, and that none may bring."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NoOptions:
    """The step takes no options."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StepCall:
    """One attempt of a step.

    Attributes:
        project: whose services it may look at.
        run: the run's id.
        step: the step's path.
        attempt: counts from 1.
        options: an instance of the kind's `options`, with everything in it resolved.
    """

    project: Project
    run: str
    step: str
    attempt: int
    options: Any


class WorkflowStep(ABC):
    """A kind of step, written `uses: NAME` in a workflow; one object is made for each attempt.

    The docstring's first line is what people read of it.

    Attributes:
        name: what workflows call it.
        options: a dataclass; the keys of `with`.
    """

    name: ClassVar[str]
    options: ClassVar[type] = NoOptions

    @abstractmethod
    async def run(self, call: StepCall) -> Any:
        """Do it; return the outputs, JSON values or a dataclass. It may be cancelled.

        Raises:
            HarnessError: why it failed.
        """


StepKinds = Mapping[str, type[WorkflowStep]]
"""Kinds of plugins, by name."""


def read_options(of: type[T], values: Mapping[str, Any]) -> T:
    """Return resolved options as a dataclass.

    Raises:
        WorkflowStepFailed: they do not fit; every path is named.
    """
    try:
        read: T = validated(_strict(of), values)
    except ValidationError as error:
        found = problems(error)
        text = "; ".join(f"{p['path']}: {p['message']}" for p in found)
        raise WorkflowStepFailed(f"cannot use its options: {text}") from None
    return read


def plain_outputs(value: Any) -> Any:
    """Return what a step gave as JSON values.

    Raises:
        WorkflowStepFailed: it cannot be written so.
    """
    try:
        return adapter(Any).dump_python(value, mode="json", warnings="error")
    except ValueError as error:
        raise WorkflowStepFailed(f"cannot keep its outputs: {error}") from error


_made: dict[type, type] = {}


def _strict(of: type) -> type:
    """Return the dataclass with unknown keys forbidden."""
    if of not in _made:
        _made[of] = dataclasses.make_dataclass(
            of.__name__, [], bases=(of,), frozen=True, kw_only=True,
            namespace={"__pydantic_config__": {"extra": "forbid"}, "__module__": of.__module__},
        )  # fmt: skip
    return _made[of]
