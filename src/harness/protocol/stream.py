"""What carries messages between two sides, and the one that stays within a process.

A stream is symmetrical: daemon and client hold one end each. Whole messages go in and come out.
"""

from __future__ import annotations

from typing import Protocol

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from .messages import MAX_MESSAGE_BYTES, too_large

__all__ = ["MessageStream", "message_pipe"]

_PIPE_LENGTH = 16


class MessageStream(Protocol):
    """One end of a connection; one task may receive while another sends."""

    async def receive(self) -> str | bytes:
        """Return the next message.

        Raises:
            EndOfStream: the other side has left, in whatever way.
            MalformedMessage: the next message is larger than accepted; nothing can follow.
        """

    async def send(self, *messages: str) -> None:
        """Return once the messages are on their way, in this order.

        Raises:
            BrokenResourceError: the other side has left.
        """

    async def aclose(self) -> None:
        """Say goodbye and close."""

    def abort(self) -> None:
        """Close at once and without a word; cancel an own `send` first."""


class _PipeEnd:
    """An end of a pair of memory streams."""

    def __init__(
        self,
        outgoing: MemoryObjectSendStream[str],
        incoming: MemoryObjectReceiveStream[str],
        max_message_bytes: int,
    ) -> None:
        self._outgoing = outgoing
        self._incoming = incoming
        self._max_message_bytes = max_message_bytes

    async def receive(self) -> str | bytes:
        try:
            message = await self._incoming.receive()
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            raise anyio.EndOfStream from None
        if len(message) > self._max_message_bytes:
            raise too_large(self._max_message_bytes)
        return message

    async def send(self, *messages: str) -> None:
        try:
            for message in messages:
                await self._outgoing.send(message)
        except anyio.ClosedResourceError:
            raise anyio.BrokenResourceError from None

    async def aclose(self) -> None:
        self.abort()

    def abort(self) -> None:
        self._outgoing.close()
        self._incoming.close()


def message_pipe(
    *, max_message_bytes: int = MAX_MESSAGE_BYTES
) -> tuple[MessageStream, MessageStream]:
    """Return both ends of a connection within this process."""
    there = anyio.create_memory_object_stream[str](_PIPE_LENGTH)
    back = anyio.create_memory_object_stream[str](_PIPE_LENGTH)
    return (
        _PipeEnd(there[0], back[1], max_message_bytes),
        _PipeEnd(back[0], there[1], max_message_bytes),
    )
