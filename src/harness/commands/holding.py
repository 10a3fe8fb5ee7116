"""The way to this process's holder: started with the first run, and anew if it was killed."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import anyio

from .holder import CATCH_UP
from .pidfd import reap
from .procfs import ProcessRef, process_ref

__all__ = ["Holder", "HolderGone", "catch_up", "holder", "start_holder"]

logger = logging.getLogger(__name__)

_PROGRAM = str(Path(__file__).with_name("holder.py"))


class HolderGone(Exception):
    """The holder was killed."""


class Holder:
    """A holder that this process has started, which serves no other."""

    def __init__(self) -> None:
        with ExitStack() as unused:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            unused.enter_context(ours)
            with theirs:
                pid = _spawn(theirs.fileno())
            unused.pop_all()
        self._requests = ours
        # Not reaped yet, so it has an entry even if it has ended already.
        self.process = process_ref(pid) or ProcessRef(pid, 0)

    def begin(self, run_dir: Path, report: int) -> None:
        """Ask for a run to be started; the answer is a line on the descriptor `report`.

        Raises:
            HolderGone: it was killed; nothing was asked.
        """
        self._ask(os.fsencode(run_dir), report)

    async def catch_up(self) -> None:
        """Return when it has written down every end that came before this call.

        Raises:
            HolderGone: it was killed.
        """
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            try:
                self._ask(CATCH_UP, writing)
            finally:
                os.close(writing)
            await anyio.wait_readable(reading)
        finally:
            os.close(reading)

    def _ask(self, message: bytes, report: int) -> None:
        try:
            socket.send_fds(self._requests, [message], [report])
        except (BrokenPipeError, ConnectionResetError) as error:
            self._requests.close()
            reap(self.process)
            _Current.holder = None
            logger.warning(
                "The holder (pid %d) was killed; how the services that it started end is unknown",
                self.process.pid,
            )
            raise HolderGone from error


class _Current:
    """The holder that is asked; it belongs to the process and to no event loop."""

    holder: Holder | None = None


def holder() -> Holder:
    """Return this process's holder; start one where none runs."""
    if _Current.holder is None:
        _Current.holder = Holder()
    return _Current.holder


async def catch_up(process: ProcessRef) -> None:
    """Return when a holder has written down every end that came before, if it is this process's."""
    current = _Current.holder
    if current is not None and current.process == process:
        with suppress(HolderGone):
            await current.catch_up()


def start_holder() -> None:
    """Start this process's holder before its first run, which then need not wait for it."""
    holder()


def _spawn(requests: int) -> int:
    """Start the program in a session of its own, with no descriptor but the socket's."""
    actions = [
        (os.POSIX_SPAWN_DUP2, requests, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in _inherited()),
    ]
    return os.posix_spawn(  # noqa: TID251 - the layer that runs programs is the one place for it
        sys.executable,
        [sys.executable, "-I", "-S", "-X", "utf8", _PROGRAM],
        {},
        file_actions=actions,
        setsid=True,
        setsigmask=(),
        setsigdef=signal.valid_signals(),
    )


def _inherited() -> list[int]:
    """Return descriptors that this process itself inherited, and a child would inherit too."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the descriptor that lists the directory is closed by now
            if int(name) > 2 and os.get_inheritable(int(name)):
                found.append(int(name))
    return found
