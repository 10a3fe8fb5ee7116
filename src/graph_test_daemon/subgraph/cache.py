"""What was compiled once is kept, under the hash of everything that it was made from.

A build is made beside its place and moved there when it is whole, so nobody sees half of one. Two
that want the same at the same time, in whichever processes, build it once. Who makes one removes
what a process that was killed has left of it, and in the end the file that it has locked.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from anyio import CancelScope, fail_after, to_thread

from graph_test_daemon.tools import cache_dir

from .errors import BuildsBusy

__all__ = ["BuildCache"]

_LONGEST_BUILD_S = 660.0
"""Both steps of a build end sooner, or have failed."""

_PREFIX = 24  # of a digest, in names of what is being made


class BuildCache:
    """Finished builds.

    Args:
        directory: that holds them; None: in the user's cache.
        longest_s: how long another process may make what is wanted here, too.
    """

    def __init__(
        self, directory: Path | None = None, *, longest_s: float = _LONGEST_BUILD_S
    ) -> None:
        self._longest_s = longest_s
        self.directory = directory or cache_dir() / "builds"

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

        Raises:
            BuildsBusy: somebody else has held it for longer than any build takes.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f".{digest}.lock"
        lock = await self._locked(path)
        try:
            prefix = f".{digest[:_PREFIX]}."
            await to_thread.run_sync(_remove_half, self.directory, prefix)
            place = Path(tempfile.mkdtemp(prefix=prefix, dir=self.directory))
            try:
                yield place
            finally:
                with CancelScope(shield=True):
                    await to_thread.run_sync(lambda: shutil.rmtree(place, ignore_errors=True))
        finally:
            path.unlink(missing_ok=True)  # while it is locked: whoever waits for it looks again
            lock.close()

    async def _locked(self, path: Path) -> IO[bytes]:
        """Open a file and lock it; it is the one at its path then, which nobody has removed."""
        try:
            with fail_after(self._longest_s):
                while True:
                    lock = path.open("wb")
                    try:
                        # Whoever gives up closes the file, and with it the lock that may come yet.
                        await to_thread.run_sync(_lock, lock.fileno(), abandon_on_cancel=True)
                        if _is_at(path, lock):
                            return lock
                    except BaseException:
                        lock.close()
                        raise
                    lock.close()
        except TimeoutError as error:
            raise BuildsBusy(path=str(path), waited_s=self._longest_s) from error


def _is_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _remove_half(directory: Path, prefix: str) -> None:
    for left in directory.glob(f"{prefix}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)


def _lock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
