"""A real daemon process, in a temporary state directory, and stacks for it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process

from harness.client import Client, connect, make_source
from harness.protocol import Endpoint

__all__ = ["daemon_pid", "ended", "foreground_daemon", "is_alive", "kill_all", "stack", "up"]

_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@asynccontextmanager
async def foreground_daemon(endpoint: Endpoint, *options: str) -> AsyncIterator[Process]:
    """Run a daemon as a child, from its readiness on; it is killed at the end if it still runs."""
    command = [sys.executable, "-P", "-m", "harness.daemon", *options]
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


def daemon_pid(endpoint: Endpoint) -> int:
    """Return the pid of the daemon of a state directory."""
    return int((endpoint.state_dir / "daemon.pid").read_text())


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


async def ended(pid: int) -> None:
    """Return when a process that is no child has ended."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            await anyio.wait_readable(descriptor)
        finally:
            os.close(descriptor)


@asynccontextmanager
async def kill_all(endpoint: Endpoint) -> AsyncIterator[None]:
    """End the daemon of a state directory, and all it runs, when the test is over."""
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(10), suppress(Exception):
            async with connect(endpoint, start=True) as client:
                await client.daemon.stop()
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(daemon_pid(endpoint), signal.SIGKILL)


def stack(directory: Path, text: str) -> dict[str, Any]:
    """Write a stack file and return the source that names it."""
    directory.mkdir(exist_ok=True)
    (directory / "harness.yaml").write_text(text)
    return make_source(directory=str(directory), env=_ENV)


async def up(client: Client, source: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Bring a stack up and return the status of its units by name."""
    operation = await client.services.up(source=source)
    ended_operation = await client.operations.wait(id=operation["id"])
    assert ended_operation["state"] == "done", ended_operation
    status = await client.services.status(project=operation["project"])
    return {unit["name"]: unit for unit in status["services"]}
