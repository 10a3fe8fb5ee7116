"""What the supervisor relies on of every executor, as tests; the built-in ones pass them."""

from __future__ import annotations

import json
import signal as signals
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from harness.commands import Command, Exited, Output
from harness.config import schema
from harness.errors import HandleLost, NotSupported, StartFailed
from harness.executors import Executor, Recovery
from harness.model import ExitStatus, Handle
from harness.plugins import checked_executor

from .executor_case import READY, ExecutorCase

__all__ = ["ExecutorContract"]

_RUN = f"echo up >{READY}; exec sleep 1000"


class ExecutorContract:
    """Subclass it, name the executor, and say how a command becomes options of it.

    Where units are no commands, override the methods that return options; what an executor cannot
    do at all, its `capabilities` say.

    Attributes:
        executor: the class under test.
        reports_status: it knows with which status a unit ended; else that is `ExitStatus()`.
    """

    pytestmark = pytest.mark.anyio

    executor: ClassVar[type[Executor]]
    reports_status: ClassVar[bool] = True

    # ── what an author says ──────────────────────────────────────────────────────────────────────

    def make(self) -> Executor:
        """Return a new executor."""
        return self.executor()

    def command(self, *argv: str) -> Any:
        """Return options of a unit that runs this command."""
        pytest.fail(f"{type(self).__name__} needs `command`, or options of its own")

    def runs(self) -> Any:
        """Return options of a unit that runs until it is stopped, and ends at SIGTERM."""
        return self.command("sh", "-c", _RUN)

    def ends(self, code: int) -> Any:
        """Return options of a unit that ends by itself soon."""
        return self.command("sh", "-c", f"exit {code}")

    def ignores_stop(self) -> Any:
        """Return options of a unit that ignores SIGTERM."""
        return self.command("sh", "-c", f"trap '' TERM; {_RUN}")

    def prints(self, *lines: str) -> Any:
        """Return options of a unit that writes lines to its output, and ends."""
        return self.command("printf", "%s\\n", *lines)

    def cannot_start(self) -> Any:
        """Return options of a unit that cannot be started."""
        return self.command("no-such-program-anywhere")

    def answers_input(self) -> Any:
        """Return options of a unit that reads a line, prints it after `got `, and ends."""
        pytest.fail("it has the capability `stdin`: override `answers_input`")

    # ── the frame ────────────────────────────────────────────────────────────────────────────────

    @pytest.fixture
    async def case(self, tmp_path: Path) -> AsyncIterator[ExecutorCase]:
        """Give a place for units; what was started there is ended after the test."""
        case = ExecutorCase(executor=self.make, base_dir=tmp_path)
        yield case
        with anyio.fail_after(10):
            for _, handle in case.started:
                await case.executor().stop(handle, stop_signal="SIGKILL", timeout_s=1.0)

    def seen(self, *, code: int | None = None, signal: int | None = None) -> ExitStatus:
        """Return what the executor can tell of such an end."""
        return ExitStatus(code=code, signal=signal) if self.reports_status else ExitStatus()

    # ── what every executor does ─────────────────────────────────────────────────────────────────

    def test_a_plugin_can_bring_it(self) -> None:
        executor = self.make()
        assert checked_executor(type(executor), ()) == executor.name

    def test_a_stack_file_can_say_all_its_options(self) -> None:
        executor = self.make()
        made = schema({executor.name: executor.options})
        assert json.loads(json.dumps(made)) == made
        own, common = _keys(made, executor.name)
        assert not own & common, "a key of every unit would never reach the executor"

    async def test_a_started_unit_runs_until_it_is_stopped(self, case: ExecutorCase) -> None:
        handle = await case.start(self.runs())
        with anyio.move_on_after(0.05) as scope:
            await case.executor().wait(handle)
        assert scope.cancelled_caught

    @pytest.mark.parametrize("code", [0, 7])
    async def test_wait_returns_the_status_of_a_unit_that_ends_by_itself(
        self, case: ExecutorCase, code: int
    ) -> None:
        handle = await case.start(self.ends(code))
        with anyio.fail_after(5):
            assert await case.executor().wait(handle) == self.seen(code=code)

    async def test_wait_returns_at_once_when_the_unit_has_already_ended(
        self, case: ExecutorCase
    ) -> None:
        executor = case.executor()
        handle = await case.start(self.ends(3), executor)
        with anyio.fail_after(5):
            first = await executor.wait(handle)
            assert await executor.wait(handle) == first == self.seen(code=3)

    async def test_everybody_who_waits_gets_the_status(self, case: ExecutorCase) -> None:
        executor = case.executor()
        handle = await case.start(self.runs(), executor)
        seen: list[ExitStatus] = []

        async def wait() -> None:
            seen.append(await executor.wait(handle))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
        assert seen == [self.seen(signal=signals.SIGTERM)] * 3

    async def test_a_cancelled_wait_does_not_disturb_the_unit(self, case: ExecutorCase) -> None:
        executor = case.executor()
        handle = await case.start(self.runs(), executor)
        with anyio.move_on_after(0.01):
            await executor.wait(handle)
        with anyio.fail_after(5):
            report = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
        assert report.exit == self.seen(signal=signals.SIGTERM)

    async def test_stop_lets_a_unit_end_at_the_stop_signal(self, case: ExecutorCase) -> None:
        handle = await case.start(self.runs())
        with anyio.fail_after(5):
            report = await case.executor().stop(handle, stop_signal="SIGTERM", timeout_s=5)
        assert report.exit == self.seen(signal=signals.SIGTERM)
        assert not report.killed

    async def test_stop_sends_the_signal_it_is_given(self, case: ExecutorCase) -> None:
        handle = await case.start(self.runs())
        with anyio.fail_after(5):
            report = await case.executor().stop(handle, stop_signal="SIGINT", timeout_s=5)
        assert report.exit == self.seen(signal=signals.SIGINT)

    async def test_stop_kills_a_unit_that_ignores_the_stop_signal(self, case: ExecutorCase) -> None:
        handle = await case.start(self.ignores_stop())
        with anyio.fail_after(5):
            report = await case.executor().stop(handle, stop_signal="SIGTERM", timeout_s=0.1)
        assert report.killed
        assert report.exit == self.seen(signal=signals.SIGKILL)
        assert report.took_s >= 0.1

    async def test_stop_twice_reports_the_same_end(self, case: ExecutorCase) -> None:
        executor = case.executor()
        handle = await case.start(self.runs(), executor)
        with anyio.fail_after(5):
            first = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
            again = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
        assert again.exit == first.exit
        assert not again.killed

    async def test_two_stops_at_once_both_end(self, case: ExecutorCase) -> None:
        executor = case.executor()
        handle = await case.start(self.runs(), executor)
        exits: list[ExitStatus] = []

        async def stop() -> None:
            report = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
            exits.append(report.exit)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stop)
                tasks.start_soon(stop)
        assert exits == [self.seen(signal=signals.SIGTERM)] * 2

    async def test_stop_after_the_unit_ended_reports_how_it_ended(self, case: ExecutorCase) -> None:
        executor = case.executor()
        handle = await case.start(self.ends(4), executor)
        with anyio.fail_after(5):
            await executor.wait(handle)
            report = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
        assert report.exit == self.seen(code=4)

    async def test_a_unit_that_cannot_start_names_itself_and_the_cause(
        self, case: ExecutorCase
    ) -> None:
        request = case.request(self.cannot_start())
        with pytest.raises(StartFailed) as caught:
            await case.executor().start(request)
        assert str(caught.value).startswith('cannot start "db": ')
        assert caught.value.executor == case.executor().name

    async def test_a_unit_that_could_not_start_is_recovered_as_never_run(
        self, case: ExecutorCase
    ) -> None:
        request = case.request(self.cannot_start())
        with pytest.raises(StartFailed):
            await case.executor().start(request)
        recovery = await case.executor().recover(unit="db", run_dir=request.run_dir, handle=None)
        assert recovery == Recovery()

    async def test_a_handle_survives_being_stored_as_json(self, case: ExecutorCase) -> None:
        handle = await case.start(self.runs())
        stored = Handle(**json.loads(json.dumps(asdict(handle))))
        with anyio.fail_after(5):
            report = await case.executor().stop(stored, stop_signal="SIGTERM", timeout_s=5)
        assert report.exit == self.seen(signal=signals.SIGTERM)

    @pytest.mark.parametrize("keeps_handle", [True, False])
    async def test_a_new_executor_recovers_a_running_unit(
        self, case: ExecutorCase, keeps_handle: bool
    ) -> None:
        handle = await case.start(self.runs())
        request = case.request_of(handle)
        executor = case.executor()
        recovery = await executor.recover(
            unit="db", run_dir=request.run_dir, handle=handle if keeps_handle else None
        )
        assert recovery == Recovery(handle=handle)
        with anyio.fail_after(5):
            report = await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
            assert await executor.wait(handle) == report.exit == self.seen(signal=signals.SIGTERM)

    @pytest.mark.parametrize("keeps_handle", [True, False])
    async def test_a_new_executor_recovers_how_a_unit_ended(
        self, case: ExecutorCase, keeps_handle: bool
    ) -> None:
        before = datetime.now(UTC)
        handle = await case.start(self.ends(6))
        with anyio.fail_after(5):
            await case.executor().wait(handle)
        request = case.request_of(handle)
        recovery = await case.executor().recover(
            unit="db", run_dir=request.run_dir, handle=handle if keeps_handle else None
        )
        assert recovery.handle is None
        assert recovery.exit == self.seen(code=6)
        if self.reports_status:
            assert recovery.ended_at is not None
            assert abs((recovery.ended_at - before).total_seconds()) < 5

    async def test_a_run_that_was_never_started_is_recovered_as_such(
        self, case: ExecutorCase
    ) -> None:
        request = case.request(self.runs())
        recovery = await case.executor().recover(unit="db", run_dir=request.run_dir, handle=None)
        assert recovery == Recovery()

    async def test_a_cancelled_start_is_found_by_recover_or_never_ran(
        self, case: ExecutorCase
    ) -> None:
        request = case.request(self.runs())
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
                assert report.exit == self.seen(signal=signals.SIGTERM)

    async def test_the_output_of_all_runs_is_appended_to_the_log(self, case: ExecutorCase) -> None:
        if not case.executor().capabilities.logs:
            pytest.skip("it keeps no output")
        with anyio.fail_after(5):
            first = await case.start(self.prints("one", "two"))
            await case.executor().wait(first)
            second = await case.start(self.prints("three"))
            await case.executor().wait(second)
        log = case.request_of(second).log_dir / "stdout.log"
        assert log.read_bytes() == b"one\ntwo\nthree\n"

    async def test_a_signal_reaches_the_running_unit_or_is_refused(
        self, case: ExecutorCase
    ) -> None:
        executor = case.executor()
        handle = await case.start(self.runs(), executor)
        if not executor.capabilities.signals:
            with pytest.raises(NotSupported):
                await executor.signal(handle, signal="SIGTERM")
            return
        await executor.signal(handle, signal="SIGTERM")
        with anyio.fail_after(5):
            assert await executor.wait(handle) == self.seen(signal=signals.SIGTERM)

    async def test_a_signal_to_a_unit_that_ended_is_an_error(self, case: ExecutorCase) -> None:
        executor = case.executor()
        if not executor.capabilities.signals:
            pytest.skip("it sends no signals")
        handle = await case.start(self.ends(0), executor)
        with anyio.fail_after(5):
            await executor.wait(handle)
        with pytest.raises(HandleLost):
            await executor.signal(handle, signal="SIGHUP")

    async def test_execute_runs_beside_the_unit_or_is_refused(self, case: ExecutorCase) -> None:
        executor = case.executor()
        handle = await case.start(self.runs(), executor)
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

    async def test_input_reaches_the_unit_or_is_refused(self, case: ExecutorCase) -> None:
        executor = case.executor()
        if not executor.capabilities.stdin:
            handle = await case.start(self.runs(), executor)
            with pytest.raises(NotSupported):
                await executor.write_stdin(handle, b"hello\n")
            return
        handle = await case.start(self.answers_input(), executor)
        await executor.write_stdin(handle, b"hello\n")
        with anyio.fail_after(5):
            assert await executor.wait(handle) == self.seen(code=0)
        log = case.request_of(handle).log_dir / "stdout.log"
        assert log.read_bytes() == b"got hello\n"

    async def test_usage_counts_a_running_unit_and_nothing_of_an_ended_one(
        self, case: ExecutorCase
    ) -> None:
        executor = case.executor()
        handle = await case.start(self.runs(), executor)
        usage = await executor.usage(handle)
        if usage is None:
            pytest.skip("it does not tell what a unit uses")
        assert usage.processes >= 1
        assert len(usage.tree) in (0, usage.processes)
        with anyio.fail_after(5):
            await executor.stop(handle, stop_signal="SIGTERM", timeout_s=5)
        usage = await executor.usage(handle)
        assert usage is not None
        assert usage.processes == 0


def _keys(made: dict[str, Any], name: str) -> tuple[set[str], set[str]]:
    """Return the keys of one type, and those of every unit, of a stack file's schema."""
    unit = made["$defs"]["service"]
    own = next(
        part["then"]["properties"]
        for part in unit["allOf"]
        if part["if"]["properties"]["type"]["const"] == name
    )
    return set(own), set(unit["properties"])
