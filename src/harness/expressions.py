"""Expressions of workflows: CEL, compiled and evaluated by a library, with errors in our words.

CEL sees the values it is given and nothing of Python, and has no loops but macros over lists. Those
may not be nested here, so that an evaluation's time grows with the size of its values only
(ADR-0029). The library is imported with the first expression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

__all__ = ["Expression", "ExpressionError", "compile_expression"]

MAX_LENGTH = 4_000
"""Characters of one expression."""

_TEXT = re.compile(r"""\"(?:\\.|[^"\\])*\"|'(?:\\.|[^'\\])*'""", re.DOTALL)
_MACRO = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one)\s*\(\s*([A-Za-z_]\w*)\s*,")
_PLACE = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")
_KEY = re.compile(r"\.\s*([A-Za-z_]\w*)|\[\s*(?:\"([^\"]*)\"|'([^']*)')\s*\]")


class ExpressionError(ValueError):
    """An expression cannot be understood, or has no value.

    Attributes:
        offset: where in the expression, if that is known; else 0.
    """

    def __init__(self, message: str, *, offset: int = 0) -> None:
        self.offset = offset
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression.

    Attributes:
        source: as it was written.
        names: what it needs values of, such as `params` and `steps`.
        keys: root, such as `steps` → the keys that it takes from it by name, with their offsets.
    """

    source: str
    names: frozenset[str]
    keys: Mapping[str, tuple[tuple[str, int], ...]]
    _program: Any = field(repr=False)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Return its value, JSON values, over values by name.

        Raises:
            ExpressionError: it has none.
        """
        try:
            return _json(self._program.execute(dict(values)))
        except KeyError as error:
            cause = f'there is no "{error.args[0]}"'
        except IndexError as error:
            cause = str(error)
        except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
            cause = str(error).partition(" Check that ")[0].rstrip(".")
        raise ExpressionError(f"{self.source} has no value: {cause[:1].lower()}{cause[1:]}")


@lru_cache(maxsize=1024)
def compile_expression(source: str) -> Expression:
    """Return an expression, ready to be evaluated.

    Raises:
        ExpressionError: it is no expression, or one that could take long.
    """
    import cel  # a quarter of a second, for those who have workflows

    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH} characters")
    if not source.strip():
        raise ExpressionError("it is empty")
    bare = _TEXT.sub(lambda found: '"' + "_" * (len(found[0]) - 2) + '"', source)
    bound = _check_macros(bare)
    try:
        program = cel.compile(source)
    except ValueError as error:
        raise _syntax(source, str(error)) from None
    names = frozenset(program.variables()) - bound
    return Expression(
        source, names, {name: _keys_of(name, source, bare) for name in names}, program
    )


def _check_macros(bare: str) -> frozenset[str]:
    """Return the names that macros bind; refuse one inside another."""
    end, names = 0, set()
    for found in _MACRO.finditer(bare):
        if found.start() < end:
            raise ExpressionError(
                "a map, filter, all or exists may not stand inside another", offset=found.start()
            )
        end = _closing(bare, bare.index("(", found.start()))
        names.add(found[1])
    return frozenset(names)


def _closing(text: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return len(text)


def _keys_of(name: str, source: str, bare: str) -> tuple[tuple[str, int], ...]:
    found = []
    for use in re.finditer(rf"(?<![\w.]){re.escape(name)}\b", bare):
        key = _KEY.match(source, use.end())
        if key is not None:
            found.append((key[1] or key[2] or key[3] or "", use.start()))
    return tuple(found)


def _syntax(source: str, text: str) -> ExpressionError:
    place = _PLACE.search(text)
    if place is None:
        return ExpressionError(f"{source} is no expression: {text.splitlines()[0]}")
    line, column, what = int(place[1]), int(place[2]), place[3]
    before = source.splitlines(keepends=True)[: line - 1]
    what = (
        re.sub(r" expecting \{.*", "", what).replace("'<EOF>'", "end").replace("<EOF>", "the end")
    )
    offset = min(sum(map(len, before)) + column - 1, len(source))
    return ExpressionError(f"{source} is no expression: {what}", offset=offset)


def _json(value: Any) -> Any:
    """Return JSON values; what CEL knows besides, such as a duration, becomes text."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
