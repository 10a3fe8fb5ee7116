"""Small loopback servers that answer as a test wants."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSListener

__all__ = ["HttpService", "free_port", "http_service", "response", "tcp_service"]

Handler = Callable[[ByteStream], Awaitable[None]]


@asynccontextmanager
async def tcp_service(
    handler: Handler, *, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[int]:
    """Run `handler` for each connection; yield the port."""

    async def handle(stream: ByteStream) -> None:
        async with stream:
            try:
                await handler(stream)
            except (anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead):
                return

    multi = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port)
    bound: int = multi.extra(SocketAttribute.local_port)
    listener = TLSListener(multi, tls, standard_compatible=False) if tls else multi
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield bound
        tasks.cancel_scope.cancel()


async def free_port() -> int:
    """Return a port that nothing listens on."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        return int(listener.extra(SocketAttribute.local_port))


def response(body: bytes | str = b"", *, status: int = 200, **headers: str) -> bytes:
    """Return an HTTP response with its length."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + data


class HttpService:
    """What the requests looked like, and what is answered to the next one.

    Attributes:
        answer: the bytes sent, or None to hang.
        requests: (head as text, body) of each request.
        trickle: sent for ever after `answer`.
    """

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.trickle = b""
        self.requests: list[tuple[str, bytes]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def handle(self, stream: ByteStream) -> None:
        received = BufferedByteReceiveStream(stream)
        while True:
            head = (await received.receive_until(b"\r\n\r\n", 65536)).decode()
            length = next(
                (
                    int(line.split(":")[1])
                    for line in head.lower().splitlines()
                    if line.startswith("content-length:")
                ),
                0,
            )
            self.requests.append((head, await received.receive_exactly(length) if length else b""))
            if self.answer is None:
                await anyio.sleep_forever()
                return
            await stream.send(self.answer)
            while self.trickle:
                await stream.send(self.trickle)


@asynccontextmanager
async def http_service(
    answer: bytes | None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[HttpService]:
    """Answer every request with the same bytes."""
    service = HttpService(answer)
    async with tcp_service(service.handle, tls=tls) as service.port:
        yield service
