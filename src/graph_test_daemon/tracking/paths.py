"""Places in a JSON value, as they are shown and as patterns name them.

    tokens[3].balance            a field of an item by its position
    tokens[id=0x12].balance      of the item whose field `id` has that text
    tokens.balance               of every item: a pattern need not name items
    tokens[*].balance            the same
    *.balance                    in each field of the top
    **.balance                   at any depth
    balance                      likewise: a name alone is that field wherever it is
    $.balance                    at the top and nowhere else

Where items have ids, they are named by them, and not by their positions. A name that is none in
GraphQL is written as JSON: `["a.b"].balance`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Self

from .errors import RecordInvalid

__all__ = ["ById", "Path", "Pattern", "path_text"]


@dataclass(frozen=True, slots=True)
class ById:
    """An item of a list, by the text of its field `id`."""

    id: str


Path = tuple[str | int | ById, ...]
"""Field names, positions in lists and ids of items, outermost first."""


class _Any(Enum):
    """What a pattern may have in place of a step."""

    FIELD = auto()
    ITEM = auto()
    DEPTH = auto()


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:/-]+")
_STEP = re.compile(
    r"""\.?(?:(?P<any>\*\*?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*))
    | (?P<item>\[\*\])
    | \[(?P<index>[0-9]+)\]
    | \[id=(?P<id>[^"\]][^\]]*)\]
    | \[id=(?P<quoted_id>"(?:[^"\\]|\\.)*")\]
    | \[(?P<quoted>"(?:[^"\\]|\\.)*")\]""",
    re.VERBOSE,
)


def path_text(path: Path) -> str:
    """Return a path as users read it; the value itself is `$`."""
    parts: list[str] = []
    for step in path:
        match step:
            case ById(id=text):
                shown = text if _PLAIN_ID.fullmatch(text) else json.dumps(text)
                parts.append(f"[id={shown}]")
            case int():
                parts.append(f"[{step}]")
            case _ if _PLAIN.fullmatch(step):
                parts.append(f".{step}" if parts else step)
            case _:
                parts.append(f"[{json.dumps(step)}]")
    return "".join(parts) or "$"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which places a text names; see the module."""

    steps: tuple[str | int | ById | _Any, ...]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a pattern.

        Raises:
            RecordInvalid: it is none.
        """
        anchored = text.startswith(("$.", "$["))
        rest = text.removeprefix("$") if anchored else text
        if rest.startswith(".") and not anchored:
            raise _unreadable(text, at=0)
        steps: list[str | int | ById | _Any] = []
        position = 0
        while position < len(rest):
            found = _STEP.match(rest, position)
            needs_dot = position > 0 and found is not None and (found["any"] or found["name"])
            if found is None or (needs_dot and not found[0].startswith(".")):
                raise _unreadable(text, at=position + len(text) - len(rest))
            steps.append(_step(found))
            position = found.end()
        if not steps:
            raise _unreadable(text, at=0)
        if not anchored and len(steps) == 1 and isinstance(steps[0], str):
            steps.insert(0, _Any.DEPTH)
        return cls(tuple(steps))

    def matches(self, path: Path) -> bool:
        """Tell whether it names the very place that a path leads to."""
        # Most places are told by their last step alone.
        last = self.steps[-1]
        if isinstance(last, str) and (not path or path[-1] != last):
            return False
        return _matches(self.steps, path)


def _step(found: re.Match[str]) -> str | int | ById | _Any:
    if found["any"]:
        return _Any.DEPTH if found["any"] == "**" else _Any.FIELD
    if found["item"]:
        return _Any.ITEM
    if found["index"]:
        return int(found["index"])
    if found["id"]:
        return ById(found["id"])
    if found["quoted_id"]:
        return ById(json.loads(found["quoted_id"]))
    return str(json.loads(found["quoted"])) if found["quoted"] else found["name"]


def _unreadable(text: str, *, at: int) -> RecordInvalid:
    return RecordInvalid(
        f'cannot read the path "{text}": it is none from character {at + 1} on',
        hint="paths are like tokens.balance, tokens[3].balance, tokens[id=0x1], *.blockNumber; "
        "a name alone is that field wherever it is",
    )


def _matches(steps: Sequence[object], path: Path) -> bool:
    @cache
    def rest_matches(step_at: int, path_at: int) -> bool:
        if step_at == len(steps):
            return path_at == len(path)
        step = steps[step_at]
        if step is _Any.DEPTH and rest_matches(step_at + 1, path_at):
            return True
        if path_at == len(path):
            return False
        place = path[path_at]
        if step is _Any.DEPTH:
            return rest_matches(step_at, path_at + 1)
        if _fits(step, place) and rest_matches(step_at + 1, path_at + 1):
            return True
        # Items need not be named before a field.
        is_field = isinstance(step, str) or step is _Any.FIELD
        return is_field and not isinstance(place, str) and rest_matches(step_at, path_at + 1)

    return rest_matches(0, 0)


def _fits(step: object, place: str | int | ById) -> bool:
    if step is _Any.FIELD:
        return isinstance(place, str)
    if step is _Any.ITEM:
        return not isinstance(place, str)
    return step == place
