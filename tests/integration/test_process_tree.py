"""Stop means empty: every process of a unit is ended, and no other one."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.commands import Command, Process, ProcessRef, is_running
from harness.errors import HandleLost, NotSupported
from harness.executors import Recovery, StartRequest, StopReport
from harness.executors.process import ProcessExecutor
from harness.executors.process_options import ProcessOptions
from harness.model import ExitStatus, Handle, UnitKind


class Units:
    """Starts shell lines as units; the line tells on the pipe $SAYS what it wants to be known."""

    def __init__(self, base_dir: Path) -> None:
        self.base_dir = base_dir
        self.executor = ProcessExecutor()
        self.handles: list[Handle] = []
        self._numbers = itertools.count(1)
        self._says = -1
        self._said = b""

    async def start(self, line: str, *, words: int = 1, **options: Any) -> tuple[Handle, list[str]]:
        """Start a unit; return its handle and the words it said."""
        handle = await self.executor.start(self.request(line, **options))
        self.handles.append(handle)
        return handle, await self.words(words)

    async def words(self, count: int) -> list[str]:
        with anyio.fail_after(5):
            while len(self._said.split()) < count or not self._said.endswith(b"\n"):
                await anyio.wait_readable(self._says)
                self._said += os.read(self._says, 4096)
        return self._said.decode().split()

    def request(self, line: str, **options: Any) -> StartRequest:
        number = next(self._numbers)
        run_dir, log_dir = self.base_dir / str(number), self.base_dir / "log"
        run_dir.mkdir(mode=0o700)
        log_dir.mkdir(exist_ok=True)
        os.mkfifo(run_dir / "says")
        if self._says >= 0:
            os.close(self._says)
        self._says = os.open(run_dir / "says", os.O_RDWR | os.O_NONBLOCK)
        self._said = b""
        env = {"PATH": os.environ["PATH"], "SAYS": str(run_dir / "says"), "PYTHON": sys.executable}
        return StartRequest(
            project="tree",
            unit="u",
            kind=UnitKind.SERVICE,
            generation=number,
            token=os.urandom(8).hex(),
            run_dir=run_dir,
            log_dir=log_dir,
            base_dir=self.base_dir,
            options=ProcessOptions(command=line, shell=True, **options),
            env=env,
        )

    async def stop(self, handle: Handle, timeout_s: float = 5.0, name: str = "TERM") -> StopReport:
        with anyio.fail_after(10):
            return await self.executor.stop(handle, stop_signal=name, timeout_s=timeout_s)

    async def aclose(self) -> None:
        for handle in self.handles:
            await self.stop(handle, name="KILL")
        if self._says >= 0:
            os.close(self._says)


@pytest.fixture
async def units(tmp_path: Path) -> AsyncIterator[Units]:
    units = Units(tmp_path)
    yield units
    await units.aclose()


def is_live(pid: str) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_a_child_that_ignores_the_stop_signal_is_killed_and_named(units: Units) -> None:
    handle, (child,) = await units.start(
        "sh -c 'trap \"\" TERM; echo $$ >$SAYS; while :; do sleep 1000; done' & wait"
    )
    report = await units.stop(handle, timeout_s=0.2)
    assert not is_live(child)
    assert report.exit == ExitStatus(signal=signal.SIGTERM)
    assert not report.killed
    assert any("trap" in straggler for straggler in report.stragglers)


async def test_a_child_in_a_session_of_its_own_is_stopped_too(units: Units) -> None:
    handle, (child,) = await units.start("setsid sh -c 'echo $$ >$SAYS; exec sleep 1000' & wait")
    report = await units.stop(handle)
    assert not is_live(child)
    assert report.stragglers == ()  # it ended at the stop signal like everybody else


async def test_a_child_that_escaped_and_ignores_the_stop_signal_is_killed(units: Units) -> None:
    line = "trap '' TERM HUP; echo $$ >$SAYS; while :; do sleep 1000; done"
    handle, (child,) = await units.start(
        f'(setsid sh -c "{line}" &); exec sleep 1000'.replace("$$", "\\$\\$")
    )
    report = await units.stop(handle, timeout_s=0.2)
    assert not is_live(child)
    assert not report.killed


async def test_a_child_that_hides_its_marker_is_found_by_its_ancestry(units: Units) -> None:
    line = "env -i setsid sh -c 'echo $$ >'$SAYS'; exec sleep 1000' & wait"
    handle, (child,) = await units.start(line)
    await units.stop(handle)
    assert not is_live(child)


async def test_orphans_of_an_ended_main_process_are_ended_by_stop(units: Units) -> None:
    handle, (child,) = await units.start(
        "child=$(setsid sh -c 'sleep 1000 >/dev/null & echo $!'); echo $child >$SAYS; exit 3"
    )
    with anyio.fail_after(5):
        assert await units.executor.wait(handle) == ExitStatus(code=3)
    assert is_live(child)
    report = await units.stop(handle)
    assert report.exit == ExitStatus(code=3)
    assert not is_live(child)


async def test_a_service_that_goes_to_the_background_has_ended(units: Units) -> None:
    handle, _ = await units.start("(echo going >$SAYS; exec sleep 1000) & exit 0")
    with anyio.fail_after(5):
        assert await units.executor.wait(handle) == ExitStatus(code=0)
    usage = await units.executor.usage(handle)
    assert usage is not None
    assert usage.processes == 1
    await units.stop(handle)
    usage = await units.executor.usage(handle)
    assert usage is not None
    assert usage.processes == 0


async def test_the_processes_of_a_unit_are_told_with_their_parents(units: Units) -> None:
    # It speaks once it is another program than its parent, and then stays that one.
    child_line = "echo $$ >$SAYS; kill -STOP $$"
    handle, words = await units.start(f"sh -c '{child_line}' & wait")
    usage = await units.executor.usage(handle)
    assert usage is not None
    (child,) = [process for process in usage.tree if process.pid == int(words[0])]
    assert child.command == f"sh -c '{child_line}'"
    assert child.parent == handle.pid
    assert usage.tree[0].pid == handle.pid
    assert usage.processes == len(usage.tree) == 2
    assert usage.rss_bytes == sum(process.rss_bytes for process in usage.tree)


async def test_children_may_end_in_peace_after_the_main_process(
    units: Units, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    child = (
        f"trap 'read -r x <$SAYS; touch {done}; exit' TERM; "
        "echo up >$SAYS; while :; do sleep 0.01; done"
    )
    handle, _ = await units.start(f'sh -c "{child}" & wait'.replace("$SAYS", "\\$SAYS"))

    async def let_go() -> None:
        with anyio.fail_after(5):
            await units.executor.wait(handle)
        os.write(units._says, b"go\n")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(let_go)
        report = await units.stop(handle)
    assert done.exists()
    assert report.stragglers == ()


async def test_a_stopped_process_is_woken_up_to_end(units: Units) -> None:
    handle, _ = await units.start("echo up >$SAYS; exec sleep 1000")
    await units.executor.signal(handle, signal="SIGSTOP")
    report = await units.stop(handle)
    assert report.exit == ExitStatus(signal=signal.SIGTERM)
    assert not report.killed


async def test_a_process_that_multiplies_while_it_is_killed_is_ended(units: Units) -> None:
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open(sys.argv[1], 'w').write('up\\n')\n"
        "for _ in range(300):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        signal.pause()\n"
        "    time.sleep(0.002)\n"
        "signal.pause()\n"
    )
    (units.base_dir / "fork.py").write_text(code)
    handle, _ = await units.start(f"exec $PYTHON {units.base_dir}/fork.py $SAYS")
    report = await units.stop(handle, timeout_s=0.1)
    assert report.killed
    usage = await units.executor.usage(handle)
    assert usage is not None
    assert usage.processes == 0


async def test_stop_of_one_unit_leaves_the_others_alone(units: Units) -> None:
    first, _ = await units.start("echo up >$SAYS; exec sleep 1000")
    second, _ = await units.start("echo up >$SAYS; exec sleep 1000")
    await units.stop(first)
    assert is_running(ProcessRef(*second.data["service"]))


async def test_a_pid_that_belongs_to_somebody_else_by_now_is_never_signalled(units: Units) -> None:
    handle, _ = await units.start("echo up >$SAYS; exec sleep 1000")
    async with Process(Command(argv=("sleep", "1000"))) as stranger:
        stale = [stranger.pid, 1]
        forged = replace(
            handle,
            data={**handle.data, "service": stale, "holder": stale, "marker": "HARNESS_UNIT=gone"},
        )
        report = await units.stop(forged, timeout_s=0.1)
        with pytest.raises(HandleLost):
            await units.executor.signal(forged, signal="SIGKILL")
        assert report.exit == ExitStatus()
        assert stranger.status is None
        assert is_live(str(stranger.pid))


async def test_a_run_directory_with_a_reused_pid_is_recovered_as_ended(units: Units) -> None:
    request = units.request("exit 0")
    handle = await units.executor.start(request)
    with anyio.fail_after(5):
        await units.executor.wait(handle)
    async with Process(Command(argv=("sleep", "1000"))) as stranger:
        run = request.run_dir / "run"
        header = run.read_text().partition("\n")[0]
        run.write_text(f"{header}\nstarted {stranger.pid} 1\n")
        recovery = await units.executor.recover(unit="u", run_dir=request.run_dir, handle=None)
        assert recovery.handle is None
        assert recovery.exit == ExitStatus()
        await units.stop(handle, timeout_s=0.1)
        assert is_live(str(stranger.pid))


async def test_a_handle_of_another_boot_names_nobody(units: Units) -> None:
    handle, _ = await units.start("echo up >$SAYS; exec sleep 1000")
    old = replace(handle, data={**handle.data, "boot_id": "another"})
    with anyio.fail_after(5):
        assert await units.executor.wait(old) == ExitStatus()
    await units.stop(old)
    assert is_running(ProcessRef(*handle.data["service"]))


async def test_stopping_200_units_at_once_is_quick_and_leaves_nothing(units: Units) -> None:
    handles: list[Handle] = []
    exits: list[ExitStatus] = []

    async def start(request: StartRequest) -> None:
        handles.append(await units.executor.start(request))

    async def stop(handle: Handle) -> None:
        exits.append((await units.stop(handle)).exit)

    requests = [units.request("exec sleep 1000") for _ in range(200)]
    with anyio.fail_after(15):
        async with anyio.create_task_group() as tasks:
            for request in requests:
                tasks.start_soon(start, request)
        began_at = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for handle in handles:
                tasks.start_soon(stop, handle)
        took_s = anyio.current_time() - began_at
    assert not [handle for handle in handles if is_live(str(handle.pid))]
    assert exits == [ExitStatus(signal=signal.SIGTERM)] * 200
    assert took_s < 3.0  # a fifth of a second on an idle machine; one scan for each takes 4 s


async def test_input_to_a_unit_that_ended_is_an_error(units: Units) -> None:
    handle, _ = await units.start("echo up >$SAYS; exit 0", stdin=True)
    with anyio.fail_after(5):
        await units.executor.wait(handle)
    with pytest.raises(HandleLost):
        await units.executor.write_stdin(handle, b"hello")


async def test_a_unit_that_wants_no_input_gets_none(units: Units) -> None:
    handle, _ = await units.start("echo up >$SAYS; exec sleep 1000")
    with pytest.raises(NotSupported):
        await units.executor.write_stdin(handle, b"hello")


async def test_input_larger_than_a_pipe_arrives_whole(units: Units) -> None:
    size = 300_000
    handle, _ = await units.start(f"echo up >$SAYS; head -c {size} | wc -c", stdin=True)
    with anyio.fail_after(5):
        await units.executor.write_stdin(handle, b"x" * size)
        assert await units.executor.wait(handle) == ExitStatus(code=0)
    assert (units.base_dir / "log" / "stdout.log").read_text().strip() == str(size)


async def test_a_running_unit_without_its_files_is_recovered_by_its_handle(units: Units) -> None:
    handle, _ = await units.start("echo up >$SAYS; exec sleep 1000")
    run_dir = Path(str(handle.data["run_dir"]))
    shutil.rmtree(run_dir)
    executor = ProcessExecutor()
    recovery = await executor.recover(unit="u", run_dir=run_dir, handle=handle)
    assert recovery == Recovery(handle=handle)
    with pytest.raises(HandleLost):
        await executor.execute(handle, Command(argv=("true",)))
    assert (await units.stop(handle)).exit == ExitStatus()
    recovery = await executor.recover(unit="u", run_dir=run_dir, handle=handle)
    assert recovery == Recovery(exit=ExitStatus())


async def test_a_command_beside_a_unit_ends_with_it(units: Units) -> None:
    handle, _ = await units.start("echo up >$SAYS; exec sleep 1000")
    with anyio.fail_after(5):
        async with await units.executor.execute(handle, Command(argv=("sleep", "1000"))) as beside:
            await units.stop(handle)
            assert await beside.wait() == ExitStatus(signal=signal.SIGTERM)


async def test_a_handle_of_a_newer_version_is_refused(units: Units) -> None:
    handle, _ = await units.start("echo up >$SAYS; exec sleep 1000")
    with pytest.raises(HandleLost, match="newer"):
        await units.executor.wait(replace(handle, version=99))
