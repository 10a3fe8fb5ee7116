"""What clients do to a real daemon, and that nobody else notices."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream

from harness.client.websocket import ClientWebSocket
from harness.errors import DaemonUnavailable
from harness.protocol import Endpoint
from tests.requirements import require
from tests.unit.daemon.daemon_process import client_of, foreground_daemon, stack, up

pytestmark = pytest.mark.timeout(60)

_MANY_LINES = """
name: shop
services:
  db: {type: process, command: [sh, -c, "yes 0123456789 | head -c 4400000; exec sleep 1000"]}
"""


async def _websocket(endpoint: Endpoint) -> ClientWebSocket:
    websocket = ClientWebSocket(await anyio.connect_unix(endpoint.socket_path))
    await websocket.handshake()
    return websocket


async def _read_to_the_end(stream: Any) -> None:
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            await stream.receive()


async def _request(endpoint: Endpoint, head: bytes) -> tuple[bytes, bytes]:
    """Send bytes and return the status line and the body of the answer."""
    async with await anyio.connect_unix(endpoint.socket_path) as stream:
        await stream.send(head)
        answer = b"".join([part async for part in stream])
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.partition(b"\r\n")[0], body


_GARBAGE = [
    ("hello", -32700, None),
    ("[" * 100_000, -32700, None),
    ("[]", -32600, None),
    ("42", -32600, None),
    ('{"jsonrpc": "1.0", "id": 1, "method": "daemon.status"}', -32600, 1),
    ('{"jsonrpc": "2.0", "id": {}, "method": "daemon.status"}', -32600, None),
    ('{"jsonrpc": "2.0", "id": 7, "method": "nope"}', -32601, 7),
    ('{"jsonrpc": "2.0", "id": 7, "method": "services.status", "params": [1]}', -32600, 7),
    ('{"jsonrpc": "2.0", "id": 7, "method": "services.status", "params": {}}', -32602, 7),
    ('{"jsonrpc": "2.0", "id": 7, "result": 1}', -32600, None),
]


async def test_garbage_is_answered_with_an_error_and_the_connection_goes_on(endpoint):
    async with foreground_daemon(endpoint):
        websocket = await _websocket(endpoint)
        for text, code, identifier in _GARBAGE:
            await websocket.send(text)
            answer = json.loads(await websocket.receive())
            assert (answer["error"]["code"], answer["id"], text) == (code, identifier, text)
            assert answer["error"]["data"]["kind"]
        await websocket.send('{"jsonrpc": "2.0", "id": "x", "method": "daemon.status"}')
        assert json.loads(await websocket.receive())["result"]["pid"]
        await websocket.aclose()


async def test_a_message_of_100_megabytes_ends_its_connection_and_no_other(endpoint):
    refused: list[Any] = []

    async def send_too_much() -> None:
        websocket = await _websocket(endpoint)
        try:
            await websocket.send("x" * 100_000_000)
            refused.append(json.loads(await websocket.receive()))
            await websocket.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError) as error:
            refused.append(error)
        await websocket.aclose()

    async with foreground_daemon(endpoint), client_of(endpoint, start=False) as other:
        async with anyio.create_task_group() as group:
            group.start_soon(send_too_much)
            for _ in range(100):
                await other.daemon.status()
        assert refused
        assert refused[0]["error"]["data"]["kind"] == "malformed-message"
        assert isinstance(refused[-1], anyio.EndOfStream)
        assert (await other.daemon.status())["rss_bytes"] < 160 * 2**20


async def test_a_client_that_never_reads_is_disconnected_and_no_other(endpoint, tmp_path):
    async with (
        foreground_daemon(endpoint, "--send-timeout", "0.5"),
        client_of(endpoint, start=False) as other,
    ):
        await up(other, stack(tmp_path / "shop", _MANY_LINES))
        silent = await _websocket(endpoint)
        call = {"jsonrpc": "2.0", "id": 1, "method": "logs.read"}
        params = {"project": "shop", "follow": True}
        await silent.send(json.dumps({**call, "params": params}))
        while (await other.daemon.status())["connections"] > 1:
            await other.services.status(project="shop")
        await _read_to_the_end(silent)
        await silent.aclose()


async def test_a_reader_that_pauses_is_not_disconnected_and_loses_nothing(endpoint, tmp_path):
    async with (
        foreground_daemon(endpoint, "--send-timeout", "0.3"),
        client_of(endpoint, start=False) as other,
    ):
        await up(other, stack(tmp_path / "shop", _MANY_LINES))
        async with (
            client_of(endpoint, start=False) as client,
            client.logs.read(project="shop", follow=True) as chunks,
        ):
            received = len((await anext(chunks))["text"])
            # Longer than the daemon bears somebody who does not read.
            began = anyio.current_time()
            while anyio.current_time() < began + 1:
                await other.daemon.status()
            while received < 4_400_000:
                received += len((await anext(chunks))["text"])
        assert received == 4_400_000


async def test_a_client_that_says_nothing_holds_nobody_up(endpoint):
    async with foreground_daemon(endpoint):
        silent: list[SocketStream] = [
            await anyio.connect_unix(endpoint.socket_path) for _ in range(50)
        ]
        async with client_of(endpoint, start=False) as client:
            await client.daemon.status()
        for stream in silent:
            await stream.aclose()


async def test_http_requests_are_answered(endpoint):
    async with foreground_daemon(endpoint) as process:
        status, body = await _request(endpoint, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" in status
        assert json.loads(body)["pid"] == process.pid
        status, _ = await _request(endpoint, b"GET /rpc HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"426" in status
        status, _ = await _request(endpoint, b"GET /etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"404" in status
        status, _ = await _request(endpoint, b"\x00\xff nonsense\r\n\r\n")
        assert b"400" in status
        status, _ = await _request(endpoint, b"GET /" + b"x" * 100_000)
        assert b"4" in status
        async with client_of(endpoint, start=False) as client:
            await client.daemon.status()


async def test_garbage_frames_end_their_connection_and_no_other(endpoint):
    async with foreground_daemon(endpoint), client_of(endpoint, start=False) as other:
        stream = await anyio.connect_unix(endpoint.socket_path)
        await ClientWebSocket(stream).handshake()
        await stream.send(os.urandom(64) + b"\xff" * 10_000)
        await _read_to_the_end(stream)
        await stream.aclose()
        await other.daemon.status()
    # It is the client's fault, and no defect of the daemon.
    assert "Traceback" not in endpoint.log_path.read_text()


async def test_another_users_process_is_refused(endpoint, tmp_path):
    require("root", os.geteuid() == 0, "only root can act as another user")
    program = """
import socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[1])
try:
    peer.sendall(b"GET /health HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    print(peer.recv(100))
except ConnectionError:
    print(b"")
"""
    async with foreground_daemon(endpoint):
        # As if somebody had opened the directory and the socket to everybody.
        opened = [endpoint.socket_path, endpoint.state_dir, *endpoint.state_dir.parents[:-2]]
        for path in opened:
            os.chmod(path, os.stat(path).st_mode | 0o777)
        done = await anyio.run_process(
            ["/usr/bin/env", _python(), "-c", program, str(endpoint.socket_path)], user=65534
        )
        assert done.stdout.strip() == b"b''"
        async with client_of(endpoint, start=False) as client:
            await client.daemon.status()


def _python() -> str:
    """Return an interpreter that every user can start."""
    system = Path("/usr/bin/python3")
    return str(system) if system.exists() else sys.executable


async def test_a_daemon_that_ends_while_it_answers_is_reported(endpoint):
    async with foreground_daemon(endpoint) as process, client_of(endpoint, start=False) as client:
        process.kill()
        await client.connection.wait_closed()
        with pytest.raises(DaemonUnavailable, match="closed the connection"):
            await client.daemon.status()
