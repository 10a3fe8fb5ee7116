"""Runs of tasks within the daemon: what the supervisor relies on."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.commands import Command, Process, collect
from harness.errors import ActionError, StartFailed, StopFailed
from harness.executors import (
    Completion,
    Recovery,
    StartRequest,
    TypedExecutor,
    TypedOptions,
    typed,
)
from harness.model import ExitStatus, Handle, UnitKind
from tests.processes import is_alive

Work = Callable[[], Coroutine[Any, Any, Mapping[str, Any]]]


class Run:
    """What a test lets a task do."""

    def __init__(self, work: Work) -> None:
        self.execute = work

    async def completion(self) -> Completion | None:
        return None


class Bench:
    """An executor whose runs do what a test says, and its run directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.work: Work = self.for_ever
        self.executor = TypedExecutor(self._begin)

    async def _begin(self, request: StartRequest) -> Run:
        if request.options.task_type == "unknown":
            raise ActionError("cannot use it: nobody knows it", hint="name another")
        return Run(self.work)

    async def for_ever(self) -> Mapping[str, Any]:
        await anyio.sleep_forever()
        return {}

    def request(self, task_type: str = "t") -> StartRequest:
        return StartRequest(
            project="p",
            unit="seed",
            kind=UnitKind.TASK,
            generation=1,
            token="x",
            run_dir=self.directory,
            log_dir=self.directory,
            base_dir=self.directory,
            options=TypedOptions(task_type=task_type),
        )

    async def start(self, work: Work | None = None) -> Handle:
        self.work = work or self.for_ever
        return await self.executor.start(self.request())

    async def stop(self, handle: Handle, timeout_s: float = 5.0) -> ExitStatus:
        with anyio.fail_after(10):
            report = await self.executor.stop(handle, stop_signal="SIGTERM", timeout_s=timeout_s)
        return report.exit


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    async with bench.executor:
        yield bench


async def _two() -> Mapping[str, Any]:
    return {"n": 2}


async def _fails() -> Mapping[str, Any]:
    raise ActionError("cannot do it: no hands")


async def _breaks() -> Mapping[str, Any]:
    return {"it": object()}


CANCELLED = ExitStatus(cause="cancelled")


async def test_everybody_who_waits_gets_the_status_also_later(bench: Bench) -> None:
    handle = await bench.start(_two)
    seen: list[ExitStatus] = []

    async def wait() -> None:
        seen.append(await bench.executor.wait(handle))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(wait)
    assert seen == [ExitStatus(code=0)] * 3
    assert await bench.stop(handle) == ExitStatus(code=0)
    assert await bench.executor.wait(handle) == ExitStatus(code=0)
    assert json.loads((bench.directory / "outputs.json").read_text()) == {"n": 2}


async def test_a_run_that_fails_says_why(bench: Bench) -> None:
    handle = await bench.start(_fails)
    with anyio.fail_after(5):
        assert str(await bench.executor.wait(handle)) == "cannot do it: no hands"


async def test_what_cannot_be_kept_is_a_failure_and_no_success(bench: Bench) -> None:
    handle = await bench.start(_breaks)
    with anyio.fail_after(5):
        status = await bench.executor.wait(handle)
    assert (status.code, "its log says more" in str(status)) == (1, True)


async def test_a_full_disk_at_the_end_of_a_run_that_fails_ends_nothing_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, document: Mapping[str, Any]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(typed, "_write", refuse)
    handle = await bench.start(_fails)
    with anyio.fail_after(5):
        status = await bench.executor.wait(handle)
    assert (status.code, "No space left on device" in str(status)) == (1, True)
    # The next run is seen through as ever.
    monkeypatch.undo()
    handle = await bench.start(_two)
    with anyio.fail_after(5):
        assert await bench.executor.wait(handle) == ExitStatus(code=0)


async def test_a_stop_cancels_a_run_and_a_second_one_reports_the_same(bench: Bench) -> None:
    handle = await bench.start()
    assert await bench.stop(handle) == CANCELLED
    assert await bench.stop(handle) == CANCELLED


@pytest.mark.usefixtures("swept")
async def test_a_stop_ends_what_a_command_has_left_behind(bench: Bench) -> None:
    pid, begun, idle = bench.directory / "pid", bench.directory / "begun", anyio.Event()
    os.mkfifo(begun)
    child = f"echo $$ > {pid}; echo > {begun}; exec sleep 1000"
    line = f"setsid sh -c '{child}' >/dev/null 2>&1 & read -r _ < {begun}"
    env = {"PATH": os.environ["PATH"], "HARNESS_UNIT": bench.request().marker}
    command = Command(argv=("sh", "-c", line), env=env, inherit_env=False)

    async def leave() -> Mapping[str, Any]:
        await collect(Process(command), command)
        idle.set()
        return await bench.for_ever()

    handle = await bench.start(leave)
    with anyio.fail_after(10):
        await idle.wait()
    assert is_alive(int(pid.read_text()))
    assert await bench.stop(handle) == CANCELLED
    assert not is_alive(int(pid.read_text()))
    found = await bench.executor.recover(unit="seed", run_dir=bench.directory, handle=handle)
    assert (found.handle, found.exit) == (None, CANCELLED)


async def test_two_stops_at_once_both_end(bench: Bench) -> None:
    handle = await bench.start()
    ends: list[ExitStatus] = []

    async def stop() -> None:
        ends.append(await bench.stop(handle))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stop)
        tasks.start_soon(stop)
    assert ends == [CANCELLED] * 2


async def test_a_cancelled_wait_does_not_disturb_a_run(bench: Bench) -> None:
    handle = await bench.start()
    with anyio.move_on_after(0):
        await bench.executor.wait(handle)
    recovery = await bench.executor.recover(unit="seed", run_dir=bench.directory, handle=handle)
    assert recovery == Recovery(handle=handle)


async def test_a_run_that_goes_on_although_it_was_cancelled_is_named(bench: Bench) -> None:
    gate = anyio.Event()

    async def stubborn() -> Mapping[str, Any]:
        with anyio.CancelScope(shield=True):
            await gate.wait()
        return {}

    handle = await bench.start(stubborn)
    await anyio.wait_all_tasks_blocked()
    with pytest.raises(StopFailed, match='cannot stop "seed": its class goes on'):
        await bench.stop(handle, timeout_s=0.0)
    gate.set()
    assert await bench.stop(handle) == ExitStatus(code=0)


async def test_a_type_that_cannot_be_used_was_never_started(bench: Bench) -> None:
    with pytest.raises(StartFailed, match="nobody knows it") as raised:
        await bench.executor.start(bench.request("unknown"))
    assert raised.value.hint == "name another"
    found = await bench.executor.recover(unit="seed", run_dir=bench.directory, handle=None)
    assert found == Recovery()


async def test_the_next_daemon_finds_how_a_run_ended(bench: Bench) -> None:
    handle = await bench.start(_fails)
    with anyio.fail_after(5):
        await bench.executor.wait(handle)
    other = Bench(bench.directory).executor
    found = await other.recover(unit="seed", run_dir=bench.directory, handle=handle)
    assert (found.handle, found.exit) == (None, ExitStatus(code=1, cause="cannot do it: no hands"))
    assert found.ended_at is not None


async def test_a_run_that_the_daemons_end_cuts_short_never_ran(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    async with first.executor:
        handle = await first.start()
        await anyio.wait_all_tasks_blocked()
    async with Bench(tmp_path).executor as other:
        found = await other.recover(unit="seed", run_dir=tmp_path, handle=handle)
        assert found == Recovery()
        assert await other.wait(handle) == ExitStatus()
