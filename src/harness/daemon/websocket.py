"""A client's connection from its first byte: an HTTP request that becomes a WebSocket, or ends.

Nothing here is shared between connections, so a slow, silent or broken client costs nobody else
anything; whoever serves a connection bounds how long the handshake may take.

h11 and wsproto are driven here, and not by an ASGI server, because a server that hides its sockets
cannot tell who connects, drop a client that does not read, or stop keeping a message that is too
large.

Source: RFC 6455; RFC 9112.
"""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

import anyio
import h11
from anyio.abc import ByteStream, SocketAttribute
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from harness.errors import AccessError, TooManyAttempts
from harness.protocol import MAX_MESSAGE_BYTES, error_to_wire, too_large

__all__ = ["Admit", "Headers", "ServerWebSocket", "accept_websocket"]

Headers = Iterable[tuple[bytes, bytes]]
"""Of a request: names in lower case, values."""

Admit = Callable[[Headers], None]
"""Raises an `AccessError` when who sent these headers is not to be served."""

_READ_BYTES = 64 * 1024
_MAX_HEAD_BYTES = 16 * 1024
_GOODBYE_S = 1.0

_JSON = b"application/json"


async def accept_websocket(
    stream: ByteStream,
    *,
    health: Mapping[str, Any],
    admit: Admit = lambda _: None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
) -> ServerWebSocket | None:
    """Read the request; return the WebSocket it asks for at `/rpc`, or answer it and return None.

    `GET /health` is answered with the JSON object `health`, everything else with an error. The
    stream is left open.

    Args:
        stream: where the request comes from.
        health: what is told to everybody.
        admit: looks at who wants a WebSocket.
        max_message_bytes: of an inbound message.

    Raises:
        EndOfStream, BrokenResourceError: the client has left.
    """
    http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)
    try:
        request = await _request(stream, http)
    except h11.RemoteProtocolError as error:
        await _answer(stream, http, error.error_status_hint or 400, {"error": "no HTTP request"})
        return None
    path = request.target.partition(b"?")[0]
    is_get = request.method == b"GET"
    wants_websocket = any(
        name == b"upgrade" and value.lower() == b"websocket" for name, value in request.headers
    )
    if path == b"/rpc" and is_get and wants_websocket:
        try:
            admit(request.headers)
        except AccessError as error:
            await _refuse(stream, http, error)
            return None
        return await _upgrade(stream, http, request, max_message_bytes)
    if path == b"/rpc":
        await _answer(stream, http, 426, {"error": "/rpc is a WebSocket"})
    elif path == b"/health" and is_get:
        await _answer(stream, http, 200, health)
    else:
        await _answer(stream, http, 404, {"error": "there is only /rpc and GET /health"})
    return None


class ServerWebSocket:
    """A message stream; see `harness.protocol.MessageStream`."""

    def __init__(
        self, stream: ByteStream, websocket: WSConnection, *, max_message_bytes: int
    ) -> None:
        self._stream = stream
        self._websocket = websocket
        self._max_message_bytes = max_message_bytes
        self._events: deque[Event] = deque()
        self._is_broken = False
        self._writing = anyio.Lock(fast_acquire=True)
        self._close_code = 1000

    async def receive(self) -> str | bytes:
        """Return the next message; pings are answered in between."""
        parts: list[str | bytes] = []
        size = 0
        while True:
            event = await self._event()
            if isinstance(event, TextMessage | BytesMessage):
                size += len(event.data)
                if size > self._max_message_bytes:
                    self._close_code = 1009
                    raise too_large(self._max_message_bytes)
                data = event.data
                parts.append(data if isinstance(data, str) else bytes(data))
                if event.message_finished:
                    return _joined(parts)
            elif isinstance(event, Ping):
                await self._write(event.response())
            elif isinstance(event, CloseConnection):
                self._close_code = 1000 if event.code == 1006 else event.code
                raise anyio.EndOfStream

    async def send(self, *messages: str) -> None:
        """Send text messages, in one go."""
        await self._write(*[TextMessage(data=message) for message in messages])

    async def aclose(self) -> None:
        """Say goodbye, let the client finish what it is sending, and close."""
        with anyio.move_on_after(_GOODBYE_S, shield=True), suppress(anyio.BrokenResourceError):
            await self._write(CloseConnection(code=self._close_code))
            with suppress(anyio.EndOfStream, anyio.ClosedResourceError):
                while self._websocket.state is not ConnectionState.CLOSED:
                    await self._stream.receive(_READ_BYTES)
        self.abort()
        await anyio.aclose_forcefully(self._stream)

    def abort(self) -> None:
        """Cut the connection; works while another task waits to send."""
        self._is_broken = True
        raw: socket.socket = self._stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - no SQL
        # Of its own: that of a TCP connection under uvloop has no `shutdown`.
        with suppress(OSError), socket.fromfd(raw.fileno(), raw.family, raw.type) as own:
            own.shutdown(socket.SHUT_RDWR)

    async def _event(self) -> Event:
        while not self._events:
            try:
                data = await self._stream.receive(_READ_BYTES)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                raise anyio.EndOfStream from None
            try:
                self._websocket.receive_data(data)
            except (LocalProtocolError, RemoteProtocolError):
                raise anyio.EndOfStream from None
            self._events.extend(self._websocket.events())
        return self._events.popleft()

    async def _write(self, *events: Event) -> None:
        # One after another: the answer to a ping may be due while a message is on its way.
        async with self._writing:
            if self._is_broken:
                raise anyio.BrokenResourceError
            try:
                data = b"".join([self._websocket.send(event) for event in events])
            except LocalProtocolError:
                raise anyio.BrokenResourceError from None
            # Broken until it is out: a write cut short by cancellation leaves half a frame behind.
            self._is_broken = True
            try:
                await self._stream.send(data)
            except anyio.ClosedResourceError:
                raise anyio.BrokenResourceError from None
            self._is_broken = False


def _joined(parts: list[str | bytes]) -> str | bytes:
    """Join the parts of a message, which are all texts or all bytes."""
    if len(parts) == 1:
        return parts[0]
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) or b"".join(part for part in parts if not isinstance(part, str))


async def _request(stream: ByteStream, http: h11.Connection) -> h11.Request:
    while True:
        event = http.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            raise h11.RemoteProtocolError("no request")
        http.receive_data(await stream.receive(_READ_BYTES))


async def _upgrade(
    stream: ByteStream, http: h11.Connection, request: h11.Request, max_message_bytes: int
) -> ServerWebSocket | None:
    websocket = WSConnection(ConnectionType.SERVER)
    try:
        websocket.initiate_upgrade_connection(list(request.headers), request.target)
    except RemoteProtocolError as error:
        await _answer(stream, http, 400, {"error": f"no WebSocket handshake: {error}"})
        return None
    requests = [event for event in websocket.events() if isinstance(event, Request)]
    if not requests:
        await _answer(stream, http, 400, {"error": "no WebSocket handshake"})
        return None
    await stream.send(websocket.send(AcceptConnection()))
    websocket.receive_data(http.trailing_data[0])
    accepted = ServerWebSocket(stream, websocket, max_message_bytes=max_message_bytes)
    accepted._events.extend(websocket.events())
    return accepted


async def _refuse(stream: ByteStream, http: h11.Connection, error: AccessError) -> None:
    """Answer in the way of RFC 6750 and RFC 6585, and with the whole error."""
    body = {"error": error_to_wire(error)}
    if isinstance(error, TooManyAttempts):
        wait = str(error.details["retry_after_s"]).encode()
        await _answer(stream, http, 429, body, (b"retry-after", wait))
    else:
        await _answer(stream, http, 401, body, (b"www-authenticate", b"Bearer"))


async def _answer(
    stream: ByteStream,
    http: h11.Connection,
    status: int,
    body: Mapping[str, Any],
    *more: tuple[bytes, bytes],
) -> None:
    content = json.dumps(body).encode() + b"\n"
    headers = [
        (b"content-type", _JSON),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),
        *more,
    ]
    if status == 426:
        headers.append((b"upgrade", b"websocket"))
    with suppress(h11.LocalProtocolError, anyio.BrokenResourceError):
        response = http.send(h11.Response(status_code=status, headers=headers)) or b""
        data = http.send(h11.Data(data=content)) or b""
        end = http.send(h11.EndOfMessage()) or b""
        await stream.send(response + data + end)
        # What the client still sends is read: closing on it would take the answer from it.
        await stream.send_eof()
        with anyio.move_on_after(_GOODBYE_S), suppress(anyio.EndOfStream):
            while True:
                await stream.receive(_READ_BYTES)
