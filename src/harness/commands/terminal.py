"""A pseudo terminal: its far end is the terminal of one program, this end is held here.

The program's session has it as its controlling terminal, so that Ctrl-C, job control and changes of
the window's size work as on a screen. What the program writes comes out here as one stream.
"""

from __future__ import annotations

import errno
import os
import shutil
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from harness.errors import CommandError

from .command import Command, TerminalSize

__all__ = ["Terminal", "terminal_prefix"]

_INPUT_MODES, _LINE_MODES, _CHARACTERS = 0, 3, 6  # places in what tcgetattr returns
_IUTF8 = 0x4000  # of Linux; erasing takes a whole character away, not a byte of it


class Terminal:
    """This end of a pseudo terminal.

    Attributes:
        fd: descriptor to read the program's output from, and to type into; it never blocks.
        far_fd: descriptor of the program's end, until `give_away`.
    """

    def __init__(self, size: TerminalSize) -> None:
        self.fd, self.far_fd = os.openpty()
        self._ends_line = True
        try:
            os.set_blocking(self.fd, False)
            _show_utf8(self.far_fd)
            self.resize(size)
        except BaseException:
            self.close()
            raise

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self.fd < 0

    def resize(self, size: TerminalSize) -> None:
        """Change the window's size; the kernel tells the programs in the foreground.

        Raises:
            OSError: as the system says.
        """
        with _system_errors():
            termios.tcsetwinsize(self.fd, (size.rows, size.columns))

    def own(self, uid: int) -> None:
        """Make it a user's, who may want to open it by its name."""
        os.fchown(self.far_fd, uid, -1)

    def give_away(self) -> None:
        """Close the far end here, when the program has it: its last user's end is the end."""
        if self.far_fd >= 0:
            os.close(self.far_fd)
            self.far_fd = -1

    def close(self) -> None:
        """Hang up: the program's session gets SIGHUP."""
        self.give_away()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def read(self, size: int) -> bytes:
        """Return what the program wrote; nothing once nobody has the far end open.

        Raises:
            BlockingIOError: there is nothing yet.
        """
        try:
            return os.read(self.fd, size)
        except OSError as error:
            if error.errno == errno.EIO:  # how Linux says that the far end is closed
                return b""
            raise

    def write(self, data: bytes | memoryview) -> int:
        """Type as much of it as there is room for; return how much that was.

        Raises:
            BlockingIOError: there is no room now.
            BrokenPipeError: nobody has the far end open.
        """
        try:
            written = os.write(self.fd, data)
        except OSError as error:
            if error.errno == errno.EIO:
                raise BrokenPipeError(errno.EPIPE, "nobody reads it") from error
            raise
        if written:
            self._ends_line = data[written - 1] in b"\r\n"
        return written

    def end_of_input(self) -> bytes:
        """Return what to type so that the program reads the end of its input, as Ctrl-D does.

        Nothing where the program reads keys instead of lines: it gives them its own meaning.
        """
        with suppress(termios.error):
            settings = termios.tcgetattr(self.fd)
            if settings[_LINE_MODES] & termios.ICANON:
                key: bytes = settings[_CHARACTERS][termios.VEOF]
                # The first one only hands over a line that was begun.
                return key if self._ends_line else key * 2
        return b""


@contextmanager
def _system_errors() -> Iterator[None]:
    try:
        yield
    except termios.error as error:  # which is no OSError
        raise OSError(*error.args) from error


def _show_utf8(fd: int) -> None:
    with _system_errors():
        settings = termios.tcgetattr(fd)
        settings[_INPUT_MODES] |= _IUTF8
        termios.tcsetattr(fd, termios.TCSANOW, settings)


def terminal_prefix(command: Command) -> list[str]:
    """Return the words that make standard input the controlling terminal of a new session.

    It is not done between fork and exec here: Python code must not run there beside threads.

    Raises:
        CommandError: this machine has no program for it.
    """
    path = shutil.which("setsid")
    if path is None:
        raise CommandError(
            command=str(command),
            cause="this machine has no `setsid`, which a terminal needs",
            hint="it is part of util-linux; without a terminal the command can be run",
        )
    return [path, "-c", "--"]
