"""Reading this program's own standard input without holding up anything else."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel

__all__ = ["has_piped_stdin", "read_stdin"]

STDIN = 0
_PIECE = 64 * 1024


def has_piped_stdin() -> bool:
    """Tell whether something other than a terminal feeds standard input."""
    try:
        os.fstat(STDIN)
    except OSError:
        return False
    return not os.isatty(STDIN)


async def read_stdin() -> AsyncIterator[bytes]:
    """Yield pieces of standard input as they arrive, until its end; can be cancelled."""
    while True:
        if _can_wait():
            await anyio.wait_readable(STDIN)
        else:
            await anyio.lowlevel.checkpoint()
        piece = os.read(STDIN, _PIECE)
        if not piece:
            return
        yield piece


def _can_wait() -> bool:
    """Tell whether readiness can be waited for; files are always ready, and epoll refuses them."""
    status = os.fstat(STDIN)
    is_null = stat.S_ISCHR(status.st_mode) and not os.isatty(STDIN)
    return not stat.S_ISREG(status.st_mode) and not is_null
