"""The program at a terminal of its own, typed at and read as a person does."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tests.processes import kill

from .harness_case import PROGRAM, TIMEOUT_S

__all__ = ["CTRL_C", "CTRL_D", "Terminal"]

CTRL_C = b"\x03"
CTRL_D = b"\x04"
_TYPED_AT_ONCE = 1024


class _Place(Protocol):
    """Where a command runs."""

    directory: Path
    env: dict[str, str]


class Terminal:
    """Runs one command as the first program of a window: it leads a session, which has it.

    Attributes:
        pid: of the command.
        shown: everything that appeared so far, what was typed included.
    """

    def __init__(
        self,
        place: _Place,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        rows: int = 24,
        columns: int = 80,
    ) -> None:
        self.shown = b""
        self._answered = 0
        # The far end is held open, so that its settings can be read when the program has ended.
        self._fd, self._far_fd = os.openpty()
        self.resize(rows, columns)
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(self._far_fd)
            os.chdir(place.directory)
            os.execve(PROGRAM, [PROGRAM, *arguments], {**place.env, **(env or {})})
        self._settings = termios.tcgetattr(self._far_fd)
        self._is_open = self._is_there = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            sys.stderr.write(f"shown: {self.shown!r}\n")
        if self._is_there:
            kill(self.pid)
            os.waitpid(self.pid, 0)
        if self._is_open:
            self._close()

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size."""
        termios.tcsetwinsize(self._fd, (rows, columns))

    def close_window(self) -> None:
        """Close the window over the program's head, and wait for its end."""
        self._close()
        os.waitpid(self.pid, 0)
        self._is_there = False

    def type(self, keys: bytes) -> None:
        """Type all of it, while what comes is read; Ctrl-C becomes a signal as for a person."""
        while keys:
            readable, writable, _ = select.select((self._fd,), (self._fd,), (), TIMEOUT_S)
            assert readable or writable, "nobody takes what is typed"
            if readable:
                self._read()
            if writable:
                keys = keys[os.write(self._fd, keys[:_TYPED_AT_ONCE]) :]

    def until(self, words: bytes, *, within_s: float = TIMEOUT_S) -> bytes:
        """Return everything shown so far, once it holds these words."""
        deadline = time.monotonic() + within_s
        while words not in self.shown:
            assert self._wait(self._fd, deadline), f"{words!r} was not shown: {self.shown!r}"
            self._read()
        return self.shown

    def answer(self, words: bytes) -> bytes:
        """Return what came between the last answer and these words, once they have come."""
        deadline = time.monotonic() + TIMEOUT_S
        while words not in self.shown[self._answered :]:
            assert self._wait(self._fd, deadline), f"{words!r} was not shown: {self.shown!r}"
            self._read()
        before, _, _ = self.shown[self._answered :].partition(words)
        self._answered += len(before) + len(words)
        return before

    def end(self, *, within_s: float = TIMEOUT_S) -> int:
        """Return how the command ended, once it did; the terminal must be as it was before."""
        deadline = time.monotonic() + within_s
        ended = os.pidfd_open(self.pid)
        try:
            while ended not in (ready := self._wait(self._fd, deadline, ended)):
                assert ready, f"it did not end: {self.shown!r}"
                self._read()
        finally:
            os.close(ended)
        while self._wait(self._fd, 0.0):
            self._read()
        self._is_there = False
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        assert termios.tcgetattr(self._far_fd) == self._settings
        return code

    def _wait(self, fd: int, deadline: float, *others: int) -> list[int]:
        left = max(0.0, deadline - time.monotonic())
        return select.select((fd, *others), (), (), left)[0]

    def _read(self) -> None:
        self.shown += os.read(self._fd, 1 << 16)

    def _close(self) -> None:
        os.close(self._far_fd)
        os.close(self._fd)
        self._is_open = False
