"""The daemon's own log: its last lines, and what is added to it, across its rotation."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from harness.logs import Inotify

__all__ = ["read_log"]

_PIECE = 256 * 1024


async def read_log(path: Path, *, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
    """Yield a file's last lines, or all of it, then what is added to it.

    Raises:
        OSError: it cannot be read.
    """
    file = await anyio.open_file(path, "rb")
    try:
        if tail is not None:
            lines = (await file.read()).splitlines(keepends=True)
            yield b"".join(lines[len(lines) - min(tail, len(lines)) :])
        if not follow:
            while piece := await file.read(_PIECE):
                yield piece
            return
        from harness.logs import Inotify

        with closing(Inotify()) as watch:
            while True:
                async for piece in _until_replaced(file, path, watch):
                    yield piece
                await file.aclose()
                file = await _opened_once_there(path, watch)
    finally:
        await file.aclose()


async def _opened_once_there(path: Path, watch: Inotify) -> anyio.AsyncFile[bytes]:
    """Open the next file of that name: between two calls of the daemon, or after a removal."""
    while True:
        watch.arm_directory(path.parent)
        with suppress(FileNotFoundError):
            return await anyio.open_file(path, "rb")
        await anyio.wait_readable(watch.descriptor)
        watch.fired()


async def _until_replaced(
    file: anyio.AsyncFile[bytes], path: Path, watch: Inotify
) -> AsyncIterator[bytes]:
    """Yield what the file has, and gets until another one has its path, to its end."""
    while True:
        is_current = _arm(watch, path, file.wrapped.fileno())
        # What was written before the watch was armed fires nothing.
        while piece := await file.read(_PIECE):
            yield piece
        if not is_current:
            return
        await anyio.wait_readable(watch.descriptor)
        watch.fired()


def _arm(watch: Inotify, path: Path, descriptor: int) -> bool:
    """Wait for the next write or move of the file; tell whether the open one is still it."""
    try:
        watch.arm(path, moves=True)
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
