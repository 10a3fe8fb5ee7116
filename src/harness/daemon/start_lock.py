"""The lock that is held while a daemon of a state directory starts or ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from types import TracebackType
from typing import Self

from harness.errors import StorageError
from harness.protocol import Endpoint

__all__ = ["StartLock"]


class StartLock:
    """Held from entering the context to `release`, and from `hold` to the end of the process.

    Never waited for: a command that starts this daemon holds it already. Commands wait for it when
    they find no socket, so they neither start a second daemon nor call one that is ending.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._descriptor = -1

    def __enter__(self) -> Self:
        path = self._endpoint.start_lock_path
        try:
            self._endpoint.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(
                f"cannot use the state directory {self._endpoint.state_dir}: "
                f"{error.strerror or error}",
                hint="name another one with HARNESS_STATE_DIR",
            ) from error
        self.hold()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Only a failed start gives it back here: an ended daemon still has to go.
        if error is not None:
            self.release()

    def hold(self) -> None:
        """Take the lock if nobody has it."""
        with suppress(BlockingIOError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        """Give the lock back if it is held."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
