"""Where words go.

Answers to stdout, everything else to stderr, colours only where they are wanted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click

from .options import GlobalOptions

__all__ = ["Output"]

_STYLES: Mapping[str, str] = {
    "good": "\x1b[32m",
    "bad": "\x1b[31m",
    "busy": "\x1b[33m",
    "dim": "\x1b[2m",
    "bold": "\x1b[1m",
}
_CLEAR = b"\x1b[H\x1b[2J"
_RESET = "\x1b[0m"


class Output:
    """The two streams of one run, as its options want them."""

    def __init__(self, options: GlobalOptions) -> None:
        self._options = options

    @property
    def json(self) -> bool:
        """Whether documents are wanted instead of text."""
        return self._options.json

    @property
    def quiet(self) -> bool:
        """Whether notes and progress are unwanted; with documents stderr is for an error only."""
        return self._options.verbosity < 0 or self._options.json

    @property
    def verbose(self) -> bool:
        """Whether details are wanted."""
        return self._options.verbosity > 0 and not self._options.json

    def colored(self, *, err: bool = False) -> bool:
        """Tell whether a stream gets colours."""
        if self._options.color != "auto":
            return self._options.color == "always"
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return (sys.stderr if err else sys.stdout).isatty()

    def size(self) -> tuple[int, int] | None:
        """Return columns and rows of the terminal that stdout is; None when it is none."""
        if not sys.stdout.isatty():
            return None
        try:
            size = os.get_terminal_size(sys.stdout.fileno())
        except (OSError, ValueError):
            return None
        return (size.columns, size.lines) if size.columns and size.lines else None

    def paint(self, text: str, style: str | None, *, err: bool = False) -> str:
        """Return the text in a style (good, bad, busy, dim, bold) where the stream gets colours."""
        return f"{_STYLES[style]}{text}{_RESET}" if style and self.colored(err=err) else text

    def pasteable(self, text: str) -> str:
        """Return advice whose commands, such as `harness why web`, act on this run's stack."""
        program = self._options.program.name
        text = text.replace("harness: ", f"{program}: ", 1) if text[:9] == "harness: " else text
        options = self._options.repeated(os.environ) if "harness " in text else ""
        # What is to be typed elsewhere is not about this run's options.
        is_about_another = "on the daemon's machine" in text
        if is_about_another or (not options and program == "harness"):
            return text
        import re

        from .table import COMMANDS

        words = f"{program} {options}".rstrip()
        # One that is told its state directory is about that daemon, not about this run's.
        told = r"""(\bHARNESS_STATE_DIR=(?:'[^']*'|"[^"]*"|[^\s'"])+ )?"""
        return re.sub(
            rf"{told}\bharness (?=({'|'.join(COMMANDS)})\b)",
            lambda found: found[0] if found[1] else f"{words} ",
            text,
        )

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines of the answer."""
        text = "\n".join(lines)
        if text:
            click.echo(text, color=True)

    def note(self, text: str) -> None:
        """Say something that is not the answer, unless told to be quiet."""
        if not self.quiet:
            click.echo(self.pasteable(text), err=True, color=True)

    def document(self, value: object) -> None:
        """Print one document."""
        import json

        click.echo(json.dumps(value, indent=2))

    def record(self, value: Mapping[str, Any]) -> None:
        """Print one of many documents, on its own line."""
        import json

        click.echo(json.dumps(value, separators=(",", ":")))

    def repaint(self, lines: Iterable[str]) -> None:
        """Show lines in place of all that the terminal shows."""
        self.write(_CLEAR)
        self.lines(lines)

    def write(self, data: bytes, *, err: bool = False) -> None:
        """Write bytes as they are, at once."""
        stream = (sys.stderr if err else sys.stdout).buffer
        stream.write(data)
        stream.flush()
