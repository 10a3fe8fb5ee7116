"""Placeholders in a subgraph's files, filled in from values: addresses, networks, deployments.

Three ways to write one, as they are in use: `@Contract@`, `{{contract}}`, `${CONTRACT}`. A name may
have dots, dashes and underscores. Which of a template's languages a file is written in is not
known here: sections and conditions of Mustache are placeholders that nobody has a value for.

Filling in is pure; who builds does it in a copy, so a source is never changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.suggestions import did_you_mean

from .document import Place
from .problems import Problem

__all__ = ["Filled", "Placeholder", "Value", "fill", "placeholders"]

Value = str | int
"""What a placeholder stands for; a number is written without quotes."""

_NAME = r"[A-Za-z_][\w.-]*"
_PLACEHOLDER = re.compile(
    rf"@(?P<at>{_NAME})@|\{{\{{\{{?\s*(?P<braces>[#^/]?{_NAME})\s*\}}?\}}\}}|\$\{{(?P<dollar>{_NAME})\}}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholder:
    """One placeholder.

    Attributes:
        name: without its marks.
        written: with them.
        place: where it begins.
    """

    name: str
    written: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A text with values in it.

    Attributes:
        text: what has no value stays as it is written.
        used: names of the values that it needed.
        problems: one for each placeholder without a value.
    """

    text: str
    used: frozenset[str]
    problems: tuple[Problem, ...]


def placeholders(text: str) -> Iterator[Placeholder]:
    """Yield the placeholders of a text, in order."""
    for match in _PLACEHOLDER.finditer(text):
        yield Placeholder(name=_name(match), written=match[0], place=_place(text, match.start()))


def fill(text: str, values: Mapping[str, Value], file: str) -> Filled:
    """Put values in a text.

    Args:
        text: with placeholders, or without.
        values: by name. A name is looked for as it is written.
        file: for messages.
    """
    problems = tuple(
        Problem(
            message=f"the placeholder {each.written} has no value",
            file=file,
            line=each.place.line,
            column=each.place.column,
            hint=did_you_mean(each.name, values) or "no values were given",
        )
        for each in placeholders(text)
        if each.name not in values
    )
    used = frozenset(each.name for each in placeholders(text)) & set(values)

    def value(match: re.Match[str]) -> str:
        name = _name(match)
        return str(values[name]) if name in values else match[0]

    return Filled(text=_PLACEHOLDER.sub(value, text), used=used, problems=problems)


def _name(match: re.Match[str]) -> str:
    name: str = match["at"] or match["braces"] or match["dollar"]
    return name


def _place(text: str, index: int) -> Place:
    before = text[:index]
    return Place(line=before.count("\n") + 1, column=index - (before.rfind("\n") + 1) + 1)
