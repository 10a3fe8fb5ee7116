"""The shipped suite over every built-in executor; authors of others run the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from harness.clock import SystemClock
from harness.errors import NotSupported, StartFailed
from harness.executors import StartRequest, builtin_executors
from harness.executors.external import ExternalOptions
from harness.executors.fake import FakeExecutor, FakeOptions
from harness.executors.process import ProcessExecutor
from harness.executors.process_options import ProcessOptions
from harness.model import ExitStatus, UnitKind
from harness.testing import ExecutorCase, ExecutorContract


class TestProcess(ExecutorContract):
    executor = ProcessExecutor

    def command(self, *argv: str) -> ProcessOptions:
        return ProcessOptions(command=argv)

    def answers_input(self) -> ProcessOptions:
        return ProcessOptions(command="read -r line; echo got $line", shell=True, stdin=True)

    async def test_a_program_that_is_not_there_is_named(self, case: ExecutorCase) -> None:
        with pytest.raises(StartFailed) as caught:
            await case.executor().start(case.request(self.cannot_start()))
        assert str(caught.value) == (
            'cannot start "db": command not found: no-such-program-anywhere'
        )


class TestFake(ExecutorContract):
    executor = FakeExecutor

    def make(self) -> FakeExecutor:
        return FakeExecutor(clock=SystemClock())

    def runs(self) -> FakeOptions:
        return FakeOptions()

    def ends(self, code: int) -> FakeOptions:
        return FakeOptions(run_for=0.01, exit_code=code)

    def ignores_stop(self) -> FakeOptions:
        return FakeOptions(ignores_stop=True)

    def prints(self, *lines: str) -> FakeOptions:
        return FakeOptions(output=lines, run_for=0.0)

    def cannot_start(self) -> FakeOptions:
        return FakeOptions(start_error="command not found: no-such-program-anywhere")


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
    # As where a project was removed, and comes again.
    again = await executor.start(request)
    with anyio.move_on_after(0.05) as waiting:
        await executor.wait(again)
    assert waiting.cancelled_caught
