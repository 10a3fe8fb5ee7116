"""One connected client: its calls in flight, its subscriptions, and what waits to be sent to it.

Everything here ends with the connection but the calls that change something: they go on in a task
group of the server. Nothing here ever makes another session or a publisher wait.
"""

from __future__ import annotations

import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup, TaskStatus

from harness.access import LOCAL_ADMIN, Principal
from harness.errors import InvalidParameters, MalformedMessage, ProtocolError
from harness.protocol import (
    ErrorResponse,
    MessageStream,
    Notification,
    Request,
    decode,
    encode,
    error_to_wire,
)

from .channel import Channel
from .dispatcher import outlives_connection

if TYPE_CHECKING:
    from .dispatcher import Dispatcher

__all__ = ["Call", "Limits", "Session", "Spawner"]

logger = logging.getLogger(__name__)

_FLUSH_S = 5.0
_SEND_BYTES = 64 * 1024

Stream = Callable[[Channel, TaskStatus[None]], Awaitable[None]]
"""Sends the notifications of a subscription."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection may use.

    Attributes:
        calls: calls in flight.
        subscriptions: open at the same time.
        queue_bytes: waiting to be sent, before whoever wants to send more waits.
        stall_s: how long the client may take nothing before it is disconnected.
        handshake_s: how long it may take to become a WebSocket.
        connections: open at the same time, of all clients of this machine, and again as many of
            other ones.
        logins: clients of other machines that have not logged in yet, at the same time; a quarter
            of them from one address.
    """

    calls: int = 1_000
    subscriptions: int = 1_000
    queue_bytes: int = 1024 * 1024
    stall_s: float = 30.0
    handshake_s: float = 10.0
    connections: int = 1_000
    logins: int = 100


class Spawner(Protocol):
    """Starts tasks that are somebody else's to end; a task group is one."""

    def start_soon(self, func: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Start a task."""


class Call:
    """One call of a client, as its handler sees it.

    Attributes:
        session: the caller.
        channels: subscriptions the call has made; they are opened when it has been answered.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.channels: list[Channel] = []

    async def open_channel(
        self, run: Stream, *, key: str = "subscription", window: int | None = None
    ) -> str:
        """Start a subscription that belongs to the caller; return its id.

        Args:
            run: sends the notifications; calls `started` of its second argument when it has begun,
                and what it raises before is raised here.
            key: parameter of the notifications that carries the id.
            window: bytes it may be ahead of the client; None: no limit.

        Raises:
            ProtocolError: the connection has too many, or is closed.
        """
        channel = await self.session.open_channel(run, key=key, window=window)
        self.channels.append(channel)
        return channel.id


class Session:
    """Serves one client; `run` is its whole life.

    Args:
        stream: the connection.
        dispatcher: answers its calls.
        outliving: where calls run that go on when the client vanishes.
        principal: who it is.
        limits: what it may use.
    """

    def __init__(
        self,
        stream: MessageStream,
        *,
        dispatcher: Dispatcher,
        outliving: Spawner,
        principal: Principal = LOCAL_ADMIN,
        limits: Limits | None = None,
    ) -> None:
        self.client = "unnamed"
        self.principal = principal
        self._stream = stream
        self._dispatcher = dispatcher
        self._outliving = outliving
        self._limits = limits or Limits()
        self._group: TaskGroup | None = None
        self._queue: deque[str] = deque()
        self._queued_bytes = 0
        self._arrived = anyio.Event()
        self._room = anyio.Event()
        self._calls = 0
        self._channels: dict[str, Channel] = {}
        self._runs: dict[str, anyio.CancelScope] = {}
        self._is_closed = False

    async def run(self) -> None:
        """Serve the client until it leaves, is dropped, or `close` is called."""
        try:
            async with anyio.create_task_group() as group:
                self._group = group
                group.start_soon(self._write)
                await self._read()
                group.cancel_scope.cancel()
        finally:
            self._is_closed = True
            self._room.set()
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()

    async def close(self) -> None:
        """Send what waits, for five seconds at most, and end the session."""
        with anyio.move_on_after(_FLUSH_S):
            await self._flush()
        if self._group is not None:
            self._group.cancel_scope.cancel()

    def end(self) -> None:
        """Disconnect the client now, whatever it waits for."""
        self._drop()

    async def send(self, text: str) -> None:
        """Queue a message, when there is room; dropped when the client has left."""
        while self._queued_bytes >= self._limits.queue_bytes and not self._is_closed:
            await self._more_room()
        if not self._is_closed:
            self._queue.append(text)
            self._queued_bytes += len(text)
            self._arrived.set()
        if self._is_closed or self._queued_bytes >= _SEND_BYTES:
            # Whoever has much to say, or has not noticed that nobody listens, is not alone here.
            await anyio.lowlevel.checkpoint()

    async def open_channel(
        self,
        run: Stream,
        *,
        key: str = "subscription",
        window: int | None = None,
    ) -> Channel:
        """Start a subscription and return it, as `Call.open_channel` says; it is not open yet."""
        if self._group is None or self._is_closed:
            raise ProtocolError("cannot subscribe: the connection is closed")
        if len(self._channels) >= self._limits.subscriptions:
            raise ProtocolError(
                f"cannot subscribe: this connection has {len(self._channels)} subscriptions",
                hint="cancel some, or open another connection",
            )
        channel = Channel(secrets.token_hex(8), key=key, window=window, send=self.send)
        self._channels[channel.id] = channel
        await self._group.start(self._run_channel, channel, run)
        return channel

    def channel(self, name: str) -> Channel | None:
        """Return an open subscription of this client, or None."""
        return self._channels.get(name)

    def cancel_channel(self, name: str) -> None:
        """End a subscription; nothing happens when it has ended."""
        channel = self._channels.pop(name, None)
        if channel is not None:
            channel.scope.cancel()

    def acknowledge(self, name: str, size: int) -> None:
        """Take note of what the client has consumed of a subscription."""
        channel = self._channels.get(name)
        if channel is not None:
            channel.acknowledge(size)

    @contextmanager
    def running(self, name: str | None) -> Iterator[anyio.CancelScope]:
        """Give what a call runs a name of the client's, by which it can be cancelled.

        Raises:
            InvalidParameters: it has one of that name already.
        """
        if name in self._runs:
            raise InvalidParameters(f'cannot run: this connection has a run "{name}" already')
        with anyio.CancelScope() as scope:
            if name is not None:
                self._runs[name] = scope
            try:
                yield scope
            finally:
                self._runs.pop(name or "", None)

    def cancel_run(self, name: str) -> None:
        """Cancel what `running` named so; nothing happens when it has ended."""
        if (scope := self._runs.get(name)) is not None:
            scope.cancel()

    async def _run_channel(
        self,
        channel: Channel,
        run: Stream,
        *,
        task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        begun = False

        class _Status(TaskStatus[None]):
            def started(self, value: None = None) -> None:
                nonlocal begun
                begun = True
                task_status.started()

        try:
            with channel.scope:
                await run(channel, _Status())
        except Exception as error:
            if not begun:
                raise
            # A defect, or a file that cannot be read any more.
            logger.exception("Cannot go on with subscription %s", channel.id)
            document = self._dispatcher.error(f"subscription {channel.id}", error)
            await channel.notify("subscriptions.failed", {"error": document})
        finally:
            self._channels.pop(channel.id, None)

    # ── inbound ──────────────────────────────────────────────────────────────────────────────────

    async def _read(self) -> None:
        while True:
            try:
                text = await self._stream.receive()
            except anyio.EndOfStream:
                return
            except MalformedMessage as error:
                await self._refuse(error)
                with anyio.move_on_after(_FLUSH_S):
                    await self._flush()
                return
            await self._take(text)

    async def _take(self, text: str | bytes) -> None:
        try:
            message = decode(text)
        except MalformedMessage as error:
            await self._refuse(error)
            return
        if isinstance(message, Request):
            await self._start(message.id, message)
        elif isinstance(message, Notification):
            await self._start(None, Request("", message.method, message.params))
        else:
            await self._refuse(
                MalformedMessage("cannot read the message: it answers what nobody asked")
            )

    async def _start(self, identifier: int | str | None, request: Request) -> None:
        if self._calls >= self._limits.calls:
            busy = ProtocolError(
                f"cannot answer {request.method[:100]}: {self._calls} calls are open already",
                hint="wait for some, or open another connection",
            )
            await self.send(encode(ErrorResponse(identifier, error_to_wire(busy))))
            return
        self._calls += 1
        group = self._outliving if outlives_connection(request.method) else self._group
        assert group is not None  # noqa: S101 - `run` has set it
        group.start_soon(self._answer, identifier, request)

    async def _answer(self, identifier: int | str | None, request: Request) -> None:
        """Answer a call; a notification's caller wants none, not even an error (section 4.1)."""
        call = Call(self)
        try:
            text = await self._dispatcher.answer(request, call)
            if identifier is not None:
                await self.send(text)
        finally:
            self._calls -= 1
        for channel in call.channels:
            channel.open()

    async def _refuse(self, error: MalformedMessage) -> None:
        identifier = error.details.get("id")
        known = identifier if isinstance(identifier, int | str) else None
        await self.send(encode(ErrorResponse(known, error_to_wire(error))))

    # ── outbound ─────────────────────────────────────────────────────────────────────────────────

    async def _write(self) -> None:
        while True:
            while self._queue:
                texts = self._next_texts()
                with anyio.move_on_after(self._limits.stall_s) as stall:
                    try:
                        await self._stream.send(*texts)
                    except anyio.BrokenResourceError:
                        self._drop()
                        return
                if stall.cancelled_caught:
                    logger.warning(
                        "Client %s took nothing for %g s and was disconnected",
                        self.client,
                        self._limits.stall_s,
                    )
                    self._drop()
                    return
                for text in texts:
                    self._queue.popleft()
                    self._queued_bytes -= len(text)
                self._room.set()
            self._arrived = anyio.Event()
            await self._arrived.wait()

    def _next_texts(self) -> list[str]:
        """Return the first messages that wait, which stay there until they are sent."""
        texts: list[str] = []
        size = 0
        for text in self._queue:
            texts.append(text)
            size += len(text)
            if size >= _SEND_BYTES:
                break
        return texts

    def _drop(self) -> None:
        self._is_closed = True
        self._room.set()
        self._stream.abort()
        if self._group is not None:
            self._group.cancel_scope.cancel()

    async def _flush(self) -> None:
        while self._queue and not self._is_closed:
            await self._more_room()

    async def _more_room(self) -> None:
        """Return once something has left the queue, or the client has."""
        # One event for all who wait: whoever is replaced in it would wait for ever.
        if self._room.is_set():
            self._room = anyio.Event()
        await self._room.wait()
