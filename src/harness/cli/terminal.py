"""This program's own terminal: its size, and the time in which another program has it.

In that time keys are handed over as they are typed, Ctrl-C among them, and nothing is echoed here.
"""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["RawTerminal", "is_interactive", "returned", "window"]

_UNKNOWN = {"columns": 80, "rows": 24}


def is_interactive() -> bool:
    """Tell whether somebody types at, and looks at, a terminal."""
    from .streams import STDIN

    return os.isatty(STDIN) and sys.stdout.isatty()


def window() -> dict[str, int]:
    """Return {columns, rows} of the terminal that is looked at, or what most have."""
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        with suppress(OSError, ValueError):
            size = os.get_terminal_size(stream.fileno())
            if size.columns and size.lines:
                return {"columns": size.columns, "rows": size.lines}
    return _UNKNOWN


class RawTerminal:
    """A terminal whose keys are handed over; a descriptor that is no terminal is left alone."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._before = termios.tcgetattr(fd) if os.isatty(fd) else None

    @property
    def is_there(self) -> bool:
        """Whether it is a terminal."""
        return self._before is not None

    def enter(self) -> None:
        """Hand keys over; again after a stop, since a shell has set it back by then."""
        if self._before is not None:
            import tty

            # Not the default of this function: what was typed ahead stays.
            tty.setraw(self._fd, termios.TCSANOW)

    def leave(self) -> None:
        """Set it back; nothing happens when the terminal is gone."""
        if self._before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self._fd, termios.TCSANOW, self._before)


@contextmanager
def returned(fd: int) -> Iterator[RawTerminal]:
    """Yield the terminal on this descriptor; set it back at the end, whatever ends it."""
    terminal = RawTerminal(fd)
    try:
        yield terminal
    finally:
        terminal.leave()
