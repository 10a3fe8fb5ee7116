"""Runs of tasks within the daemon: what the supervisor relies on."""

from __future__ import annotations

import json
import os
import secrets
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
        # Of its own: other tests run beside this one on the same machine.
        self.token = secrets.token_hex(8)
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
            token=self.token,
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

    async def fail() -> Mapping[str, Any]:
        monkeypatch.setattr(typed, "_write", refuse)
        return await _fails()

    handle = await bench.start(fail)
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


class Leaving:
    """A run whose command leaves a process behind, with a session and an environment of its own."""

    def __init__(self, bench: Bench) -> None:
        self._pid, self._begun = bench.directory / "pid", bench.directory / "begun"
        never = bench.directory / "never"
        os.mkfifo(self._begun)
        os.mkfifo(never)
        child = f'trap "" TERM; echo $$ > {self._pid}; echo > {self._begun}; read -r _ < {never}'
        line = (
            f"env -u HARNESS_COMMAND setsid sh -c '{child}' >/dev/null 2>&1 & "
            f"read -r _ < {self._begun}"
        )
        env = {"PATH": os.environ["PATH"], **bench.request().identity}
        self._command = Command(argv=("sh", "-c", line), env=env, inherit_env=False)
        self.idle = anyio.Event()

    async def leave(self) -> Mapping[str, Any]:
        await collect(Process(self._command), self._command)
        self.idle.set()
        return {}

    async def stay(self) -> Mapping[str, Any]:
        await self.leave()
        await anyio.sleep_forever()
        return {}

    def is_left(self) -> bool:
        return is_alive(int(self._pid.read_text()))


@pytest.mark.usefixtures("swept")
async def test_a_stop_ends_what_a_command_has_left_behind(bench: Bench) -> None:
    leaving = Leaving(bench)
    handle = await bench.start(leaving.stay)
    with anyio.fail_after(10):
        await leaving.idle.wait()
    assert leaving.is_left()
    assert await bench.stop(handle) == CANCELLED
    assert not leaving.is_left()
    found = await bench.executor.recover(unit="seed", run_dir=bench.directory, handle=handle)
    assert (found.handle, found.exit) == (None, CANCELLED)


@pytest.mark.usefixtures("swept")
@pytest.mark.parametrize("is_restarted", [False, True])
async def test_a_sweep_ends_what_a_run_has_left_that_ended_by_itself(
    bench: Bench, is_restarted: bool
) -> None:
    leaving = Leaving(bench)
    handle = await bench.start(leaving.leave)
    with anyio.fail_after(10):
        await bench.executor.wait(handle)
        assert leaving.is_left()
        executor = Bench(bench.directory).executor if is_restarted else bench.executor
        (command,) = await executor.sweep(bench.directory)
        assert command.startswith("sh -c 'trap ")
        assert not leaving.is_left()
        assert await executor.sweep(bench.directory) == ()
    assert await executor.wait(handle) == ExitStatus(code=0)


async def test_a_run_that_never_began_leaves_nothing_to_sweep(bench: Bench) -> None:
    assert await bench.executor.sweep(bench.directory) == ()


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
