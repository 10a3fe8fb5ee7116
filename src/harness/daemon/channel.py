"""The daemon's end of a subscription: notifications under one id, held to the client's window."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio

from harness.protocol import Notification, encode

__all__ = ["Channel"]


class Channel:
    """Sends notifications once the client knows the id, and no further ahead than its window.

    Args:
        id: the name the client knows it by.
        key: parameter that carries the id: `subscription`, or `id` for commands.
        window: bytes it may be ahead of the client's acknowledgements; None: no limit.
        send: sends a text to the client, waiting for room.

    Attributes:
        scope: cancelled to end it.
        attached: what belongs to it, for the handlers that know what that is.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - as on the wire
        *,
        key: str,
        window: int | None,
        send: Callable[[str], Awaitable[None]],
    ) -> None:
        self.id = id
        self.scope = anyio.CancelScope()
        self.attached: object = None
        self._key = key
        self._window = window
        self._send = send
        self._ahead = 0
        self._is_open = anyio.Event()
        self._acknowledged = anyio.Event()

    def open(self) -> None:
        """Let notifications out: the answer that names the channel is on its way."""
        self._is_open.set()

    def acknowledge(self, size: int) -> None:
        """Take note that the client has consumed so many bytes."""
        self._ahead = max(0, self._ahead - max(0, size))
        self._acknowledged.set()

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification, when there is room for it."""
        if not self._is_open.is_set():  # else not even a pause: what comes together is sent so
            await self._is_open.wait()
        while self._window is not None and self._ahead >= max(1, self._window):
            self._acknowledged = anyio.Event()
            await self._acknowledged.wait()
        text = encode(Notification(method, {self._key: self.id, **params}))
        self._ahead += len(text)
        await self._send(text)
