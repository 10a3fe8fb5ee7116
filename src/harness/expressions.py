"""Expressions of workflows: CEL, compiled and evaluated by a library, with errors in our words.

CEL sees the values it is given and nothing of Python, and has no loops but macros over lists. Those
may not be nested here, and what they may have to copy is estimated before they run: an evaluation
holds up the whole daemon, and cannot be interrupted (ADR-0029). The library is imported with the
first expression.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

__all__ = ["Expression", "ExpressionError", "compile_expression"]

MAX_LENGTH = 4_000
"""Characters of one expression."""

MAX_WORK = 20_000_000
"""Parts of values that one evaluation may have to copy, by estimate: about a second."""

_OPAQUE = re.compile(
    r"""
    //[^\n]*
    | (?<!\w) [bB]?[rR][bB]? (?: \"{3}.*?\"{3} | '{3}.*?'{3} | \"[^\"]*\" | '[^']*' )
    | \"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3}
    | \"(?:\\.|[^\"\\])*\" | '(?:\\.|[^'\\])*'
    """,
    re.DOTALL | re.VERBOSE,
)
"""Comments and texts, in which nothing means anything."""
_MACRO = re.compile(r"\.\s*(map|filter|all|exists|exists_one|existsOne)\s*\(\s*([A-Za-z_]\w*)\s*,")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_TEXT_PART = 64  # characters that are copied as fast as one value
_PLACE = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")
_KEY = re.compile(r"\.\s*([A-Za-z_]\w*)|\[\s*(?:\"([^\"]*)\"|'([^']*)')\s*\]")

_PATH = re.compile(r"\s*([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*|\[(?:\"[^\"\\]*\"|'[^'\\]*'|\d+)\])*)\s*")
"""A name and what is taken from it, and nothing else."""
_STEP = re.compile(r"\.(\w+)|\[\"([^\"]*)\"\]|\['([^']*)'\]|\[(\d+)\]")


class ExpressionError(ValueError):
    """An expression cannot be understood, or has no value.

    Attributes:
        offset: where in the expression, if that is known; else 0.
    """

    def __init__(self, message: str, *, offset: int = 0) -> None:
        self.offset = offset
        super().__init__(message)


class _Macro(NamedTuple):
    """One walk over a list.

    Attributes:
        at: where it begins.
        item: the name that it binds.
        items: how often its body uses the item.
        others: how often its body uses other names.
    """

    at: int
    kind: str
    item: str
    items: int
    others: int


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
    _macros: tuple[_Macro, ...] = field(default=(), repr=False)
    _fanout: int = field(default=1, repr=False)
    _uses: Mapping[str, int] = field(default_factory=dict, repr=False)
    _path: tuple[str | int, ...] = field(default=(), repr=False)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Return its value, JSON values, over values by name.

        Raises:
            ExpressionError: it has none, or could take very long.
        """
        if self._path:
            found = _taken(values, self._path)
            if found is not _MISSING:
                return _json(found)
        if self._macros or self._fanout > 1:
            self._check_work(values)
        try:
            return _json(self._program.execute(dict(values)))
        except KeyError as error:
            cause = f'there is no "{error.args[0]}"'
        except IndexError as error:
            cause = str(error)
        except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
            cause = str(error).partition(" Check that ")[0].rstrip(".")
        raise ExpressionError(f"{self.source} has no value: {cause[:1].lower()}{cause[1:]}")

    def _check_work(self, values: Mapping[str, Any]) -> None:
        """Refuse what could hold up the daemon.

        The library copies a list for each item that `map` and `filter` add to it.
        """
        given, longest = self._size(values)
        length = max(longest, 1) * self._fanout
        size = work = given * self._fanout
        for macro in self._macros:
            work += length * macro.others * given
            if macro.kind == "map":
                size = length * macro.others * given + max(macro.items, 1) * size
            if macro.kind in ("map", "filter"):
                work += length * size
        if work > MAX_WORK:
            raise ExpressionError(
                f"{self.source} could take too long: it is about {given} values, and lists of"
                f" {longest}; have a command make less of them first"
            )

    def _size(self, values: Mapping[str, Any]) -> tuple[int, int]:
        """Return how many values it is about, and the length of the longest list of them."""
        found = []
        for name, value in values.items():
            keys = self.keys.get(name, ())
            if isinstance(value, Mapping) and len(keys) == self._uses.get(name):
                found += [_extent(value[key]) for key in {key for key, _ in keys} if key in value]
            else:
                found.append(_extent(value))
        return sum(size for size, _ in found), max((length for _, length in found), default=0)


@lru_cache(maxsize=1024)
def compile_expression(source: str) -> Expression:
    """Return an expression, ready to be evaluated.

    Raises:
        ExpressionError: it is no expression, or one that could take long.
    """
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"an expression has at most {MAX_LENGTH} characters")
    if not source.strip():
        raise ExpressionError("it is empty")
    bare = _OPAQUE.sub(_blank, source)
    macros = _macros_of(bare)
    try:
        program = _library().compile(source)
    except ValueError as error:
        raise _syntax(source, str(error)) from None
    names = frozenset(program.variables()) - {macro.item for macro in macros}
    keys = {name: _keys_of(name, source, bare) for name in names}
    fanout = 1 + bare.count(",") + bare.count("+") - len(macros)
    uses = Counter(_NAME.findall(bare))
    return Expression(source, names, keys, program, macros, fanout, uses, _path_of(source))


@cache
def _library() -> ModuleType:
    """Import CEL without the command line that its package imports first: 0.2 s, for nobody."""
    command_line = "cel.cli"
    sys.modules.setdefault(command_line, ModuleType(command_line))
    try:
        return import_module("cel")
    finally:
        sys.modules.pop(command_line, None)  # another thread that came here, too, may have done it


_MISSING = object()


def _path_of(source: str) -> tuple[str | int, ...]:
    """Return what an expression takes from what, where it does nothing else.

    Its value is then the very one that there is. CEL's numbers have 64 bits, and the library rounds
    larger ones without a word, as amounts of tokens are.
    """
    whole = _PATH.fullmatch(source)
    if whole is None:
        return ()
    steps = _STEP.findall(whole[2])
    return (whole[1], *(int(at) if at else name or one or two for name, one, two, at in steps))


def _taken(values: Mapping[str, Any], path: tuple[str | int, ...]) -> Any:
    """Return what a path leads to; `_MISSING` where CEL is to say why there is nothing."""
    value: Any = values
    for step in path:
        if isinstance(step, str):
            is_there = isinstance(value, Mapping) and step in value
        else:
            is_there = isinstance(value, list | tuple) and step < len(value)
        if not is_there:
            return _MISSING
        value = value[step]
    return value


def _blank(found: re.Match[str]) -> str:
    """Return as many characters that mean nothing."""
    size = len(found[0])
    return " " * size if found[0].startswith("//") else '"' + "_" * (size - 2) + '"'


def _macros_of(bare: str) -> tuple[_Macro, ...]:
    """Return the macros in order; refuse one inside another."""
    end, macros = 0, []
    for found in _MACRO.finditer(bare):
        if found.start() < end:
            raise ExpressionError(
                "a map, filter, all or exists may not stand inside another", offset=found.start()
            )
        end = _closing(bare, bare.index("(", found.start()))
        used = _NAME.findall(bare[found.end() : end])
        items = used.count(found[2])
        macros.append(_Macro(found.start(), found[1], found[2], items, len(used) - items))
    return tuple(macros)


def _extent(value: Any) -> tuple[int, int]:
    """Return how many values a JSON value is made of, and the length of its longest list."""
    size, longest, waiting = 0, 0, [value]
    while waiting:
        one = waiting.pop()
        size += 1
        if isinstance(one, str):
            size += len(one) // _TEXT_PART
        elif isinstance(one, Mapping | list | tuple):
            longest = max(longest, len(one))
            waiting += one.values() if isinstance(one, Mapping) else one
    return size, longest


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
