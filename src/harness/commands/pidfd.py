"""Watching and signalling one process through a descriptor, never through a bare pid.

A pid descriptor stays with its process; after the process's end a signal through it reaches
nobody. Source: pidfd_open(2), pidfd_send_signal(2).
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator

import anyio

from .procfs import ProcessRef, read_stat

__all__ = ["opened", "reap", "send_signal", "signal_group", "wait_all_ended", "wait_ended"]


@contextlib.contextmanager
def opened(process: ProcessRef) -> Iterator[int | None]:
    """Open a descriptor of exactly this process; None when it is gone."""
    try:
        fd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        # Checked after opening: whoever has this start time now is who the descriptor stands for.
        stat = read_stat(process.pid)
        yield fd if stat is not None and stat.start == process.start else None
    finally:
        os.close(fd)


async def wait_ended(process: ProcessRef) -> None:
    """Return once the process ended; at once when it is gone. An ended child is not reaped."""
    with opened(process) as fd:
        if fd is not None:
            await anyio.wait_readable(fd)


async def wait_all_ended(processes: Iterable[ProcessRef], *, timeout_s: float) -> bool:
    """Wait until all of them ended, at most `timeout_s`; tell whether they did.

    One after the other is enough: the time until the last one ended is the same.
    """
    with anyio.move_on_after(max(0.0, timeout_s)):
        for process in processes:
            await wait_ended(process)
        return True
    return False


def reap(process: ProcessRef) -> None:
    """Take an ended child's status from the kernel, so that no zombie stays; else do nothing."""
    with opened(process) as fd, contextlib.suppress(ChildProcessError):
        if fd is not None:
            os.waitid(os.P_PIDFD, fd, os.WEXITED | os.WNOHANG)


def send_signal(process: ProcessRef, signum: int) -> bool:
    """Send a signal to exactly this process; tell whether it was there to get it."""
    with opened(process) as fd:
        if fd is None:
            return False
        try:
            signal.pidfd_send_signal(fd, signum)
        except ProcessLookupError:
            return False
        return True


def signal_group(leader: ProcessRef, signum: int) -> bool:
    """Send a signal to the group that this process leads, or to it alone while it leads none.

    The leader's pid cannot be given away between the check and the signal: it stays taken until
    the leader's parent has noticed its end.
    """
    stat = read_stat(leader.pid)
    if stat is None or stat.start != leader.start or stat.is_dead:
        return False
    if stat.group != leader.pid:
        return send_signal(leader, signum)
    try:
        os.killpg(leader.pid, signum)
    except ProcessLookupError:
        return False
    return True


def group_exists(group: int) -> bool:
    """Tell whether a process group has a member, be it one that nobody has waited for."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
