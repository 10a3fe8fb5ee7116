"""The grammar of the `${…}` language: parse it, and list what it names.

    ${NAME}  ${NAME:-word}  ${NAME-word}  ${NAME:?word}  ${NAME?word}  ${NAME:+word}  ${NAME+word}
    ${unit.property}  ${unit.ports.NAME}  ${tasks.NAME.outputs.KEY}  ${project.name}
    ${secrets.NAME}  ${harness.python}
    $$ is one dollar sign; a dollar sign before anything else stays as it is.

Operators mean what they mean in a POSIX shell (XCU 2.6.2): with the colon an empty variable counts
as unset. A word may hold `${…}` again, and ends at the first `}` that none of them needs. Only a
bare dotted name is a reference: `${HOST:-0.0.0.0}` is a variable with a default. A dash may be part
of a unit's name, so `${my-db.port}` is a reference; `${HOST-example.com}`, which does not end in a
known property, is a variable. This file knows the grammar, not what the names stand for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

__all__ = [
    "PROPERTIES",
    "InterpolationSyntaxError",
    "Part",
    "Reference",
    "Variable",
    "expressions",
    "parse",
    "references",
    "split_words",
]

PROPERTIES = ("ip", "host", "port", "ports", "url", "urls", "pid", "container", "data_dir")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+(?:/udp)?)+(?=\})")
_OPERATOR = re.compile(r":?[-?+]")
_OPENING = re.compile(r"\$[{$]")
_CHUNK = re.compile(r"[^$}]+")


class InterpolationSyntaxError(ValueError):
    """A `${…}` that is not well formed: what is wrong, and at which `offset` of the text."""

    def __init__(self, message: str, *, offset: int) -> None:
        self.offset = offset
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """`${name}`, with an operator (`-`, `?`, `+`, each with or without a colon) and its word."""

    name: str
    operator: str = ""
    word: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """`${a.b.c}`: `path` is its parts."""

    path: tuple[str, ...]


Part = str | Variable | Reference


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Part, ...]:
    """Split text into literal strings, variables and references.

    Raises:
        InterpolationSyntaxError: a `${` without its `}`, or one that holds no name.
    """
    parts, _ = _parts(text, 0, nested=False)
    return parts


def _parts(text: str, at: int, *, nested: bool) -> tuple[tuple[Part, ...], int]:
    """Parse from `at` to the end, or, nested, to the `}` that ends the word."""
    parts: list[Part] = []
    literal: list[str] = []
    while at < len(text):
        if nested and text[at] == "}":
            break
        if text.startswith("$$", at):
            literal.append("$")
            at += 2
        elif text.startswith("${", at):
            if literal:
                parts.append("".join(literal))
                literal = []
            part, at = expression_at(text, at)
            parts.append(part)
        else:
            chunk = _CHUNK.match(text, at)
            literal.append(chunk[0] if chunk else text[at])
            at = chunk.end() if chunk else at + 1
    if literal:
        parts.append("".join(literal))
    return tuple(parts), at


def expression_at(text: str, start: int) -> tuple[Variable | Reference, int]:
    """Parse the `${…}` that begins at `start`; return it and the place after it.

    Raises:
        InterpolationSyntaxError: it is none of this language.
    """
    at = start + 2
    dotted = _DOTTED.match(text, at)
    name = _NAME.match(text, at)
    if dotted and (_has_known_shape(dotted[0]) or name is None or text[name.end()] == "."):
        return Reference(path=tuple(dotted[0].split("."))), dotted.end() + 1
    if name is None:
        raise InterpolationSyntaxError(
            f"{_excerpt(text, start)} holds no name of a variable or unit; write $${{ for a "
            "literal ${",
            offset=start,
        )
    at = name.end()
    operator = _OPERATOR.match(text, at)
    word: tuple[Part, ...] = ()
    if operator:
        word, at = _parts(text, operator.end(), nested=True)
    if at >= len(text):
        raise InterpolationSyntaxError(f"{_excerpt(text, start)} has no closing }}", offset=start)
    if text[at] != "}":
        raise InterpolationSyntaxError(
            f'{_excerpt(text, start)} has "{text[at]}" after its name; after a name come }}, :-, '
            "-, :?, ?, :+ or +; write $${ for a literal ${",
            offset=start,
        )
    return Variable(name=name[0], operator=operator[0] if operator else "", word=word), at + 1


def _has_known_shape(dotted: str) -> bool:
    match dotted.split("."):
        case ["tasks", _, "outputs", _, *_] | ["secrets", _]:
            return True
        case ["project", "name"] | ["harness", "python"]:
            return True
        case [_, "ports" | "urls", _]:
            return True
        case [_, last]:
            return last in PROPERTIES
        case _:
            return False


def _excerpt(text: str, start: int) -> str:
    rest = text[start : start + 40].split("\n", 1)[0]
    end = rest.find("}")
    return f'"{rest[: end + 1] if end >= 0 else rest}"'


def references(text: str) -> tuple[Variable | Reference, ...]:
    """Return every variable and reference the text names, in order, those inside words too.

    Raises:
        InterpolationSyntaxError: the text is not well formed.
    """
    return tuple(_walk(parse(text)))


def _walk(parts: tuple[Part, ...]) -> Iterator[Variable | Reference]:
    for part in parts:
        if isinstance(part, str):
            continue
        yield part
        if isinstance(part, Variable):
            yield from _walk(part.word)


def expressions(text: str) -> Iterator[tuple[int, str | InterpolationSyntaxError]]:
    """Yield each outermost `${…}` with its offset: as written, or what is wrong with it.

    After one that is not well formed the search goes on behind its `${`.
    """
    at = 0
    while opening := _OPENING.search(text, at):
        start, at = opening.span()
        if opening[0] == "${":
            try:
                _, at = expression_at(text, start)
                yield start, text[start:at]
            except InterpolationSyntaxError as error:
                yield error.offset, error
                at = error.offset + 2


# ── words ─────────────────────────────────────────────────────────────────────────────────────────


def split_words(text: str) -> tuple[str, ...]:
    """Split a command line into words as a shell would, `${…}` and `$$` left whole and unresolved.

    A value with spaces therefore stays one word when it is resolved later.

    Raises:
        ValueError: a quotation mark or a `${` is not closed.
    """
    import shlex

    kept: list[str] = []

    def keep(source: str) -> str:
        kept.append(source)
        return chr(0xF0000 + len(kept) - 1)  # private use: no shell character, no white space

    lexer = shlex.shlex(_replace_expressions(text, keep), posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    return tuple(
        "".join(
            kept[ord(char) - 0xF0000] if 0 <= ord(char) - 0xF0000 < len(kept) else char
            for char in word
        )
        for word in lexer
    )


def _replace_expressions(text: str, keep: Callable[[str], str]) -> str:
    result: list[str] = []
    at = 0
    while at < len(text):
        if text.startswith("${", at):
            _, end = expression_at(text, at)
            result.append(keep(text[at:end]))
            at = end
        elif text.startswith("$$", at):
            result.append(keep("$$"))
            at += 2
        else:
            result.append(text[at])
            at += 1
    return "".join(result)
