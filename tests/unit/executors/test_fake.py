"""A fake unit follows the clock it is given."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from harness.executors import Recovery, StartRequest, StopReport
from harness.executors.fake import FakeExecutor, FakeOptions
from harness.model import ExitStatus, UnitKind
from tests.fakes.clock import FakeClock


def request(directory: Path, **options: object) -> StartRequest:
    return StartRequest(
        project="p",
        unit="u",
        kind=UnitKind.SERVICE,
        generation=1,
        token="t",
        run_dir=directory,
        log_dir=directory,
        base_dir=directory,
        options=FakeOptions(**options),  # type: ignore[arg-type]
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def executor(clock: FakeClock) -> FakeExecutor:
    return FakeExecutor(clock=clock)


async def test_it_ends_by_itself_when_its_time_is_up(
    tmp_path: Path, clock: FakeClock, executor: FakeExecutor
) -> None:
    handle = await executor.start(request(tmp_path, run_for="3s", exit_code=4))
    seen: list[ExitStatus] = []

    async def wait() -> None:
        seen.append(await executor.wait(handle))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await clock.run_for(2.9)
        assert seen == []
        await clock.run_for(0.1)
        assert seen == [ExitStatus(code=4)]


async def test_it_says_that_it_is_ready_in_time(
    tmp_path: Path, clock: FakeClock, executor: FakeExecutor
) -> None:
    handle = await executor.start(request(tmp_path, ready_after=2, output=("hello",)))
    log = tmp_path / "stdout.log"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(executor.wait, handle)
        await clock.run_for(1)
        assert log.read_text() == "hello\n"
        await clock.run_for(1)
        assert log.read_text() == "hello\nready\n"
        tasks.cancel_scope.cancel()


async def test_stopping_one_that_ignores_it_takes_the_whole_timeout(
    tmp_path: Path, clock: FakeClock, executor: FakeExecutor
) -> None:
    handle = await executor.start(request(tmp_path, ignores_stop=True))
    reports: list[StopReport] = []

    async def stop() -> None:
        reports.append(await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stop)
        await clock.run_for(4.9)
        assert reports == []
        await clock.run_for(0.1)
    assert reports == [StopReport(exit=ExitStatus(signal=9), killed=True, took_s=5.0)]


async def test_one_that_ended_while_nobody_looked_is_recovered_as_ended_then(
    tmp_path: Path, clock: FakeClock, executor: FakeExecutor
) -> None:
    ends_at = clock.now().timestamp() + 2
    await executor.start(request(tmp_path, run_for=2))
    clock.advance(60)
    recovery = await FakeExecutor(clock=clock).recover(unit="u", run_dir=tmp_path, handle=None)
    assert recovery.exit == ExitStatus(code=0)
    assert recovery.ended_at is not None
    assert recovery.ended_at.timestamp() == pytest.approx(ends_at)


async def test_a_handle_whose_file_is_gone_ended_unseen(
    tmp_path: Path, executor: FakeExecutor
) -> None:
    handle = await executor.start(request(tmp_path))
    (tmp_path / "fake.json").unlink()
    recovery = await executor.recover(unit="u", run_dir=tmp_path, handle=handle)
    assert recovery == Recovery(exit=ExitStatus())
    assert await executor.wait(handle) == ExitStatus()
