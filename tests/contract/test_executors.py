"""The one suite every executor passes: what the supervisor relies on."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from harness.clock import SystemClock
from harness.commands import Command, Exited, Output
from harness.errors import HandleLost, NotSupported, StartFailed
from harness.executors import Recovery, StartRequest, builtin_executors
from harness.executors.external import ExternalOptions
from harness.executors.process_options import ProcessOptions
from harness.model import ExitStatus, Handle, UnitKind
from tests.contract.executor_case import ExecutorCase

TERM, KILL = 15, 9


async def test_a_started_unit_runs_until_it_is_stopped(case: ExecutorCase) -> None:
    handle = await case.start(case.runs())
    with anyio.move_on_after(0.05) as scope:
        await case.executor().wait(handle)
    assert scope.cancelled_caught


@pytest.mark.parametrize("code", [0, 7])
async def test_wait_returns_the_status_of_a_unit_that_ends_by_itself(
    case: ExecutorCase, code: int
) -> None:
    handle = await case.start(case.ends(code))
    with anyio.fail_after(5):
        assert await case.executor().wait(handle) == ExitStatus(code=code)


async def test_wait_returns_at_once_when_the_unit_has_already_ended(case: ExecutorCase) -> None:
    executor = case.executor()
    handle = await case.start(case.ends(3), executor)
    with anyio.fail_after(5):
        first = await executor.wait(handle)
        assert await executor.wait(handle) == first == ExitStatus(code=3)


async def test_everybody_who_waits_gets_the_status(case: ExecutorCase) -> None:
    executor = case.executor()
    handle = await case.start(case.runs(), executor)
    seen: list[ExitStatus] = []

    async def wait() -> None:
        seen.append(await executor.wait(handle))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
    assert seen == [ExitStatus(signal=TERM)] * 3


async def test_a_cancelled_wait_does_not_disturb_the_unit(case: ExecutorCase) -> None:
    executor = case.executor()
    handle = await case.start(case.runs(), executor)
    with anyio.move_on_after(0.01):
        await executor.wait(handle)
    with anyio.fail_after(5):
        report = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
    assert report.exit == ExitStatus(signal=TERM)


async def test_stop_lets_a_unit_end_at_the_stop_signal(case: ExecutorCase) -> None:
    handle = await case.start(case.runs())
    with anyio.fail_after(5):
        report = await case.executor().stop(handle, stop_signal="SIGTERM", timeout_s=5)
    assert report.exit == ExitStatus(signal=TERM)
    assert not report.killed


async def test_stop_sends_the_signal_it_is_given(case: ExecutorCase) -> None:
    handle = await case.start(case.runs())
    with anyio.fail_after(5):
        report = await case.executor().stop(handle, stop_signal="SIGINT", timeout_s=5)
    assert report.exit == ExitStatus(signal=2)


async def test_stop_kills_a_unit_that_ignores_the_stop_signal(case: ExecutorCase) -> None:
    handle = await case.start(case.ignores_stop())
    with anyio.fail_after(5):
        report = await case.executor().stop(handle, stop_signal="SIGTERM", timeout_s=0.1)
    assert report.killed
    assert report.exit == ExitStatus(signal=KILL)
    assert report.took_s >= 0.1


async def test_stop_twice_reports_the_same_end(case: ExecutorCase) -> None:
    executor = case.executor()
    handle = await case.start(case.runs(), executor)
    with anyio.fail_after(5):
        first = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
        again = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
    assert again.exit == first.exit
    assert not again.killed


async def test_two_stops_at_once_both_end(case: ExecutorCase) -> None:
    executor = case.executor()
    handle = await case.start(case.runs(), executor)
    exits: list[ExitStatus] = []

    async def stop() -> None:
        report = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
        exits.append(report.exit)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stop)
            tasks.start_soon(stop)
    assert exits == [ExitStatus(signal=TERM)] * 2


async def test_stop_after_the_unit_ended_reports_how_it_ended(case: ExecutorCase) -> None:
    executor = case.executor()
    handle = await case.start(case.ends(4), executor)
    with anyio.fail_after(5):
        await executor.wait(handle)
        report = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
    assert report.exit == ExitStatus(code=4)


async def test_a_unit_that_cannot_start_names_itself_and_the_cause(case: ExecutorCase) -> None:
    request = case.request(case.cannot_start())
    with pytest.raises(StartFailed) as caught:
        await case.executor().start(request)
    assert str(caught.value) == ('cannot start "db": command not found: no-such-program-anywhere')


async def test_a_unit_that_could_not_start_is_recovered_as_never_run(case: ExecutorCase) -> None:
    request = case.request(case.cannot_start())
    with pytest.raises(StartFailed):
        await case.executor().start(request)
    recovery = await case.executor().recover(unit="db", run_dir=request.run_dir, handle=None)
    assert recovery == Recovery()


async def test_a_handle_survives_being_stored_as_json(case: ExecutorCase) -> None:
    handle = await case.start(case.runs())
    stored = Handle(**json.loads(json.dumps(asdict(handle))))
    with anyio.fail_after(5):
        report = await case.executor().stop(stored, stop_signal="SIGTERM", timeout_s=5)
    assert report.exit == ExitStatus(signal=TERM)


@pytest.mark.parametrize("keeps_handle", [True, False])
async def test_a_new_executor_recovers_a_running_unit(
    case: ExecutorCase, keeps_handle: bool
) -> None:
    handle = await case.start(case.runs())
    request = case.request_of(handle)
    executor = case.executor()
    recovery = await executor.recover(
        unit="db", run_dir=request.run_dir, handle=handle if keeps_handle else None
    )
    assert recovery == Recovery(handle=handle)
    with anyio.fail_after(5):
        report = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
        assert await executor.wait(handle) == report.exit == ExitStatus(signal=TERM)


@pytest.mark.parametrize("keeps_handle", [True, False])
async def test_a_new_executor_recovers_how_a_unit_ended(
    case: ExecutorCase, keeps_handle: bool
) -> None:
    before = datetime.now(UTC)
    handle = await case.start(case.ends(6))
    with anyio.fail_after(5):
        await case.executor().wait(handle)
    request = case.request_of(handle)
    recovery = await case.executor().recover(
        unit="db", run_dir=request.run_dir, handle=handle if keeps_handle else None
    )
    assert recovery.handle is None
    assert recovery.exit == ExitStatus(code=6)
    assert recovery.ended_at is not None
    assert abs((recovery.ended_at - before).total_seconds()) < 5


async def test_a_run_that_was_never_started_is_recovered_as_such(case: ExecutorCase) -> None:
    request = case.request(case.runs())
    recovery = await case.executor().recover(unit="db", run_dir=request.run_dir, handle=None)
    assert recovery == Recovery()


async def test_a_cancelled_start_is_found_by_recover_or_never_ran(case: ExecutorCase) -> None:
    request = case.request(case.runs())
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(case.executor().start, request)
            await anyio.lowlevel.checkpoint()
            scope.cancel()
    executor = case.executor()
    with anyio.fail_after(5):
        recovery = await executor.recover(unit="db", run_dir=request.run_dir, handle=None)
        assert recovery.exit is None
        if recovery.handle is not None:
            report = await executor.stop(recovery.handle, stop_signal="SIGTERM", timeout_s=5)
            assert report.exit == ExitStatus(signal=TERM)


async def test_the_output_of_all_runs_is_appended_to_the_log(case: ExecutorCase) -> None:
    with anyio.fail_after(5):
        first = await case.start(case.prints("one", "two"))
        await case.executor().wait(first)
        second = await case.start(case.prints("three"))
        await case.executor().wait(second)
    log = case.request_of(second).log_dir / "stdout.log"
    assert log.read_bytes() == b"one\ntwo\nthree\n"


async def test_a_signal_reaches_the_running_unit(case: ExecutorCase) -> None:
    executor = case.executor()
    handle = await case.start(case.runs(), executor)
    await executor.signal(handle, signal="SIGTERM")
    with anyio.fail_after(5):
        assert await executor.wait(handle) == ExitStatus(signal=TERM)


async def test_a_signal_to_a_unit_that_ended_is_an_error(case: ExecutorCase) -> None:
    executor = case.executor()
    handle = await case.start(case.ends(0), executor)
    with anyio.fail_after(5):
        await executor.wait(handle)
    with pytest.raises(HandleLost):
        await executor.signal(handle, signal="SIGHUP")


async def test_execute_runs_beside_the_unit_or_is_refused(case: ExecutorCase) -> None:
    executor = case.executor()
    handle = await case.start(case.runs(), executor)
    command = Command(argv=("sh", "-c", "echo $READY; exit 5"), inherit_env=False)
    if not executor.capabilities.exec:
        with pytest.raises(NotSupported):
            await executor.execute(handle, command)
        return
    with anyio.fail_after(5):
        async with await executor.execute(handle, command) as process:
            events = [event async for event in process]
    output = b"".join(event.data for event in events if isinstance(event, Output))
    assert output.decode().strip() == case.request_of(handle).env["READY"]
    assert events[-1] == Exited(status=ExitStatus(code=5))


async def test_input_reaches_the_unit_or_is_refused(case: ExecutorCase) -> None:
    executor = case.executor()
    if not executor.capabilities.stdin:
        handle = await case.start(case.runs(), executor)
        with pytest.raises(NotSupported):
            await executor.write_stdin(handle, b"hello\n")
        return
    options = ProcessOptions(command="read -r line; echo got $line", shell=True, stdin=True)
    handle = await case.start(options, executor)
    await executor.write_stdin(handle, b"hello\n")
    with anyio.fail_after(5):
        assert await executor.wait(handle) == ExitStatus(code=0)
    log = case.request_of(handle).log_dir / "stdout.log"
    assert log.read_bytes() == b"got hello\n"


async def test_usage_counts_a_running_unit_and_nothing_of_an_ended_one(case: ExecutorCase) -> None:
    executor = case.executor()
    handle = await case.start(case.runs(), executor)
    usage = await executor.usage(handle)
    assert usage is not None
    assert usage.processes >= 1
    with anyio.fail_after(5):
        await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
    usage = await executor.usage(handle)
    assert usage is not None
    assert usage.processes == 0


async def test_an_external_service_is_attached_and_only_detached_by_stop(tmp_path: Path) -> None:
    executor = builtin_executors(clock=SystemClock())["external"]
    request = StartRequest(
        project="contract",
        unit="rpc",
        kind=UnitKind.SERVICE,
        generation=1,
        token="t",
        run_dir=tmp_path,
        log_dir=tmp_path,
        base_dir=tmp_path,
        options=ExternalOptions(),
    )
    handle = await executor.start(request)
    recovery = await executor.recover(unit="rpc", run_dir=tmp_path, handle=None)
    assert recovery.handle == replace(handle)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(executor.wait, handle)
            await anyio.wait_all_tasks_blocked()
            report = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=1)
            await executor.stop(handle, stop_signal="SIGTERM", timeout_s=1)
    assert report.exit == ExitStatus(code=0)
    with pytest.raises(NotSupported):
        await executor.signal(handle, signal="SIGHUP")
