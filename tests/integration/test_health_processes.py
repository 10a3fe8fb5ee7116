"""Health against real processes and sockets, in real time."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteStream, Process

from harness.clock import SystemClock
from harness.health import CheckRunner, Monitor
from harness.model import (
    CheckSpec,
    CommandCheck,
    CompositeCheck,
    CompositeMode,
    ExitStatus,
    HealthSpec,
    HttpCheck,
    LogCheck,
    ProbeSpec,
    Stage,
    TcpCheck,
)
from tests.unit.health.scripted import Recorder
from tests.unit.health.servers import free_port, http_service, response, tcp_service


class ProcessUnit:
    """A `ProbeContext` that runs commands here and takes the output of one process as log."""

    def __init__(self, process: Process | None = None) -> None:
        self.process = process

    async def run_command(
        self, argv: tuple[str, ...], *, timeout_s: float
    ) -> tuple[ExitStatus, str]:
        async with await anyio.open_process(argv, start_new_session=True) as process:
            try:
                assert process.stdout is not None
                output = b"".join([chunk async for chunk in process.stdout])
                status = ExitStatus.from_returncode(await process.wait())
            finally:
                with anyio.CancelScope(shield=True):
                    if process.returncode is None:
                        os.killpg(process.pid, signal.SIGKILL)
                        await process.wait()
        return status, output.decode()

    async def log_lines(self) -> AsyncGenerator[tuple[str, str], None]:
        assert self.process is not None
        assert self.process.stdout is not None
        rest = b""
        async for chunk in self.process.stdout:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield "stdout", line.decode()


def ready(check: CheckSpec, **settings: float) -> HealthSpec:
    probe = ProbeSpec(check=check, **settings)  # type: ignore[arg-type]
    return HealthSpec(stages=(Stage(name="ready", probe=probe),))


@asynccontextmanager
async def monitored(
    spec: HealthSpec, unit: ProcessUnit | None = None
) -> AsyncIterator[tuple[Monitor, Recorder]]:
    seen = Recorder()
    async with anyio.create_task_group() as tasks:
        monitor = Monitor(
            spec=spec,
            runner=CheckRunner(),
            context=unit or ProcessUnit(),
            clock=SystemClock(),
            observe=seen,
        )
        tasks.start_soon(monitor.run)
        yield monitor, seen
        tasks.cancel_scope.cancel()


async def quiet(stream: ByteStream) -> None:
    await stream.receive()


async def test_a_hanging_command_is_killed_with_its_children_at_the_timeout(
    tmp_path: Path,
) -> None:
    pid_file = tmp_path / "child"
    script = f'sleep 60 & echo $! > "{pid_file}"; wait'
    check = CommandCheck(argv=("/bin/sh", "-c", script))
    result = await CheckRunner().run(check, context=ProcessUnit(), timeout_s=1.0)
    assert (result.ok, result.message) == (False, "no answer within 1 s")
    child = int(await anyio.Path(pid_file).read_text())
    with anyio.fail_after(10):
        await _ended(child)


async def test_a_command_check_shows_the_status_and_output_of_a_real_program() -> None:
    check = CommandCheck(argv=("/bin/sh", "-c", "echo starting; echo not yet; exit 3"))
    result = await CheckRunner().run(check, context=ProcessUnit(), timeout_s=10)
    assert (result.ok, result.message) == (False, "exit status 3: not yet")


async def test_a_service_that_starts_to_listen_later_becomes_healthy() -> None:
    port = await free_port()
    async with monitored(ready(TcpCheck(port=str(port)))) as (monitor, seen):
        await seen.until(lambda s: len(s.tries) >= 3)
        assert monitor.report().probes[0].message == "connection refused"
        async with tcp_service(quiet, port=port):
            await seen.until(lambda s: s.changes == ["starting→healthy"])


async def test_a_service_that_fails_and_comes_back_is_seen_both_times() -> None:
    spec = {"interval_s": 0.02, "retries": 2}
    async with http_service(response("ok")) as service:
        check = HttpCheck(url=service.url, body="ok")
        async with monitored(ready(check, **spec)) as (_, seen):
            await seen.until(lambda s: len(s.changes) == 1)
            service.answer = response("no", status=500)
            await seen.until(lambda s: len(s.changes) == 2)
            service.answer = response("ok")
            await seen.until(lambda s: len(s.changes) == 3)
    assert seen.changes == ["starting→healthy", "healthy→unhealthy", "unhealthy→healthy"]


async def test_a_real_program_is_ready_when_its_line_and_its_port_are_there() -> None:
    program = (
        "import socket; s = socket.create_server(('127.0.0.1', 0));"
        "print('listening on', s.getsockname()[1], flush=True); s.accept(); s.accept()"
    )
    async with await anyio.open_process([sys.executable, "-c", program]) as process:
        unit = ProcessUnit(process)
        line = LogCheck(pattern=r"^listening on \d+$")
        parts = (line, CommandCheck(argv=("true",)))
        check = CompositeCheck(mode=CompositeMode.ALL, checks=parts)
        async with monitored(ready(check), unit) as (monitor, seen):
            await seen.until(lambda s: s.stages == ["ready"])
        assert "listening" in (monitor.report().probes[0].message or "")
        process.kill()


@pytest.mark.parametrize("kind", ["tcp", "http"])
async def test_a_chain_of_fifty_services_costs_at_most_twenty_milliseconds_a_link(
    kind: str,
) -> None:
    links = 50
    began = anyio.current_time()
    async with http_service(response("ok")) as service:
        runner = CheckRunner()
        tcp = TcpCheck(port=str(service.port))
        check: CheckSpec = tcp if kind == "tcp" else HttpCheck(url=service.url)
        for _ in range(links):
            seen = Recorder()
            async with anyio.create_task_group() as tasks:
                monitor = Monitor(
                    spec=ready(check),
                    runner=runner,
                    context=ProcessUnit(),
                    clock=SystemClock(),
                    observe=seen,
                )
                tasks.start_soon(monitor.run)
                await seen.until(lambda s: s.stages)
                tasks.cancel_scope.cancel()
    assert anyio.current_time() - began <= links * 0.02


async def _ended(pid: int) -> None:
    """Return once the process has ended: a kill is sent before it is obeyed."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await anyio.wait_readable(descriptor)
    finally:
        os.close(descriptor)
