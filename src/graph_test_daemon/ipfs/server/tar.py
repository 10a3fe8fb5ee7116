"""A file or folder as a tar archive, as `get` sends it."""

from __future__ import annotations

import tarfile
from collections.abc import AsyncIterator

from .paths import Found, Paths

__all__ = ["archive"]


async def archive(paths: Paths, found: Found) -> AsyncIterator[bytes]:
    """Return the archive, a piece at a time."""
    waiting = [(found.name, found)]
    while waiting:
        name, entry = waiting.pop()
        if entry.is_directory:
            yield _header(name, 0, tarfile.DIRTYPE)
            below = [(f"{name}/{link.name}", link.name) for link in entry.links]
            waiting += [(path, paths.child(entry, last)) for path, last in reversed(below)]
            continue
        yield _header(name, entry.size, tarfile.REGTYPE)
        async for piece in paths.content(entry):
            yield piece
        yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _header(name: str, size: int, kind: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return info.tobuf(tarfile.PAX_FORMAT)
