"""The small client against a complete implementation of the protocol."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketStream
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)

from harness.client.websocket import ClientWebSocket
from harness.errors import DaemonUnavailable, MalformedMessage, ProtocolError


class _Peer:
    """A server's end, played by the test."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._events: list[Event] = []

    async def event(self) -> Event:
        while not self._events:
            self._protocol.receive_data(await self.stream.receive())
            self._events.extend(self._protocol.events())
        return self._events.pop(0)

    async def text(self, size: int) -> str:
        """Return the next so many characters of text, at least."""
        received = ""
        while len(received) < size:
            event = await self.event()
            assert isinstance(event, TextMessage)
            received += event.data
        return received

    async def send(self, *events: Event) -> None:
        await self.stream.send(b"".join(self._protocol.send(event) for event in events))


@asynccontextmanager
async def _streams(directory: str) -> AsyncIterator[tuple[SocketStream, SocketStream]]:
    path = os.path.join(directory, "socket")
    with anyio.fail_after(10):
        async with await anyio.create_unix_listener(path) as listener:
            client = await anyio.connect_unix(path)
            server = await listener.accept()
            async with client, server:
                yield client, server


@asynccontextmanager
async def _connected(
    directory: str, *, max_message_bytes: int = 1 << 24
) -> AsyncIterator[tuple[ClientWebSocket, _Peer]]:
    async with _streams(directory) as (client, server):
        peer = _Peer(server)
        websocket = ClientWebSocket(client, max_message_bytes=max_message_bytes)

        async def accept() -> None:
            assert isinstance(await peer.event(), Request)
            # The first message comes with the handshake.
            await peer.send(AcceptConnection(), TextMessage(data="welcome"))

        async with anyio.create_task_group() as group:
            group.start_soon(accept)
            await websocket.handshake()
        assert await websocket.receive() == "welcome"
        yield websocket, peer


@pytest.mark.parametrize("size", [0, 1, 3, 125, 126, 127, 65_535, 65_536, 300_000])
async def test_messages_of_every_length_arrive_in_both_directions(tmp_path, size):
    text = "é" * (size // 2) + "x" * (size % 2)
    async with _connected(str(tmp_path)) as (websocket, peer):

        async def echo() -> None:
            received = ""
            while True:
                event = await peer.event()
                assert isinstance(event, TextMessage)
                received += event.data
                if event.message_finished:
                    break
            await peer.send(TextMessage(data=received))

        async with anyio.create_task_group() as group:
            group.start_soon(echo)
            await websocket.send(text)
            assert await websocket.receive() == text


async def test_a_message_in_pieces_with_a_ping_between_them_arrives_whole(tmp_path):
    async with _connected(str(tmp_path)) as (websocket, peer):
        await peer.send(
            TextMessage(data="one ", message_finished=False),
            Ping(payload=b"there?"),
            TextMessage(data="two", message_finished=True),
        )
        assert await websocket.receive() == "one two"
        pong = await peer.event()
        assert isinstance(pong, Pong)
        assert pong.payload == b"there?"


async def test_the_end_is_seen_and_said(tmp_path):
    async with _connected(str(tmp_path)) as (websocket, peer):
        await peer.send(CloseConnection(code=1001))
        with pytest.raises(anyio.EndOfStream):
            await websocket.receive()
        await websocket.aclose()
        assert isinstance(await peer.event(), CloseConnection)


async def test_a_message_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    async with _connected(str(tmp_path), max_message_bytes=1_000) as (websocket, peer):
        # Only the head of a frame of a gigabyte.
        await peer.stream.send(bytes([0x81, 127]) + (1 << 30).to_bytes(8, "big"))
        with pytest.raises(MalformedMessage, match="larger than 1000 bytes"):
            await websocket.receive()


async def test_a_frame_that_only_a_client_may_send_is_refused(tmp_path):
    async with _connected(str(tmp_path)) as (websocket, peer):
        await peer.stream.send(bytes([0x81, 0x81, 0, 0, 0, 0, 0]))
        with pytest.raises(MalformedMessage):
            await websocket.receive()


async def test_after_a_send_was_cut_short_nothing_more_is_sent(tmp_path):
    async with _connected(str(tmp_path)) as (websocket, _):
        with anyio.move_on_after(0.05):
            await websocket.send("x" * 10_000_000)
        with pytest.raises(anyio.BrokenResourceError):
            await websocket.send("y")


async def test_a_send_that_is_given_up_leaves_the_connection_usable(tmp_path):
    async with _connected(str(tmp_path)) as (websocket, peer):
        with anyio.CancelScope() as before:
            before.cancel()
            await websocket.send("never")
        async with anyio.create_task_group() as group:
            group.start_soon(websocket.send, "on its way")
            await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        await websocket.send("last")

        texts: list[str] = []
        while texts[-1:] != ["last"]:
            event = await peer.event()
            assert isinstance(event, TextMessage)
            texts.append(event.data)
    assert "never" not in texts


async def test_somebody_who_hangs_up_is_no_daemon(tmp_path):
    async with _streams(str(tmp_path)) as (client, server):
        await server.aclose()
        with pytest.raises(DaemonUnavailable):
            await ClientWebSocket(client).handshake()


async def test_a_refusal_is_reported_with_its_reason(tmp_path):
    async with _streams(str(tmp_path)) as (client, server):
        await server.send(b"HTTP/1.1 426 Upgrade Required\r\n\r\n")
        with pytest.raises(ProtocolError, match="426 Upgrade Required"):
            await ClientWebSocket(client).handshake()


async def test_a_ping_while_a_message_is_on_its_way_is_answered_after_it(tmp_path):
    text = "x" * 10_000_000
    async with _connected(str(tmp_path)) as (websocket, peer):
        async with anyio.create_task_group() as group:
            group.start_soon(websocket.send, text)
            await anyio.wait_all_tasks_blocked()
            await peer.send(Ping(payload=b"there?"), TextMessage(data="one"))
            received: list[str] = []

            async def receive() -> None:
                received.append(await websocket.receive())

            group.start_soon(receive)
            await anyio.wait_all_tasks_blocked()
            size = 0
            while not isinstance(event := await peer.event(), Pong):
                assert isinstance(event, TextMessage)
                size += len(event.data)
        assert size == len(text)
        assert received == ["one"]
        await websocket.send("more")
        assert (await peer.event()) == TextMessage(data="more")


async def test_a_small_message_that_is_given_up_goes_out_whole(tmp_path):
    texts = ["a" * 131_072, "b" * 131_072, "c" * 131_072]
    async with _connected(str(tmp_path)) as (websocket, peer):
        scope = anyio.CancelScope()

        async def send_all() -> None:
            with scope:
                for text in texts:
                    await websocket.send(text)

        async with anyio.create_task_group() as group:
            group.start_soon(send_all)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()  # nobody reads yet, so that one of them is half out
            await anyio.wait_all_tasks_blocked()
            received = await peer.text(len(texts[0] + texts[1]))
        await websocket.send("after")
        assert received + await peer.text(5) == texts[0] + texts[1] + "after"
