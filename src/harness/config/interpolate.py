"""Values put in place of `${…}`: what the names stand for is asked of a lookup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass, replace
from enum import Enum
from pathlib import PurePath
from typing import Any, Protocol, TypeVar, cast

from harness.errors import Problem, UnresolvedReference
from harness.model import field_names

from .grammar import InterpolationSyntaxError, Part, Reference, Variable, expressions, parse

__all__ = ["Lookup", "missing", "resolve", "resolve_text", "unresolved"]

T = TypeVar("T")

_WITHOUT_TEXT = frozenset({bool, int, float, type(None)})
"""Most values of a definition are of these, and need no look at abstract classes."""


class Lookup(Protocol):
    """Where `resolve` finds what names stand for."""

    def variable(self, name: str) -> str | None:
        """Return a variable's value, or None when it is unset."""

    def reference(self, path: tuple[str, ...]) -> str:
        """Return what a reference stands for.

        Raises:
            UnresolvedReference: it names nothing, or nothing that is known yet; make it with
                `unresolved`.
        """


def unresolved(message: str, *, hint: str | None = None) -> UnresolvedReference:
    """Make the error for one name that has no value; `message` names it and says why."""
    problem = Problem(
        file="", line=0, column=0, path="", kind=UnresolvedReference.kind, message=message,
        hint=hint,
    )  # fmt: skip
    return UnresolvedReference(problems=[problem])


def resolve_text(text: str, lookup: Lookup, *, secrets: set[str] | None = None) -> str:
    """Resolve one text; see `resolve`."""
    if "$" not in text:
        return text
    run = _Run(lookup, secrets)
    result = run.text(text)
    run.finish()
    return result


def missing(text: str, lookup: Lookup) -> Iterator[tuple[int, Problem]]:
    """Yield everything in a text that is not well formed or has no value, with its offset."""
    for at, expression in expressions(text):
        try:
            if isinstance(expression, InterpolationSyntaxError):
                raise unresolved(str(expression))
            resolve_text(expression, lookup)
        except UnresolvedReference as error:
            for problem in error.problems:
                yield at, problem


def resolve(value: T, lookup: Lookup, *, secrets: set[str] | None = None) -> T:
    """Return `value` with every string in it resolved.

    Walks dataclasses, tuples, lists, mapping values and paths; what holds no `${…}` is returned
    itself. A word is looked at only when its operator needs it. Values are used as they are: a `$`
    in one is not read again.

    Args:
        value: a string, or data that holds strings.
        lookup: what the names stand for.
        secrets: gets the text of every secret that was used.

    Raises:
        UnresolvedReference: one or more names have no value; `problems` holds all of them.
    """
    run = _Run(lookup, secrets)
    result = run.value(value)
    run.finish()
    return cast("T", result)  # every branch of the walk keeps the type


class _Run:
    """One walk: collects what is missing instead of stopping at the first."""

    def __init__(self, lookup: Lookup, secrets: set[str] | None) -> None:
        self._lookup = lookup
        self._secrets = secrets
        self._problems: dict[Problem, None] = {}

    def finish(self) -> None:
        if self._problems:
            raise UnresolvedReference(problems=list(self._problems))

    def value(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return self.text(value) if "$" in value else value
        if kind in _WITHOUT_TEXT or isinstance(value, Enum):
            return value
        if isinstance(value, str):
            return self.text(value) if "$" in value else value
        if isinstance(value, PurePath):
            return type(value)(self.text(str(value))) if "$" in str(value) else value
        if isinstance(value, tuple | list):
            items = [self.value(item) for item in value]
            return type(value)(items) if _differ(items, value) else value
        if isinstance(value, Mapping):
            resolved = {key: self.value(item) for key, item in value.items()}
            return resolved if _differ(resolved.values(), value.values()) else value
        if is_dataclass(value) and not isinstance(value, type):
            return self._dataclass(value)
        return value

    def _dataclass(self, value: Any) -> Any:
        changed = {}
        for name in field_names(type(value)):
            before = getattr(value, name)
            after = self.value(before)
            if after is not before:
                changed[name] = after
        return replace(value, **changed) if changed else value

    def text(self, text: str) -> str:
        try:
            return self._join(parse(text))
        except InterpolationSyntaxError as error:
            return self._missing(unresolved(str(error)))

    def _join(self, parts: tuple[Part, ...]) -> str:
        return "".join(part if isinstance(part, str) else self._part(part) for part in parts)

    def _part(self, part: Variable | Reference) -> str:
        if isinstance(part, Reference):
            try:
                text = self._lookup.reference(part.path)
            except UnresolvedReference as error:
                return self._missing(error)
            if self._secrets is not None and part.path[0] == "secrets":
                self._secrets.add(text)
            return text
        value = self._lookup.variable(part.name)
        is_set = value is not None and not (value == "" and part.operator.startswith(":"))
        match part.operator[-1:]:
            case "-":
                return value if is_set and value is not None else self._join(part.word)
            case "+":
                return self._join(part.word) if is_set else ""
            case "?" if not is_set:
                message = self._join(part.word) or f"the variable {part.name} is not set"
                if part.name not in message:
                    message = f"{part.name}: {message}"
                return self._missing(unresolved(message))
        if value is None:
            hint = f"set it, or write ${{{part.name}:-default}}"
            return self._missing(unresolved(f"the variable {part.name} is not set", hint=hint))
        return value

    def _missing(self, error: UnresolvedReference) -> str:
        self._problems.update(dict.fromkeys(error.problems))
        return ""


def _differ(after: Any, before: Any) -> bool:
    return any(new is not old for new, old in zip(after, before, strict=True))
