"""POSIX shell quoting: the only place that turns an argument list into a shell's text."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

__all__ = ["join", "quote"]


def quote(word: str) -> str:
    """Quote one word so that every POSIX shell reads it back as that word."""
    return shlex.quote(word)


def join(words: Iterable[str]) -> str:
    """Quote every word, the program's name too, and put blanks between them."""
    return " ".join(shlex.quote(word) for word in words)
