"""Texts with `${…}` in workflows: what the stack file's own language can say, or an expression.

`${db.url}`, `${secrets.KEY}` and `${NAME:-default}` are what they are everywhere. Anything else,
and what begins with a root such as `params` or `steps`, is an expression. A text that is one `${…}`
and nothing else has that value as it is, so that lists and objects stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from .grammar import InterpolationSyntaxError, Reference, Variable, expression_at

__all__ = ["ROOTS", "Hole", "as_text", "holes", "render", "split_command"]

ROOTS = (
    "params", "vars", "steps", "services", "tasks", "item", "index", "event", "error",
)  # fmt: skip
"""Names that expressions know; `for_each` may add one."""

_PRIVATE = 0xF0000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """One `${…}` of a text.

    Attributes:
        text: as written, with `${` and `}`.
        offset: of its `${`.
        stack: what it is in the stack file's language; None: it is an expression.
    """

    text: str
    offset: int
    stack: Variable | Reference | None = None

    @property
    def source(self) -> str:
        """What stands between `${` and `}`."""
        return self.text[2:-1]


def holes(text: str, roots: Collection[str] = ROOTS) -> tuple[str | Hole, ...]:
    """Split a text into literal parts and what is to be put in.

    Raises:
        InterpolationSyntaxError: a `${` has no `}`.
    """
    parts: list[str | Hole] = []
    literal, at = "", 0
    while at < len(text):
        if text.startswith("$$", at):
            literal, at = f"{literal}$", at + 2
        elif text.startswith("${", at):
            parts += [literal] if literal else []
            hole = _hole(text, at, roots)
            parts.append(hole)
            literal, at = "", at + len(hole.text)
        else:
            literal, at = literal + text[at], at + 1
    return (*parts, literal) if literal or not parts else tuple(parts)


def render(text: str, value: Callable[[Hole], Any], roots: Collection[str] = ROOTS) -> Any:
    """Return the text with its holes filled; the value itself where it is one hole and no more."""
    if "$" not in text:
        return text
    parts = holes(text, roots)
    if len(parts) == 1 and isinstance(parts[0], Hole):
        return value(parts[0])
    return "".join(part if isinstance(part, str) else as_text(value(part)) for part in parts)


def split_command(text: str) -> tuple[str, ...]:
    """Split a command line into words as a shell would, every `${…}` left whole.

    Raises:
        ValueError: a quotation mark or a `${` is not closed.
    """
    import shlex

    kept: list[str] = []
    plain = ""
    for part in holes(text):
        if isinstance(part, str):
            plain += part
        else:
            plain += chr(_PRIVATE + len(kept))
            kept.append(part.text)
    return tuple(
        "".join(
            kept[ord(char) - _PRIVATE]
            if 0 <= ord(char) - _PRIVATE < len(kept)
            else char.replace("$", "$$")
            for char in word
        )
        for word in shlex.split(plain)
    )


def _end(text: str, start: int) -> int:
    """Return the place after the `}` that ends what begins at `start`; texts and braces count."""
    depth, quote, at = 1, "", start + 2
    while at < len(text):
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "{}":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return at + 1
        at += 1
    excerpt = text[start : start + 40].split("\n", 1)[0]
    raise InterpolationSyntaxError(f'"{excerpt}" has no closing }}', offset=start)


def _hole(text: str, at: int, roots: Collection[str]) -> Hole:
    """Return what begins at a place; where it ends is said by the language that it is of."""
    try:
        only, end = expression_at(text, at)
    except InterpolationSyntaxError:
        only, end = None, 0
    if only is None or _is_expression(only, roots):
        return Hole(text=text[at : _end(text, at)], offset=at)
    return Hole(text=text[at:end], offset=at, stack=only)


def _is_expression(only: Variable | Reference, roots: Collection[str]) -> bool:
    root = only.name if isinstance(only, Variable) else only.path[0]
    is_output = isinstance(only, Reference) and only.path[0] == "tasks" and "outputs" in only.path
    return (root in roots and not is_output) or root in ("true", "false", "null")


def as_text(value: Any) -> str:
    """Return a value as it stands inside a text: what is no text as JSON."""
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
