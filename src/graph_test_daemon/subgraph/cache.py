"""What was compiled once is kept, under the hash of everything that it was made from.

A build is made beside its place and moved there when it is whole, so nobody sees half of one. Two
that want the same at the same time, in whichever processes, build it once.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import CancelScope, to_thread

__all__ = ["BuildCache"]


class BuildCache:
    """Finished builds.

    Args:
        directory: that holds them; None: in the user's cache.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or _default()

    def find(self, digest: str) -> Path | None:
        """Return the directory of a build, or None where it was not made yet."""
        place = self.directory / digest
        return place if place.is_dir() else None

    def store(self, digest: str, built: Path) -> Path:
        """Move a finished build to its place; return that. It must be on the same file system."""
        place = self.directory / digest
        try:
            built.rename(place)
        except OSError:
            if not place.is_dir():
                raise
        return place

    @asynccontextmanager
    async def making(self, digest: str) -> AsyncIterator[Path]:
        """Hold the right to make a build; give an empty directory, which is removed afterwards.

        Who had to wait for another that made the same looks with `find` again.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / f".{digest}.lock").open("wb") as lock:
            # Whoever gives up waiting closes the file, and with it the lock that may come yet.
            await to_thread.run_sync(_lock, lock.fileno(), abandon_on_cancel=True)
            place = Path(tempfile.mkdtemp(prefix=f".{digest[:12]}.", dir=self.directory))
            try:
                yield place
            finally:
                with CancelScope(shield=True):
                    await to_thread.run_sync(lambda: shutil.rmtree(place, ignore_errors=True))


def _lock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def _default() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "graph-network-harness" / "builds"
