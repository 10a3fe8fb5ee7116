"""One HTTP/1.1 request and its answer, on a connection of its own, as cheap as it can be.

Hundreds of services are asked every few seconds, so this speaks h11 over a socket: a full client
costs three times the processor time and 14 MiB of memory. What a check must not do is absent:
proxies, redirects, cookies, kept connections, compression. The connection is closed from this
side, so that no TIME-WAIT is left on the service's port.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import anyio
from anyio.abc import ByteStream

from .causes import cause_of
from .result import excerpt

if TYPE_CHECKING:
    import h11

__all__ = ["MAX_BODY_BYTES", "Answer", "Request", "exchange"]

MAX_BODY_BYTES = 1024 * 1024
_DRAIN_BYTES = 64 * 1024
_DRAIN_S = 0.05
_MAX_HEAD_BYTES = 64 * 1024
_SAFE = "/%:@!$&'()*+,;=~-._?[]"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask. `read_body`: the answer's body is wanted; without it little of it is read."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str]
    content: bytes = b""
    read_body: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response: header names in lower case, the body cut off after `MAX_BODY_BYTES`."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Where a URL leads."""

    host: str
    port: int
    is_tls: bool
    path: str
    authority: str
    credentials: str | None


async def exchange(request: Request, *, tls: Callable[[], ssl.SSLContext]) -> Answer | str:
    """Return the answer, or in words why there is none.

    Args:
        request: what to ask.
        tls: makes the TLS context; called for https only.
    """
    import h11  # imported with the first check, for the command line's sake

    target = _target(request.url)
    if isinstance(target, str):
        return target
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
    try:
        data = _encode(connection, request, target)
    except (h11.LocalProtocolError, ValueError) as error:
        return f"the request cannot be sent: {excerpt(str(error))}"
    try:
        async with await _connect(target, tls) as stream:
            await stream.send(data)
            return await _receive(connection, stream, read_body=request.read_body)
    except h11.RemoteProtocolError as error:
        return f"broken HTTP answer: {excerpt(str(error))}"
    except (OSError, anyio.BrokenResourceError) as error:
        return cause_of(error)
    except anyio.EndOfStream:
        return "the connection was closed without an answer"


def _target(url: str) -> _Target | str:
    """Take a URL apart, or say what is wrong with it."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        return f'"{excerpt(url)}" is not a URL: {error}'
    if scheme not in _PORTS:
        return f'"{excerpt(url)}" is not an http or https URL'
    if not host:
        return f'"{excerpt(url)}" is not a URL: it has no host'
    name = f"[{host}]" if ":" in host else host
    path = quote(parts.path, safe=_SAFE) or "/"
    credentials = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return _Target(
        host=host,
        port=port or _PORTS[scheme],
        is_tls=scheme == "https",
        path=f"{path}?{quote(parts.query, safe=_SAFE)}" if parts.query else path,
        authority=f"{name}:{port}" if port else name,
        credentials=credentials,
    )


def _encode(connection: h11.Connection, request: Request, target: _Target) -> bytes:
    """Return the request's bytes.

    Raises:
        h11.LocalProtocolError, ValueError: a method or header that HTTP does not allow.
    """
    import h11  # see above

    headers = {
        "host": ("Host", target.authority),
        "user-agent": ("User-Agent", "harness-health"),
        "accept": ("Accept", "*/*"),
        "accept-encoding": ("Accept-Encoding", "identity"),
    }
    if target.credentials is not None:
        credentials = b64encode(target.credentials.encode()).decode()
        headers["authorization"] = ("Authorization", f"Basic {credentials}")
    if request.content:
        headers["content-length"] = ("Content-Length", str(len(request.content)))
    headers |= {name.lower(): (name, value) for name, value in request.headers.items()}
    head = h11.Request(method=request.method, target=target.path, headers=list(headers.values()))
    data = connection.send(head) or b""
    if request.content:
        data += connection.send(h11.Data(data=request.content)) or b""
    return data + (connection.send(h11.EndOfMessage()) or b"")


async def _connect(target: _Target, tls: Callable[[], ssl.SSLContext]) -> ByteStream:
    if not target.is_tls:
        return await anyio.connect_tcp(target.host, target.port)
    context = await anyio.to_thread.run_sync(tls)  # reads the trusted certificates the first time
    return await anyio.connect_tcp(
        target.host, target.port, ssl_context=context, tls_standard_compatible=False
    )


async def _receive(connection: h11.Connection, stream: ByteStream, *, read_body: bool) -> Answer:
    import h11  # see above

    event = await _next(connection, stream)
    while isinstance(event, h11.InformationalResponse):
        event = await _next(connection, stream)
    if not isinstance(event, h11.Response):
        raise anyio.EndOfStream
    body = bytearray()
    if read_body:
        await _read(connection, stream, body, MAX_BODY_BYTES)
    else:
        # A small body is taken all the same, so that the service sees an ordinary end; one that
        # has no end, such as a stream of events, is left after a moment.
        broken = (h11.RemoteProtocolError, anyio.BrokenResourceError, OSError)
        with anyio.move_on_after(_DRAIN_S), suppress(*broken):
            await _read(connection, stream, body, _DRAIN_BYTES)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
    return Answer(status=event.status_code, headers=headers, body=bytes(body[:MAX_BODY_BYTES]))


async def _read(
    connection: h11.Connection, stream: ByteStream, body: bytearray, limit: int
) -> None:
    """Append the body to `body`, up to about `limit` bytes."""
    import h11  # see above

    while len(body) < limit:
        event = await _next(connection, stream)
        if not isinstance(event, h11.Data):
            return
        body += event.data


async def _next(connection: h11.Connection, stream: ByteStream) -> object:
    """Return the next h11 event, receiving what it needs.

    Raises:
        EndOfStream: the other side closed before it sent anything of an answer.
    """
    import h11  # see above

    while (event := connection.next_event()) is h11.NEED_DATA:
        try:
            connection.receive_data(await stream.receive())
        except anyio.EndOfStream:
            if connection.their_state is h11.SEND_RESPONSE and not connection.trailing_data[0]:
                raise
            connection.receive_data(b"")
    return event
