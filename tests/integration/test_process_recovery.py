"""Whatever dies at whatever moment: a run is found again, or it is certain that it never was."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from harness.commands import (
    Command,
    DetachedRun,
    Found,
    Process,
    ProcessRef,
    Tree,
    end_tree,
    find,
    is_running,
    launch,
    send_signal,
    wait_exit,
)
from harness.commands.holding import Holder, holder
from harness.commands.pidfd import wait_ended
from harness.errors import CommandError
from harness.model import ExitStatus

LAUNCHER = """
import sys, anyio, os
from pathlib import Path
from harness.clock import SystemClock
from harness.executors import StartRequest
from harness.executors.process import ProcessExecutor
from harness.executors.process_options import ProcessOptions
from harness.model import UnitKind
base, count = Path(sys.argv[1]), int(sys.argv[2])
async def start(number):
    run_dir = base / str(number)
    run_dir.mkdir(mode=0o700)
    await ProcessExecutor().start(StartRequest(
        project="crash", unit="u", kind=UnitKind.SERVICE, generation=number,
        token=os.urandom(8).hex(), run_dir=run_dir, log_dir=base, base_dir=base,
        options=ProcessOptions(command=f"echo {number}; exec sleep 1000", shell=True),
        env=dict(os.environ)))
async def main():
    async with anyio.create_task_group() as tasks:
        for number in range(1, count + 1):
            tasks.start_soon(start, number)
    await anyio.sleep_forever()
print("go", flush=True)
anyio.run(main)
"""


class Place:
    def __init__(self, path: Path) -> None:
        self.run_dir, self.log_dir = path / "run", path / "log"
        self.run_dir.mkdir(mode=0o700, parents=True)
        self.log_dir.mkdir()
        self.runs: list[DetachedRun] = []

    async def launch(self, line: str) -> DetachedRun:
        run = await launch(
            Command(argv=("sh", "-c", line)),
            run_dir=self.run_dir,
            log_dir=self.log_dir,
            unit=f"project/unit/1/{os.urandom(8).hex()}",
        )
        self.runs.append(run)
        return run

    async def find(self) -> Found:
        with anyio.fail_after(5):
            return await find(self.run_dir)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    for left in place.runs:
        send_signal(left.service, signal.SIGKILL)


async def ended(found: DetachedRun) -> ExitStatus:
    tree = Tree(marker=found.marker, main=found.service)
    with anyio.fail_after(5):
        await end_tree(tree, stop_signal=signal.SIGTERM, timeout_s=2)
        return await wait_exit(found)


@pytest.mark.parametrize("delay_ms", [0, 2, 5, 10, 20, 40, 80])
async def test_a_starter_killed_at_any_moment_loses_and_doubles_nothing(
    tmp_path: Path, delay_ms: int
) -> None:
    count = 20
    command = Command(argv=(sys.executable, "-c", LAUNCHER, str(tmp_path), str(count)))
    starter = Process(command)
    async with starter:
        async for event in starter:
            if b"go" in getattr(event, "data", b""):
                break
        with anyio.move_on_after(delay_ms / 1000 * random.uniform(0.5, 1.5)):
            await starter.wait()
        os.kill(starter.pid, signal.SIGKILL)  # only itself, as kill -9 of a daemon does
        with anyio.fail_after(5):
            await starter.wait()
            numbers = [int(name) for name in os.listdir(tmp_path) if name.isdigit()]
            found = {number: await find(tmp_path / str(number)) for number in numbers}
    # Leaving the context above ended the starter's own tree, which no detached run is part of.
    running = {number: each.run for number, each in found.items() if each.run is not None}
    assert all(each.exit is None for each in found.values())
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for left in running.values():
                tasks.start_soon(ended, left)
    log = tmp_path / "stdout.log"
    started = sorted(map(int, log.read_text().split())) if log.exists() else []
    assert len(started) == len(set(started))
    assert set(started) <= set(running)
    for number in running:
        assert (await find(tmp_path / str(number))).exit == ExitStatus(signal=signal.SIGTERM)


@contextmanager
def stopped_holder() -> Iterator[Holder]:
    """Hold up all starts of this process."""
    stopped = holder()
    send_signal(stopped.process, signal.SIGSTOP)
    try:
        yield stopped
    finally:
        send_signal(stopped.process, signal.SIGCONT)


async def test_a_run_that_recovery_gave_up_is_not_begun_by_a_late_holder(
    place: Place, tmp_path: Path
) -> None:
    line = f"touch {tmp_path}/ran"
    with stopped_holder():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(place.launch, line)
            await anyio.wait_all_tasks_blocked()
            assert await place.find() == Found()
            # It goes on in vain with its request, and with the next one in earnest.
            tasks.cancel_scope.cancel()
    other = Place(tmp_path / "other")
    with anyio.fail_after(5):
        await wait_exit(await other.launch("exit 0"))
    assert sorted(path.name for path in place.run_dir.iterdir()) == ["given-up"]
    assert not (tmp_path / "ran").exists()


async def test_a_holder_in_the_middle_of_a_start_is_waited_for(place: Place) -> None:
    with anyio.fail_after(5):
        started = await place.launch("exec sleep 1000")
    run = place.run_dir / "run"
    told = run.read_text()
    keep_told(place.run_dir, lines=0)
    found: list[Found] = []

    async def look() -> None:
        found.append(await place.find())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        with anyio.move_on_after(0.05):
            await anyio.sleep_forever()
        assert found == []
        run.write_text(told)
    assert found[0].run == started
    assert await ended(started) == ExitStatus(signal=signal.SIGTERM)


async def test_a_holder_killed_before_it_started_the_service_never_ran(place: Place) -> None:
    with stopped_holder() as stopped:
        async with anyio.create_task_group() as tasks:

            async def start() -> None:
                with pytest.raises(CommandError, match="its holder ended before it was started"):
                    await place.launch("exec sleep 1000")

            tasks.start_soon(start)
            await anyio.wait_all_tasks_blocked()
            send_signal(stopped.process, signal.SIGKILL)
    assert await place.find() == Found()


async def test_a_holder_killed_before_it_recorded_the_service_leaves_none(place: Place) -> None:
    started = await place.launch("exec sleep 1000")
    keep_told(place.run_dir, lines=0)
    send_signal(started.holder, signal.SIGKILL)
    with anyio.fail_after(5):
        await wait_ended(started.holder)
        assert await place.find() == Found()
        await wait_ended(started.service)


async def test_a_defect_of_a_holder_is_told_and_it_goes_on(place: Place, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "launch").write_text("no JSON\n")
    reading, writing = os.pipe()
    try:
        with anyio.fail_after(5):
            await wait_exit(await place.launch("exit 0"))  # there is a holder from here on
            holder().begin(broken, writing)
            await anyio.wait_readable(reading)
            assert os.read(reading, 1024).startswith(b"failed defect 0 JSONDecodeError")
            after = await Place(tmp_path / "after").launch("exit 4")
            assert await wait_exit(after) == ExitStatus(code=4)
    finally:
        os.close(reading)
        os.close(writing)


async def test_a_holder_that_is_gone_is_replaced(place: Place, tmp_path: Path) -> None:
    first = await place.launch("exec sleep 1000")
    send_signal(first.holder, signal.SIGKILL)
    with anyio.fail_after(5):
        await wait_ended(first.holder)
        second = await Place(tmp_path / "other").launch("exit 3")
        assert second.holder != first.holder
        assert await wait_exit(second) == ExitStatus(code=3)
    assert await ended(first) == ExitStatus()


async def test_a_claim_that_nobody_signed_never_ran(place: Place) -> None:
    with anyio.fail_after(5):
        started = await place.launch("exit 0")
        await wait_exit(started)
        keep_told(place.run_dir, lines=0)
        send_signal(started.holder, signal.SIGKILL)
        await wait_ended(started.holder)
    assert await place.find() == Found()


async def test_a_service_whose_holder_was_killed_is_found_running(place: Place) -> None:
    started = await place.launch("exec sleep 1000")
    send_signal(started.holder, signal.SIGKILL)
    assert (await place.find()).run == started
    assert await ended(started) == ExitStatus()
    assert await place.find() == Found(exit=ExitStatus())


async def test_a_service_that_overwrote_its_marker_is_found_by_its_start_time(place: Place) -> None:
    started = await place.launch("exec env -i sleep 1000")
    with anyio.fail_after(5):
        while environment(started):
            await anyio.lowlevel.checkpoint()
    assert (await place.find()).run == started
    assert await ended(started) == ExitStatus(signal=signal.SIGTERM)


async def test_how_a_run_ended_is_found_with_its_time(place: Place) -> None:
    with anyio.fail_after(5):
        await wait_exit(await place.launch("exit 5"))
    found = await place.find()
    assert found.exit == ExitStatus(code=5)
    assert found.ended_at is not None


async def test_after_a_reboot_a_run_that_had_started_has_ended_unseen(place: Place) -> None:
    started = await place.launch("exec sleep 1000")
    pretend_reboot(place.run_dir)
    assert await place.find() == Found(exit=ExitStatus())
    assert is_running(started.service)  # its pid is somebody else's now, as far as we know


async def test_after_a_reboot_a_run_that_had_not_started_never_ran(place: Place) -> None:
    started = await place.launch("exec sleep 1000")
    pretend_reboot(place.run_dir)
    keep_told(place.run_dir, lines=0)
    assert await place.find() == Found()
    assert is_running(started.service)


async def test_a_status_that_was_not_written_completely_is_unknown(place: Place) -> None:
    with anyio.fail_after(5):
        await wait_exit(await place.launch("exit 5"))
    run = place.run_dir / "run"
    run.write_text(run.read_text().rstrip("\n"))
    found = await place.find()
    assert found.exit == ExitStatus()
    assert found.ended_at is None


async def test_the_end_of_a_recovered_run_is_seen_without_being_its_parent(place: Place) -> None:
    started = await place.launch("exec sleep 1000")
    stored = DetachedRun.from_data(json.loads(json.dumps(started.as_data())))
    assert stored == started
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait_exit, stored)
        await anyio.wait_all_tasks_blocked()
        assert isinstance(stored.service, ProcessRef)
        send_signal(stored.service, signal.SIGKILL)
    with anyio.fail_after(5):
        assert await wait_exit(stored) == ExitStatus(signal=signal.SIGKILL)


def environment(started: DetachedRun) -> bytes:
    return Path(f"/proc/{started.service.pid}/environ").read_bytes()


def keep_told(run_dir: Path, *, lines: int) -> None:
    """Forget what the holder has written down, but for its first lines."""
    run = run_dir / "run"
    run.write_text("".join(run.read_text().splitlines(keepends=True)[: 1 + lines]))


def pretend_reboot(run_dir: Path) -> None:
    run = run_dir / "run"
    header, _, told = run.read_text().partition("\n")
    run.write_text(f"{json.dumps({**json.loads(header), 'boot_id': 'another'})}\n{told}")
