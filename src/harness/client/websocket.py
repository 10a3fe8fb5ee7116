"""A WebSocket to the daemon, client side, without any library.

Only what a client of our own daemon needs, and about 35 ms of imports less than a library costs,
which is a sixth of what `harness status` may take as a whole. Connections to servers that are not
this product's, and servers themselves need the complete thing; this is not it.

Source: RFC 6455, sections 4.1 and 5.
"""

from __future__ import annotations

import binascii
import json
import os
from contextlib import suppress

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream

from harness.errors import DaemonUnavailable, HarnessError, MalformedMessage, ProtocolError
from harness.protocol import MAX_MESSAGE_BYTES, error_from_wire, too_large

__all__ = ["ClientWebSocket"]

_READ_BYTES = 256 * 1024
_MAX_HEAD_BYTES = 16 * 1024
_MAX_REFUSAL_BYTES = 64 * 1024
_SHIELDED_BYTES = 128 * 1024  # fits into a socket's buffer; a piece of input is a little less
_SHIELDED_S = 5.0

_FINAL = 0x80
_MASKED = 0x80
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


class ClientWebSocket:
    """A message stream; see `harness.protocol.MessageStream`."""

    def __init__(self, stream: ByteStream, *, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._stream = stream
        self._max_message_bytes = max_message_bytes
        self._buffer = bytearray()
        self._broken = False
        self._writing = anyio.Lock(fast_acquire=True)

    async def handshake(
        self, path: str = "/rpc", *, host: str = "localhost", token: str | None = None
    ) -> None:
        """Turn the connection into a WebSocket.

        Args:
            path: where.
            host: name and port of the daemon.
            token: shown to the daemon, if there is one.

        Raises:
            DaemonUnavailable: whoever listens there hung up.
            AccessError: the daemon lets this client not in.
            ProtocolError: it refused.
        """
        key = binascii.b2a_base64(os.urandom(16), newline=False).decode()
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        )
        if token is not None:
            head += f"Authorization: Bearer {token}\r\n"
        try:
            await self._stream.send(f"{head}\r\n".encode())
            while b"\r\n\r\n" not in self._buffer and len(self._buffer) < _MAX_HEAD_BYTES:
                self._buffer += await self._stream.receive(_READ_BYTES)
        except (anyio.EndOfStream, anyio.BrokenResourceError) as error:
            raise DaemonUnavailable(
                "cannot reach the daemon: it closed the connection"
            ) from error.__cause__
        answer, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        status = answer.split(b"\r\n", 1)[0].decode("latin-1")
        if status.split(" ")[1:2] != ["101"]:
            raise await self._refusal(status, _content_length(answer))

    async def _refusal(self, status: str, size: int | None) -> HarnessError:
        """Return why the daemon refused: the error in its answer, else its words."""
        size = min(size or 0, _MAX_REFUSAL_BYTES)
        with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            while len(self._buffer) < size:
                self._buffer += await self._stream.receive(_READ_BYTES)
        try:
            document = json.loads(self._buffer)["error"]
        except (ValueError, TypeError, KeyError):
            document = None
        if isinstance(document, dict):
            return error_from_wire(document)
        reason = self._buffer.decode("utf-8", "replace").strip() or status
        return ProtocolError(f"cannot talk to the daemon: it refused the connection: {reason}")

    async def receive(self) -> str:
        """Return the next text message; pings are answered in between."""
        parts: list[bytes] = []
        size = 0
        while True:
            final, opcode, payload = await self._frame(self._max_message_bytes - size)
            if opcode in (_TEXT, _BINARY, _CONTINUATION):
                parts.append(payload)
                size += len(payload)
                if final:
                    return b"".join(parts).decode("utf-8", "surrogatepass")
            elif opcode == _PING:
                await self._write(_PONG, payload)
            elif opcode == _CLOSE:
                raise anyio.EndOfStream

    async def send(self, *messages: str) -> None:
        """Send text messages."""
        for message in messages:
            await self._write(_TEXT, message.encode())

    async def aclose(self) -> None:
        """Say goodbye and close."""
        if not self._broken:
            with suppress(anyio.BrokenResourceError):
                await self._write(_CLOSE, (1000).to_bytes(2, "big"))
        await self._stream.aclose()

    def abort(self) -> None:
        """Make no further use of the connection."""
        self._broken = True

    async def _frame(self, room: int) -> tuple[bool, int, bytes]:
        first, second = await self._take(2)
        length = second & 0x7F
        if second & _MASKED or first & 0x70:
            raise MalformedMessage("cannot read the message: the frame is not a server's")
        if length >= 126:
            length = int.from_bytes(await self._take(2 if length == 126 else 8), "big")
        if length > room:
            raise too_large(self._max_message_bytes)
        return bool(first & _FINAL), first & 0x0F, await self._take(length)

    async def _take(self, count: int) -> bytes:
        buffer = self._buffer
        while len(buffer) < count:
            try:
                buffer += await self._stream.receive(_READ_BYTES)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                raise anyio.EndOfStream from None
        taken = bytes(buffer[:count])
        del buffer[:count]
        return taken

    async def _write(self, opcode: int, payload: bytes) -> None:
        # One after another: the answer to a ping may be due while a message is on its way.
        async with self._writing:
            await self._write_frame(opcode, payload)

    async def _write_frame(self, opcode: int, payload: bytes) -> None:
        if self._broken:
            raise anyio.BrokenResourceError
        size = len(payload)
        head = bytearray((_FINAL | opcode,))
        if size < 126:
            head.append(_MASKED | size)
        elif size < 1 << 16:
            head.append(_MASKED | 126)
            head += size.to_bytes(2, "big")
        else:
            head.append(_MASKED | 127)
            head += size.to_bytes(8, "big")
        key = os.urandom(4)
        head += key
        await anyio.lowlevel.checkpoint_if_cancelled()
        # Broken until it is out: a write cut short by cancellation leaves half a frame behind. What
        # goes out at once anyway is not cut short, so that a call can be given up.
        self._broken = True
        is_small = size <= _SHIELDED_BYTES
        with anyio.CancelScope(shield=is_small) as scope:
            if is_small:
                scope.deadline = anyio.current_time() + _SHIELDED_S
            try:
                await self._stream.send(bytes(head) + _masked(payload, key))
            except anyio.ClosedResourceError:
                raise anyio.BrokenResourceError from None
            self._broken = False
        if self._broken:
            raise anyio.BrokenResourceError


def _content_length(head: bytes) -> int | None:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return None


def _masked(payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")
