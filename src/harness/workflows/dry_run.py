"""What a run would do, step by step, with the values that are known now; nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.actions import Catalogue
from harness.config import ROOTS, Hole, holes
from harness.errors import HarnessError, InvalidParameters, WorkflowStepFailed
from harness.expressions import Expression, ExpressionError, compile_expression
from harness.model import Step, Workflow
from harness.supervisor import Project
from harness.validation import ValidationError, problems, validated

from .kinds import StepKinds, read_options
from .scope import Scope

__all__ = ["DryRun", "Later"]

_EXPRESSIONS = ("condition", "until", "where")


class DryRun:
    """Goes through a workflow without doing anything.

    Args:
        project: None: it is not loaded, so nothing is known of its services.
        kinds: of steps that plugins bring.
        mask: takes secrets out of JSON values.
    """

    def __init__(
        self,
        *,
        project: Project | None,
        actions: Catalogue | None,
        kinds: StepKinds,
        mask: Callable[[Any], Any],
    ) -> None:
        self._project = project
        self._actions = actions
        self._kinds = kinds
        self._mask = mask
        self.steps: list[dict[str, Any]] = []
        self.problems: list[dict[str, Any]] = []

    def go(self, workflow: Workflow, scope: Scope) -> None:
        """Note every step, in the order of the file, and everything wrong with it."""
        self._list(workflow.steps, scope, "")
        self._list(workflow.finally_, scope, "finally")

    def _list(self, steps: Iterable[Step], scope: Scope, why: str) -> None:
        for step in steps:
            self._step(step, scope, why)

    def _step(self, step: Step, scope: Scope, why: str) -> None:
        row: dict[str, Any] = {
            "path": step.path,
            "kind": step.kind,
            "when": step.when,
            "because": why or None,
            "attempts": step.retry.attempts,
            "timeout_s": step.timeout_s,
            "place": step.place,
        }
        shown = {
            key: self._shown(value, scope, is_expression=key in _EXPRESSIONS)
            for key, value in step.options.items()
        }
        row["inputs"] = self._mask(shown)
        self.steps.append(row)
        self._check(step, scope)
        inside = scope
        if step.kind == "for_each":
            later = Later(f"each of {step.options['items']}")
            inside = scope.inside(**{step.options["name"]: later, "index": later})
        self._list(step.body, inside, _reason(step, holds=True))
        self._list(step.otherwise, inside, _reason(step, holds=False))
        self._list(step.compensate, scope, f"if {step.path} is to be undone")

    def _shown(self, value: Any, scope: Scope, *, is_expression: bool = False) -> Any:
        """Return a value as it is known now; what depends on later things as it is written."""
        if isinstance(value, Mapping):
            return {key: self._shown(item, scope) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._shown(item, scope) for item in value]
        if not isinstance(value, str) or is_expression or not _is_known(value, scope):
            return value
        try:
            return scope.resolve(value)
        except WorkflowStepFailed:
            return value

    def _check(self, step: Step, scope: Scope) -> None:
        """Check what only this daemon can: actions with their parameters, steps of plugins."""
        try:
            if step.kind == "action":
                self._check_action(step.options, scope)
            elif step.kind in self._kinds and not _open_ended(step.options, scope):
                read_options(self._kinds[step.kind].options, scope.resolve(step.options))
        except HarnessError as error:
            message = self._mask(str(error))
            self.problems.append({"path": step.path, "place": step.place, "message": message})

    def _check_action(self, options: Mapping[str, Any], scope: Scope) -> None:
        name = str(options["name"])
        if "${" in name or self._actions is None:
            return
        service, _, action = name.rpartition(".")
        if service and self._project is None:
            return
        found = self._actions.find(self._project, service or None, action)
        given = options.get("parameters", {})
        try:
            validated(found.action.parameters, self._shown(given, scope))
        except ValidationError as error:
            wrong = [p for p in problems(error) if not _open_at(given, p["path"], scope)]
            if wrong:
                text = "; ".join(f"{p['path']}: {p['message']}" for p in wrong)
                raise InvalidParameters(f"cannot run {found.title}: {text}") from None


class Later(str):
    """Stands for a value that is known only when the workflow runs, or is still to be given."""

    __slots__ = ()


def _reason(step: Step, *, holds: bool) -> str:
    match step.kind:
        case "if":
            return f"if {step.options['condition']}{'' if holds else ' does not hold'}"
        case "for_each":
            return f"for each of {step.options['items']}"
        case "parallel":
            return "side by side"
        case _:
            return ""


def _is_known(text: str, scope: Scope) -> bool:
    """Tell whether every value that a text holds is known before the run."""
    later = {"steps", "vars", "services", "tasks", "error", "event"}
    later |= {name for name, value in scope.names.items() if isinstance(value, Later)}
    missing = {name for name, value in scope.params.items() if isinstance(value, Later)}
    for part in holes(text, (*ROOTS, *scope.names)):
        if isinstance(part, Hole) and part.stack is None:
            try:
                expression = compile_expression(part.source)
                if expression.names & later or _wants(expression, missing):
                    return False
            except ExpressionError:
                return False
    return True


def _wants(expression: Expression, missing: set[str]) -> bool:
    """Tell whether a value depends on parameters that are missing: those it names, or on all."""
    if not missing or "params" not in expression.names:
        return False
    keys = [key for key, _ in expression.keys["params"]]
    return not keys or not missing.isdisjoint(keys)


def _open_ended(value: Any, scope: Scope) -> bool:
    if isinstance(value, Mapping):
        return any(_open_ended(item, scope) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_open_ended(item, scope) for item in value)
    return isinstance(value, str) and "${" in value and not _is_known(value, scope)


def _open_at(given: Any, path: str, scope: Scope) -> bool:
    """Tell whether a parameter has a value that is not known yet."""
    first = re.split(r"[.\[]", path)[0]
    return isinstance(given, Mapping) and _open_ended(given.get(first), scope)
