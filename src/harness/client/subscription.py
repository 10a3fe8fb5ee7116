"""The client's end of a subscription: an iteration over notifications with a bounded queue.

The daemon sends no more than a window of bytes ahead of what was consumed here, so a slow reader
neither fills the memory nor delays the answers to other calls on the connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, Self, TypeVar

import anyio

from harness.errors import HarnessError

__all__ = ["WINDOW_BYTES", "Items", "Subscription"]

T = TypeVar("T")

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

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[str, Mapping[str, Any]]:
        """Return the next (method, params); asking for it means that the last one is done with.

        Raises:
            DaemonUnavailable: the connection ended.
        """
        await self._acknowledge()
        while not self._queue:
            if self._failure is not None:
                raise self._failure
            self._arrived = anyio.Event()
            await self._arrived.wait()
        method, params, size = self._queue.popleft()
        self._consumed += size
        return method, params

    async def _acknowledge(self) -> None:
        consumed = self._consumed
        if consumed * 2 < self._window or self._failure is not None:
            return
        await self._notify("subscriptions.ack", {"subscription": self.id, "bytes": consumed})
        self._consumed -= consumed


class Items(Generic[T]):
    """What a reader makes of notifications, one by one; needs no closing.

    Args:
        subscription: where they come from.
        pick: makes an item of (method, params); None ends the iteration.
    """

    def __init__(
        self, subscription: Subscription, pick: Callable[[str, Mapping[str, Any]], T | None]
    ) -> None:
        self._subscription = subscription
        self._pick = pick
        self._is_over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return the next item."""
        if not self._is_over:
            item = self._pick(*await anext(self._subscription))
            if item is not None:
                return item
            self._is_over = True
        raise StopAsyncIteration
