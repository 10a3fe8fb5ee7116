from __future__ import annotations

import errno
import json
import os
import stat

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketListener, SocketStream
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, Ping, Pong, Request, TextMessage

from harness.client import connect
from harness.daemon.dispatcher import Dispatcher
from harness.daemon.server import Server, is_allowed_peer, peer_uid
from harness.daemon.session import Limits
from harness.daemon.websocket import accept_websocket
from harness.errors import StorageError
from harness.protocol import Endpoint
from tests.requirements import require
from tests.unit.daemon.serving import HANDLERS, serving


def test_only_the_user_and_root_may_connect():
    assert is_allowed_peer(os.geteuid())
    assert is_allowed_peer(0)
    assert not is_allowed_peer(65_534)


async def test_the_user_at_the_other_end_of_a_socket_is_known(tmp_path):
    async with (
        await anyio.create_unix_listener(tmp_path / "s") as listener,
        await anyio.connect_unix(tmp_path / "s"),
        await listener.accept() as stream,
    ):
        assert peer_uid(stream) == os.geteuid()


async def test_a_socket_of_a_killed_daemon_is_replaced_and_removed_at_the_end(tmp_path):
    path = Endpoint(tmp_path).socket_path
    await (await anyio.create_unix_listener(path)).aclose()
    server = Server(Dispatcher(HANDLERS))
    with anyio.fail_after(10):
        async with server.running():
            await server.listen(path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            async with connect(Endpoint(tmp_path), start=False) as client:
                await client.daemon.status()
    assert not path.exists()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ECONNABORTED, errno.EHOSTUNREACH])
async def test_a_connection_that_cannot_be_accepted_does_not_end_the_others(monkeypatch, number):
    monkeypatch.setattr("harness.daemon.server._ACCEPT_PAUSE_S", 0.0)
    failures = [OSError(number, "cannot"), OSError(number, "cannot")]
    server = Server(Dispatcher(HANDLERS))
    served = anyio.Event()

    async def accept() -> SocketStream:
        await anyio.lowlevel.checkpoint()
        if failures:
            raise failures.pop()
        return await real_accept()

    async def serve(stream: SocketStream) -> None:
        await stream.aclose()
        served.set()

    with anyio.fail_after(10):
        async with (
            await anyio.create_tcp_listener(local_host="127.0.0.1") as listeners,
            server.running(),
        ):
            (listener,) = listeners.listeners
            assert isinstance(listener, SocketListener)
            real_accept = listener.accept
            monkeypatch.setattr(listener, "accept", accept)
            server.start_soon(server.accept, listener, serve)
            port = listeners.extra(SocketAttribute.local_port)
            async with await anyio.connect_tcp("127.0.0.1", port):
                await served.wait()
    assert not failures


async def test_open_connections_go_on_when_listening_stops(tmp_path):
    server = Server(Dispatcher(HANDLERS))
    endpoint = Endpoint(tmp_path)
    with anyio.fail_after(10):
        async with server.running():
            await server.listen(endpoint.socket_path)
            async with connect(endpoint, start=False) as client:
                server.stop_listening()
                await anyio.wait_all_tasks_blocked()
                assert not endpoint.socket_path.exists()
                await client.daemon.status()


async def test_a_socket_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    server = Server(Dispatcher(HANDLERS))
    async with server.running():
        with pytest.raises(StorageError, match="file"):
            await server.listen(tmp_path / "file" / "socket")


async def test_a_directory_that_a_link_leads_to_is_fine(tmp_path):
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    endpoint = Endpoint(tmp_path / "link")
    server = Server(Dispatcher(HANDLERS))
    with anyio.fail_after(10):
        async with server.running():
            await server.listen(endpoint.socket_path)
            async with connect(endpoint, start=False) as client:
                await client.daemon.status()


async def test_a_directory_of_another_user_is_refused(tmp_path):
    require("root", os.geteuid() == 0, "only root can make another user's directory")
    os.chown(tmp_path, 65_534, 65_534)
    server = Server(Dispatcher(HANDLERS))
    async with server.running():
        with pytest.raises(StorageError, match="it belongs to another user"):
            await server.listen(tmp_path / "socket")
    assert list(tmp_path.iterdir()) == []


async def test_more_connections_than_allowed_are_refused_and_the_others_go_on():
    limits = Limits(connections=1, handshake_s=1)
    with anyio.fail_after(10):
        async with serving(over="socket", limits=limits) as server, server.client() as client:
            async with await anyio.connect_unix(server.path) as second:
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await second.receive()
            await client.daemon.status()


async def test_a_handshake_that_takes_too_long_is_ended():
    with anyio.fail_after(10):
        async with (
            serving(over="socket", limits=Limits(handshake_s=0.05)) as server,
            await anyio.connect_unix(server.path) as slow,
        ):
            await slow.send(b"GET /rpc HT")
            with pytest.raises(anyio.EndOfStream):
                await slow.receive()


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        (b"GET /health HTTP/1.1", b"", 200),
        (b"GET /health?x=1 HTTP/1.1", b"", 200),
        (b"POST /health HTTP/1.1", b"Content-Length: 0\r\n", 404),
        (b"GET /rpc HTTP/1.1", b"", 426),
        (b"GET /rpc HTTP/1.1", b"Upgrade: websocket\r\nConnection: Upgrade\r\n", 400),
        (b"GET / HTTP/1.1", b"", 404),
        (b"hello", b"", 400),
    ],
)
async def test_requests_get_the_status_they_deserve(request_line, headers, status):
    with anyio.fail_after(10):
        async with (
            serving(over="socket") as server,
            await anyio.connect_unix(server.path) as stream,
        ):
            await stream.send(request_line + b"\r\nHost: x\r\n" + headers + b"\r\n")
            answer = b"".join([part async for part in stream])
    head, _, body = answer.partition(b"\r\n\r\n")
    assert int(head.split(b" ", 2)[1]) == status
    assert json.loads(body)


async def test_a_message_over_a_socket_that_is_too_large_closes_it_and_no_other():
    with anyio.fail_after(10):
        async with (
            serving(over="socket", max_message_bytes=100_000) as server,
            server.client() as other,
            server.client() as client,
        ):
            with pytest.raises(Exception, match="larger than 100000 bytes"):
                await client.services.status(project="x" * 5_000_000)
            await other.daemon.status()


async def test_a_ping_while_a_message_is_on_its_way_is_answered_after_it(tmp_path):
    text = "x" * 10_000_000
    protocol = WSConnection(ConnectionType.CLIENT)
    got: list[object] = []
    accepted, received = anyio.Event(), anyio.Event()

    async def serve(stream: SocketStream) -> None:
        websocket = await accept_websocket(stream, health={})
        assert websocket is not None
        async with anyio.create_task_group() as group:
            group.start_soon(websocket.send, text)
            await anyio.wait_all_tasks_blocked()
            accepted.set()
            got.append(await websocket.receive())
            received.set()

    async def read_until(stream: SocketStream, kind: type[Event]) -> int:
        size = 0
        while True:
            protocol.receive_data(await stream.receive())
            for event in protocol.events():
                if isinstance(event, TextMessage):
                    size += len(event.data)
                if isinstance(event, kind):
                    return size

    with anyio.fail_after(15):
        async with (
            await anyio.create_unix_listener(tmp_path / "s") as listener,
            await anyio.connect_unix(tmp_path / "s") as client,
            await listener.accept() as stream,
            anyio.create_task_group() as group,
        ):
            group.start_soon(serve, stream)
            await client.send(protocol.send(Request(host="localhost", target="/rpc")))
            await accepted.wait()
            await read_until(client, AcceptConnection)
            await client.send(protocol.send(Ping(payload=b"there?")))
            await client.send(protocol.send(TextMessage(data="one")))
            await anyio.wait_all_tasks_blocked()
            size = await read_until(client, Pong)
            await received.wait()
    assert size > 9_000_000
    assert got == ["one"]
