"""A real daemon process, in a temporary state directory, and stacks for it.

Whatever a test leaves running is ended by the fixture `swept`, which knows it by that directory.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process

from harness.client import Client, connect, make_source
from harness.client.results import UnitStatus
from harness.protocol import Endpoint

__all__ = [
    "TEST_S",
    "Gate",
    "client_of",
    "daemon_pid",
    "ended",
    "foreground_daemon",
    "stack",
    "up",
]

TEST_S = 50.0
"""A deadline for a whole test, which is no measure of the product."""

_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
_GATED = """
name: shop
tasks:
  seed: {type: process, command: [sh, -c, "echo begun; read line < gate; echo finished"]}
"""


@asynccontextmanager
async def foreground_daemon(endpoint: Endpoint, *options: str) -> AsyncIterator[Process]:
    """Run a daemon as a child, from its readiness on; it is killed at the end if it still runs."""
    command = [sys.executable, "-P", "-m", "harness.daemon", *options]
    with anyio.fail_after(TEST_S):
        async with await anyio.open_process(
            [*command, "--state-dir", str(endpoint.state_dir)], stdout=None
        ) as process:
            try:
                assert process.stderr is not None
                said = b""
                while b"ready" not in said:
                    said += await process.stderr.receive()
                yield process
            finally:
                with suppress(ProcessLookupError):
                    process.kill()


@asynccontextmanager
async def client_of(endpoint: Endpoint, *, start: bool = True) -> AsyncIterator[Client]:
    """Be a client of a daemon, which is started if need be, for as long as a test may take."""
    with anyio.fail_after(TEST_S):
        async with connect(endpoint, start=start) as client:
            yield client


def daemon_pid(endpoint: Endpoint) -> int:
    """Return the pid of the daemon of a state directory."""
    return int((endpoint.state_dir / "daemon.pid").read_text())


async def ended(pid: int) -> None:
    """Return when a process that is no child has ended."""
    with suppress(ProcessLookupError), anyio.fail_after(TEST_S):
        descriptor = os.pidfd_open(pid)
        try:
            await anyio.wait_readable(descriptor)
        finally:
            os.close(descriptor)


def stack(directory: Path, text: str) -> dict[str, Any]:
    """Write a stack file and return the source that names it."""
    directory.mkdir(exist_ok=True)
    (directory / "harness.yaml").write_text(text)
    return make_source(directory=str(directory), env=_ENV)


async def up(client: Client, source: dict[str, Any]) -> dict[str, UnitStatus]:
    """Bring a stack up and return the status of its units by name."""
    operation = await client.services.up(source=source)
    ended_operation = await client.operations.wait(id=operation["id"])
    assert ended_operation["state"] == "done", ended_operation
    status = await client.services.status(project=operation["project"])
    return {unit["name"]: unit for unit in status["services"]}


class Gate:
    """A stack of one task that has begun and ends when the test says so."""

    def __init__(self, directory: Path) -> None:
        self._source = stack(directory, _GATED)
        self._path = directory / "gate"
        os.mkfifo(self._path)

    async def begun(self, client: Client) -> str:
        """Bring the stack up; return the operation's id once the task has begun."""
        operation = await client.services.up(source=self._source)
        async with client.logs.read(project="shop", follow=True) as chunks:
            assert "begun" in (await anext(chunks))["text"]
        return str(operation["id"])

    async def open(self) -> None:
        """Let the task end."""
        async with await anyio.open_file(self._path, "w") as file:
            await file.write("go\n")
