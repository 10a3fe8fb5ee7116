"""The command line: it parses, calls the client, and prints.

`main` is the program. Everything a command needs is imported when that command runs, so that help
and completion stay fast.
"""

from __future__ import annotations

TYPE_CHECKING = False  # that of `typing`, whose import is most of what would come before `main`
if TYPE_CHECKING:
    from typing import NoReturn

    from .commands import Command, Group, async_command, session_command
    from .program import Program
    from .session import Session

__all__ = ["Command", "Group", "Program", "Session", "async_command", "main", "session_command"]

_PLACES = {
    "Command": "commands",
    "Group": "commands",
    "Program": "program",
    "Session": "session",
    "async_command": "commands",
    "session_command": "commands",
}


def main(program: Program | None = None) -> NoReturn:
    """Run the program with the arguments of the process; never returns.

    Args:
        program: which one it is; None: `harness` itself.
    """
    # First of all: most of what the program does in its first moments is importing.
    from .interrupts import leave_on_interrupt

    leave_on_interrupt()
    import gc

    # What is imported stays: collections would look at it again and again and find nothing.
    gc.disable()
    from .root import main as run

    try:
        run(program)
    except SystemExit as end:
        _leave(end)


def _leave(end: SystemExit) -> NoReturn:
    """End without taking the interpreter apart, which is a fifth of a short command's time."""
    import os
    import sys

    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        raise end from None  # the interpreter's own end reports it
    os._exit(end.code if isinstance(end.code, int) else bool(end.code))


if not TYPE_CHECKING:  # a type checker would take every name for one that exists

    def __getattr__(name: str) -> object:
        from harness.lazy import lazy_names

        return lazy_names(__name__, _PLACES)(name)
