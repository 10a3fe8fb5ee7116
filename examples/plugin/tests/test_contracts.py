"""The shipped suites over what this distribution brings."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import SocketStream
from harness_forking.executor import ForkingExecutor, ForkingOptions
from harness_forking.key_values import KeyValues
from harness_forking.talk import Talk, TalkOptions

from harness.testing import ExecutorContract, HealthCheckContract, ServiceTypeContract

# What a program does that goes into the background.
_FORK = """setsid --fork sh -c 'echo $$ >"$PIDFILE"; exec "$@"' sh "$@" """


class TestForking(ExecutorContract):
    executor = ForkingExecutor
    reports_status = False

    def command(self, *argv: str) -> ForkingOptions:
        return ForkingOptions(command=("sh", "-c", _FORK, "sh", *argv), pid_file="unit.pid")

    def cannot_start(self) -> ForkingOptions:
        return ForkingOptions(command=("no-such-program-anywhere",), pid_file="unit.pid")


class TestTalk(HealthCheckContract):
    health_check = Talk

    @asynccontextmanager
    async def _server(self, answer: bytes) -> AsyncIterator[TalkOptions]:
        async def serve(stream: SocketStream) -> None:
            async with stream:
                await stream.receive()
                if answer:
                    await stream.send(answer)
                else:
                    await anyio.sleep_forever()

        async with (
            await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(listener.serve, serve)
            yield TalkOptions(port=listener.extra(anyio.abc.SocketAttribute.local_port))
            tasks.cancel_scope.cancel()

    def passing(self, directory: Path):
        return self._server(b"+PONG\r\n")

    def hanging(self, directory: Path):
        return self._server(b"")

    @asynccontextmanager
    async def failing(self, directory: Path) -> AsyncIterator[TalkOptions]:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            yield TalkOptions(port=taken.getsockname()[1])


class TestKeyValues(ServiceTypeContract):
    service_type = KeyValues
    stack = f"""
name: key-values-contract
services:
  store:
    type: forking
    command: {sys.executable} -m harness_forking.server --port ${{store.port}} --pid-file kv.pid
    pid_file: kv.pid
    service_type: key-values
    ports: {{main: auto}}
    health_check: {{custom: {{talk: {{port: "${{store.port}}"}}}}}}
"""
    service = "store"
    calls = {"fill": {"values": {"a": "1", "b": "two words"}}, "get": {"key": "a"}}
    endless = {"appears": {"key": "never"}}
