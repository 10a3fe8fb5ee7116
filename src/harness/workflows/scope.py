"""What `${…}` means to a step: values of this run, then what the project knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.config import ROOTS, Hole, render
from harness.errors import ConfigError, WorkflowStepFailed
from harness.expressions import ExpressionError, compile_expression

__all__ = ["Scope", "Surroundings"]


class Surroundings(Protocol):
    """What a run finds around it."""

    def root(self, name: str) -> Any:
        """Return the value of `services` or `tasks` now."""

    def text(self, hole: Hole) -> str:
        """Return what a name of the stack file's own language stands for.

        Raises:
            UnresolvedReference: it has no value.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Values that a step sees.

    Attributes:
        vars: shared by the whole run.
        steps: name → {state, outputs, error}; shared by steps in order, one for each item.
        names: what else there is: `item`, `index`, `event` and `error`.
    """

    around: Surroundings
    params: Mapping[str, Any] = field(default_factory=dict)
    vars: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, Any] = field(default_factory=dict)
    names: Mapping[str, Any] = field(default_factory=dict)

    def inside(self, **names: Any) -> Scope:
        """Return a scope of its own for one item: later steps do not see what is done in it."""
        return Scope(
            around=self.around,
            params=self.params,
            vars=self.vars,
            steps=dict(self.steps),
            names={**self.names, **names},
        )

    def knowing(self, **names: Any) -> Scope:
        """Return the same scope with more names."""
        return Scope(
            around=self.around,
            params=self.params,
            vars=self.vars,
            steps=self.steps,
            names={**self.names, **names},
        )

    def resolve(self, value: Any) -> Any:
        """Return JSON values with every `${…}` in their texts put in.

        Raises:
            WorkflowStepFailed: one has no value.
        """
        return _walk(value, self._text)

    def evaluate(self, text: Any) -> Any:
        """Return the value of an expression, alone or in `${…}`; of no text: the value itself.

        Raises:
            WorkflowStepFailed: it has none.
        """
        if not isinstance(text, str):
            return self.resolve(text)
        return self._text(text) if "${" in text else self._expression(text)

    def holds(self, text: Any) -> bool:
        """Tell whether a condition is true.

        Raises:
            WorkflowStepFailed: it is neither true nor false.
        """
        value = self.evaluate(text)
        if not isinstance(value, bool):
            raise WorkflowStepFailed(
                f"cannot use the condition {text}: it must be true or false, and is {value!r}",
                hint="compare it with something, such as `> 0` or `!= null`",
            )
        return value

    def _text(self, text: str) -> Any:
        return render(text, self._hole, (*ROOTS, *self.names))

    def _hole(self, hole: Hole) -> Any:
        if hole.stack is None:
            return self._expression(hole.source)
        try:
            return self.around.text(hole)
        except ConfigError as error:
            causes = "; ".join(str(problem) for problem in error.problems)
            raise WorkflowStepFailed(f"cannot resolve it: {causes}") from None

    def _expression(self, source: str) -> Any:
        try:
            expression = compile_expression(source)
            return expression.evaluate({name: self._root(name) for name in expression.names})
        except ExpressionError as error:
            raise WorkflowStepFailed(f"cannot evaluate it: {error}") from None

    def _root(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        match name:
            case "params":
                return self.params
            case "vars":
                return self.vars
            case "steps":
                return self.steps
            case "services" | "tasks":
                return self.around.root(name)
            case _:
                raise ExpressionError(f'nothing is called "{name}" here')


def _walk(value: Any, text: Callable[[str], Any]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {key: _walk(item, text) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(item, text) for item in value]
    return value
