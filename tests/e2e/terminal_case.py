"""The program at a terminal of its own, typed at and read as a person does."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import termios
import time
from types import TracebackType
from typing import Self

from .harness_case import PROGRAM, TIMEOUT_S, HarnessCase

__all__ = ["CTRL_C", "CTRL_D", "Terminal"]

CTRL_C = b"\x03"
CTRL_D = b"\x04"


class Terminal:
    """Runs one command with a pseudo-terminal as its standard streams and controlling terminal.

    Attributes:
        shown: everything that appeared on it so far, what was typed included.
    """

    def __init__(self, case: HarnessCase, *arguments: str) -> None:
        self.shown = b""
        self._keyboard, screen = os.openpty()
        self._process = subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=case.directory,
            env=case.env,
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(screen)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._keyboard)

    @property
    def pid(self) -> int:
        """Process id of the command."""
        return self._process.pid

    def type(self, keys: bytes) -> None:
        """Type; Ctrl-C becomes a signal as it does for a person."""
        os.write(self._keyboard, keys)

    def until(self, words: bytes, *, within_s: float = TIMEOUT_S) -> bytes:
        """Return everything shown so far, once it holds these words."""
        deadline = time.monotonic() + within_s
        while words not in self.shown:
            assert self._read(deadline), f"{words!r} was not shown: {self.shown!r}"
        return self.shown

    def end(self, *, within_s: float = TIMEOUT_S) -> int:
        """Return how the command ended, once it did."""
        deadline = time.monotonic() + within_s
        while self._read(deadline):
            pass
        return self._process.wait(max(0.1, deadline - time.monotonic()))

    def _read(self, deadline: float) -> bool:
        """Read on; tell whether there was anything before the end and the deadline."""
        ready, _, _ = select.select(
            (self._keyboard,), (), (), max(0.0, deadline - time.monotonic())
        )
        data = b""
        with contextlib.suppress(OSError):  # nobody has the other end open any more
            data = os.read(self._keyboard, 1 << 16) if ready else b""
        self.shown += data
        return bool(data)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
