"""Compares two JSON values field by field.

It knows nothing of subgraphs and of where the values come from. Two numbers are the same when
they are equal, whether they are written with a fraction or not; true is no number. Lists of objects
that all have an `id` of their own are compared item by id, in whatever order, unless that is asked
for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Self

from .paths import ById, Path, Pattern, path_text

__all__ = ["Change", "Comparison", "Difference", "Rules", "compare", "summary_of"]

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SHOWN = 10
_SHOWN_VALUE = 80
_LIMIT = 1_000


class Change(StrEnum):
    """What a difference is."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where two values differ.

    Attributes:
        path: where, such as `tokens[id=0x1].balance`.
        change: the value is another one, is missing in the second, or only there.
        before: the first's value; None where it has none, and where it is null: `change` tells.
        after: the second's, likewise.
    """

    path: str
    change: Change
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What counts as a difference.

    Attributes:
        ignore: fields and paths that do not, with all that is below them; see `paths`.
        ordered: the order of lists counts, also where items have ids.
        numeric_text: texts that are decimal numbers, such as "1" and "1.0", are what they say.
    """

    ignore: Sequence[str] = ()
    ordered: bool = False
    numeric_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a comparison has found.

    Attributes:
        equal: nothing differs.
        count: how many differences there are.
        differences: the first of them, in the order of the first value.
        summary: the first few in words, a line each; empty when nothing differs.
    """

    equal: bool
    count: int
    differences: tuple[Difference, ...]
    summary: str

    @classmethod
    def of(cls, differences: Sequence[Difference], *, limit: int = _LIMIT) -> Self:
        """Put differences together; at most `limit` of them are kept one by one."""
        return cls(
            equal=not differences,
            count=len(differences),
            differences=tuple(differences[:limit]),
            summary=summary_of(differences),
        )


def compare(before: Any, after: Any, rules: Rules = Rules()) -> tuple[Difference, ...]:
    """Return where two JSON values differ.

    They are in the order of the first value, then what only the second has, at every level.

    Args:
        before: the first value.
        after: the second.
        rules: what counts as a difference.

    Raises:
        RecordInvalid: a path of `rules.ignore` is none.
    """
    found: list[Difference] = []
    comparer = _Comparer(rules)
    # A stack of its own: values may be nested deeper than calls can be.
    left = [_Pair((), before, after)]
    while left:
        pair = left.pop()
        if comparer.ignores(pair.path) or comparer.is_same(pair.before, pair.after):
            continue
        parts = comparer.parts(pair)
        if parts is None:
            found.append(_difference(pair))
        else:
            left.extend(reversed(list(parts)))
    return tuple(found)


def summary_of(differences: Sequence[Difference], *, shown: int = _SHOWN) -> str:
    """Return the first few differences in words, a line each, and how many there are besides."""
    lines = [_line(difference) for difference in differences[:shown]]
    if len(differences) > shown:
        lines.append(f"and {len(differences) - shown} more")
    return "\n".join(lines)


class _Nothing:
    """Stands for a value that is not there, which null is not."""


_NOTHING = _Nothing()


@dataclass(frozen=True, slots=True)
class _Pair:
    path: Path
    before: Any
    after: Any


class _Comparer:
    """Knows the rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._ignored = [Pattern.read(text) for text in rules.ignore]

    def ignores(self, path: Path) -> bool:
        return any(pattern.matches(path) for pattern in self._ignored)

    def is_same(self, before: Any, after: Any) -> bool:
        """Tell whether two values are the same; of what has parts only whether both are nothing."""
        match before, after:
            case (_Nothing(), _) | (_, _Nothing()):
                return before is after
            case (bool() | None, _) | (_, bool() | None):
                return before is after
            case str(), str() if before == after:
                return True
            case (int() | float(), int() | float()):
                return before == after or (_is_nan(before) and _is_nan(after))
            case (str() | int() | float(), str() | int() | float()) if self._rules.numeric_text:
                one, other = _number(before), _number(after)
                return one is not None and one == other
            case _:
                return False

    def parts(self, pair: _Pair) -> Iterator[_Pair] | None:
        """Return what is below two values of the same shape; None: they are compared as wholes."""
        match pair.before, pair.after:
            case dict(), dict():
                return _fields(pair)
            case list() | tuple(), list() | tuple():
                return self._items(pair)
            case _:
                return None

    def _items(self, pair: _Pair) -> Iterator[_Pair]:
        before, after = pair.before, pair.after
        # Items whose ids are ignored are told apart by their places.
        by_id = not self._rules.ordered and not self.ignores((*pair.path, 0, "id"))
        ones = _by_id(before) if by_id else None
        others = _by_id(after) if by_id else None
        if ones is None or others is None:
            for index in range(max(len(before), len(after))):
                one = before[index] if index < len(before) else _NOTHING
                other = after[index] if index < len(after) else _NOTHING
                yield _Pair((*pair.path, index), one, other)
            return
        for text in ones | others:
            path = (*pair.path, ById(text))
            yield _Pair(path, ones.get(text, _NOTHING), others.get(text, _NOTHING))


def _fields(pair: _Pair) -> Iterator[_Pair]:
    for name in pair.before | pair.after:
        one, other = pair.before.get(name, _NOTHING), pair.after.get(name, _NOTHING)
        yield _Pair((*pair.path, name), one, other)


def _by_id(items: Sequence[Any]) -> dict[str, Any] | None:
    """Return a list's items by their ids; None: not all are objects with an id of their own."""
    found: dict[str, Any] = {}
    for item in items:
        if not isinstance(item, dict):
            return None
        key = item.get("id")
        if isinstance(key, bool) or not isinstance(key, str | int) or str(key) in found:
            return None
        found[str(key)] = item
    return found


def _is_nan(value: float) -> bool:
    return value != value


def _number(value: str | float) -> Decimal | None:
    """Return the number that a value is or that its text says; None: none."""
    text = value if isinstance(value, str) else repr(value)
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:
        return None


def _difference(pair: _Pair) -> Difference:
    match pair.before, pair.after:
        case _Nothing(), _:
            change, before, after = Change.ADDED, None, pair.after
        case _, _Nothing():
            change, before, after = Change.MISSING, pair.before, None
        case _:
            change, before, after = Change.CHANGED, pair.before, pair.after
    return Difference(path=path_text(pair.path), change=change, before=before, after=after)


def _line(difference: Difference) -> str:
    match difference.change:
        case Change.CHANGED:
            said = f"{_value(difference.before)} became {_value(difference.after)}"
        case Change.MISSING:
            said = f"is missing; it was {_value(difference.before)}"
        case Change.ADDED:
            said = f"is new: {_value(difference.after)}"
    return f"{difference.path}: {said}"


def _value(value: Any) -> str:
    """Return a value for one line, cut where it is long."""
    text = json.dumps(value)
    return text if len(text) <= _SHOWN_VALUE else f"{text[: _SHOWN_VALUE - 1]}…"
