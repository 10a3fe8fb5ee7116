"""Reading this program's own standard input without holding up anything else."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel

__all__ = ["has_piped_stdin", "read_stdin"]

_PIECE = 64 * 1024


def has_piped_stdin() -> bool:
    """Tell whether something other than a terminal feeds standard input."""
    return not sys.stdin.closed and not sys.stdin.isatty()


async def read_stdin() -> AsyncIterator[bytes]:
    """Yield pieces of standard input as they arrive, until its end; can be cancelled."""
    fd = sys.stdin.fileno()
    # A file is always ready, and epoll refuses it.
    waits = not stat.S_ISREG(os.fstat(fd).st_mode) and os.fstat(fd).st_rdev != _null_device()
    while True:
        if waits:
            await anyio.wait_readable(fd)
        else:
            await anyio.lowlevel.checkpoint()
        piece = os.read(fd, _PIECE)
        if not piece:
            return
        yield piece


def _null_device() -> int:
    return os.stat(os.devnull).st_rdev
