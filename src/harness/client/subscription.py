"""The client's end of a subscription: an iteration over notifications with a bounded queue.

The daemon sends no more than a window of bytes ahead of what was consumed here, so a slow reader
neither fills the memory nor delays the answers to other calls on the connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import anyio

from harness.errors import HarnessError

__all__ = ["WINDOW_BYTES", "Subscription"]

WINDOW_BYTES = 64 * 1024
"""What the daemon may send ahead of a reader. With the message that crosses it, it fits into a
socket's buffer: a command that is held up by a pager does not look like one that has died."""


class Subscription:
    """Notifications in order; made by `Connection.subscribe`. One task may iterate."""

    def __init__(
        self,
        *,
        window: int,
        notify: Callable[[str, Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        self.id = ""
        self._window = window
        self._notify = notify
        self._queue: deque[tuple[str, Mapping[str, Any], int]] = deque()
        self._arrived = anyio.Event()
        self._failure: HarnessError | None = None
        self._consumed = 0

    def offer(self, method: str, params: Mapping[str, Any], size: int) -> None:
        """Take a notification; called by the connection."""
        self._queue.append((method, params, size))
        self._arrived.set()

    def fail(self, reason: HarnessError) -> None:
        """End the iteration with an error, after what has already come."""
        self._failure = reason
        self._arrived.set()

    async def __aiter__(self) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """Yield (method, params), for as long as the subscription is open.

        Raises:
            DaemonUnavailable: the connection ended.
        """
        while True:
            while self._queue:
                method, params, size = self._queue.popleft()
                yield method, params
                await self._acknowledge(size)
            if self._failure is not None:
                raise self._failure
            self._arrived = anyio.Event()
            await self._arrived.wait()

    async def _acknowledge(self, size: int) -> None:
        self._consumed += size
        if self._consumed * 2 < self._window or self._failure is not None:
            return
        consumed, self._consumed = self._consumed, 0
        await self._notify("subscriptions.ack", {"subscription": self.id, "bytes": consumed})
