"""The regular expressions that users write, searched for in time linear in the text.

Python's own engine tries all ways a text may be cut up: `(a+)+$` on forty letters takes it longer
than anybody waits, and nothing else runs meanwhile. RE2 reads the text once, and lets other threads
run. What it cannot do is refused with a remedy when a pattern is compiled. It is imported then and
no sooner. Source: ADR-0018.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re2

__all__ = ["Pattern", "PatternError", "compile_pattern"]

_MEMORY_BYTES = 1024 * 1024
"""Of one compiled pattern; it bounds the steps for each byte of a text too, to about 16,000."""

_STEPS_AT_ONCE = 100_000
"""So many steps take less than a millisecond."""

# What would see beyond its line: the text's own ends, flags that are turned off, a single byte.
_LOOKS_BEYOND_LINES = re.compile(r"\\[AzC]|\(\?[a-zA-Z]*-")

# The parts that a pattern is read in; the one that is wanted is its group.
_PARTS = re.compile(
    r"""
    \\Q .*? (?: \\E | \Z )                              # text that stands for itself
    | \\ .
    | \[ \^? \]? (?: \\ . | \[:\^?\w+:\] | [^\]\\] )*   # a class; a first ] is one of its letters
    | ( \{,\d+\} )
    | .
    """,
    re.DOTALL | re.VERBOSE,
)

_ENGINE_SAID = (
    (
        re.compile(r"invalid perl operator: \(\?<?[=!]"),
        "uses look-around",
        "search for what is there, without what must or must not stand beside it",
    ),
    (
        re.compile(r"invalid escape sequence: \\[1-9]"),
        "refers back to one of its groups",
        "write what the group matches again",
    ),
    (
        re.compile(r"invalid perl operator: \(\?P"),
        "has half a named group, or refers back to one",
        "write (?P<name>x); where it is referred to, write what it matches again",
    ),
    (
        re.compile(r"bad repetition operator: (?:[*+?]|\{.*\})\+|invalid perl operator: \(\?>"),
        "has a possessive or atomic part",
        "write it without: nothing is tried twice, so it costs nothing",
    ),
    (
        re.compile(r"invalid escape sequence: \\Z"),
        "has \\Z",
        "write \\z for the end of the text",
    ),
    (
        re.compile(r"invalid escape sequence: \\[uUN]"),
        "has a character by its number or name",
        "write \\x{2713} for the character U+2713",
    ),
    (
        re.compile(r"invalid perl operator: \(\?\("),
        "has a condition",
        "write both cases, with | between them",
    ),
    (
        re.compile(r"invalid perl operator: \(\?[#a-zA-Z]"),
        "has a flag or comment",
        "the flags are i, m, s and U; leave others and comments out",
    ),
    (
        re.compile(r"invalid repetition size"),
        "repeats something in a way that cannot be",
        "the smaller number comes first, and 1000 is the largest, nested ones together",
    ),
    (
        re.compile(r"pattern too large"),
        "is too large",
        "repeat things less often",
    ),
)


class PatternError(ValueError):
    """A pattern cannot be searched for; `str()` goes on after its name: "is no …", "uses …".

    Attributes:
        hint: what to write instead, or None.
    """

    def __init__(self, problem: str, *, hint: str | None = None) -> None:
        super().__init__(problem)
        self.hint = hint


class Pattern:
    r"""A compiled pattern; made by `compile_pattern`.

    Bytes are searched as UTF-8. Those that are none count as one unknown character each.

    Attributes:
        text: as the user wrote it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._engine = _compiled(text)
        self._size = self._engine.programsize

    def is_in(self, text: str | bytes) -> bool:
        """Tell whether it is found; `$` stands at the end and before a newline at the end."""
        data = _searchable(text)
        if self._engine.search(data) is not None:
            return True
        return data.endswith(b"\n") and self._engine.search(data[:-1]) is not None

    def is_costly(self, text: str | bytes) -> bool:
        """Tell whether searching may take so long that it belongs into a worker thread."""
        return self._size * len(text) > _STEPS_AT_ONCE

    async def is_found(self, text: str | bytes) -> bool:
        """Tell whether it is found, like `is_in`; in the event loop's thread if that is quick."""
        if not self.is_costly(text):
            return self.is_in(text)
        from anyio import to_thread

        return await to_thread.run_sync(self.is_in, text)

    def value_in(self, text: str) -> str | None:
        """Return the first group of the first match, else the whole of it; None: no match.

        `^` and `$` stand at each line's ends too.
        """
        match = _compiled(f"(?m){self.text}", captures=True).search(_searchable(text))
        if match is None:
            return None
        found = match.group(1) if self._groups else match.group()
        return (found or b"").decode("utf-8", "replace")

    def lines_in(self, text: bytes) -> list[bytes]:
        """Return the lines it is found in, without their newlines.

        Seldom found, it costs hardly more than reading the text: lines are not looked at one by one
        unless they must be.
        """
        if not self._looks_beyond and _is_utf8(text):
            return self._lines_at_once(text)
        return [line for line in text.removesuffix(b"\n").split(b"\n") if self.is_in(line)]

    def _lines_at_once(self, text: bytes) -> list[bytes]:
        engine = _compiled(f"(?m){self.text}", within_lines=True)
        lines: list[bytes] = []
        begin, end = 0, len(text.removesuffix(b"\n"))
        while begin <= end:
            match = engine.search(text, begin, end)
            if match is None:
                break
            at = match.start()
            first = text.rfind(b"\n", begin, at) + 1 or begin
            last = text.find(b"\n", at, end)
            last = end if last < 0 else last
            lines.append(text[first:last])
            begin = last + 1
        return lines

    @functools.cached_property
    def _looks_beyond(self) -> bool:
        return _LOOKS_BEYOND_LINES.search(self.text) is not None

    @functools.cached_property
    def _groups(self) -> int:
        return _compiled(self.text, captures=True).groups


def compile_pattern(text: str) -> Pattern:
    """Compile a user's pattern: RE2's syntax.

    Raises:
        PatternError: it is no pattern, or asks for what cannot be done in linear time.
    """
    if (gap := _open_repetition(text)) is not None:
        raise PatternError(
            f"has {gap}, which would be searched as text", hint=f"write {{0{gap[1:]}"
        )
    return Pattern(text)


def _compiled(
    text: str, *, captures: bool = False, within_lines: bool = False
) -> re2._Regexp[bytes]:
    """Compile for searching in bytes."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    options.never_capture = not captures
    options.never_nl = within_lines
    try:
        return re2.compile(text.encode(), options)
    except UnicodeEncodeError:
        raise PatternError("is no text in UTF-8") from None
    except re2.error as error:
        (said,) = error.args
        raise _explained(said.decode("utf-8", "replace")) from None


def _explained(said: str) -> PatternError:
    for engine_said, problem, hint in _ENGINE_SAID:
        if engine_said.search(said):
            what = said.partition(": ")[2]
            return PatternError(f"{problem} ({what})" if what else problem, hint=hint)
    return PatternError(f"is no regular expression: {said}")


def _open_repetition(text: str) -> str | None:
    """Return the first `{,3}`, which others read as `{0,3}` and the engine as four characters."""
    return next((part[1] for part in _PARTS.finditer(text) if part[1]), None)


def _searchable(text: str | bytes) -> bytes:
    """Return UTF-8: the engine finds no other bytes, not even as "any character"."""
    if isinstance(text, str):
        return text.encode("utf-8", "replace")
    return text if _is_utf8(text) else text.decode("utf-8", "replace").encode()


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
