"""Whatever dies at whatever moment: a run is found again, or it is certain that it never was."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

import harness.commands
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
    run,
    send_signal,
    wait_exit,
)
from harness.commands.run_files import RunFiles
from harness.model import ExitStatus

HOLDER = Path(harness.commands.__file__).with_name("holder.sh")

LAUNCHER = """
import sys, anyio, os
from pathlib import Path
from harness.clock import SystemClock
from harness.executors import StartRequest
from harness.executors.process import ProcessExecutor, ProcessOptions
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
        self.run_dir.mkdir(mode=0o700)
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


async def test_a_run_that_recovery_gave_up_is_not_begun_by_a_late_holder(
    place: Place, tmp_path: Path
) -> None:
    started = await place.launch(f"touch {tmp_path}/ran")
    with anyio.fail_after(5):
        await wait_exit(started)
    (tmp_path / "ran").unlink()
    (place.run_dir / "status").unlink()
    assert await place.find() == Found()
    env = {"HARNESS_RUN_DIR": str(place.run_dir)}
    with anyio.fail_after(5):
        await run(Command(argv=("sh", str(HOLDER)), env=env))
    assert sorted(path.name for path in place.run_dir.iterdir()) == ["launch", "status"]
    assert not (tmp_path / "ran").exists()


async def test_a_holder_in_the_middle_of_a_start_is_waited_for(place: Place) -> None:
    log = place.log_dir / "stdout.log"
    os.mkfifo(log)  # opening it holds the start up until somebody reads
    with anyio.move_on_after(0.05):
        await place.launch("exec sleep 1000")
    assert RunFiles(place.run_dir).service_pid() is None
    found: list[Found] = []

    async def look() -> None:
        found.append(await place.find())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        with anyio.move_on_after(0.05):
            await anyio.sleep_forever()
        assert found == []
        reading = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    os.close(reading)
    assert found[0].run is not None
    assert await ended(found[0].run) == ExitStatus(signal=signal.SIGTERM)


async def test_a_holder_killed_before_it_started_the_service_never_ran(place: Place) -> None:
    log = place.log_dir / "stdout.log"
    os.mkfifo(log)
    with anyio.move_on_after(0.05):
        await place.launch("exec sleep 1000")
    holder = RunFiles(place.run_dir).holder_pid()
    assert holder is not None
    os.killpg(holder, signal.SIGKILL)
    assert await place.find() == Found()


async def test_a_claim_that_nobody_signed_never_ran(place: Place) -> None:
    with anyio.fail_after(5):
        await wait_exit(await place.launch("exit 0"))
    (place.run_dir / "status").write_text("")
    assert await place.find() == Found()


async def test_a_service_whose_holder_was_killed_is_found_running(place: Place) -> None:
    started = await place.launch("exec sleep 1000")
    assert started.holder is not None
    send_signal(started.holder, signal.SIGKILL)
    found = await place.find()
    assert found.run is not None
    assert found.run.service == started.service
    assert await ended(found.run) == ExitStatus()
    assert await place.find() == Found(exit=ExitStatus())


async def test_a_service_that_overwrote_its_marker_is_found_by_its_parent(place: Place) -> None:
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
    keep_status(place.run_dir, lines=1)
    assert await place.find() == Found()
    assert is_running(started.service)


async def test_a_status_that_was_not_written_completely_is_unknown(place: Place) -> None:
    with anyio.fail_after(5):
        await wait_exit(await place.launch("exit 5"))
    status = place.run_dir / "status"
    status.write_text(status.read_text().rstrip("\n"))
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


def keep_status(run_dir: Path, *, lines: int) -> None:
    path = run_dir / "status"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]))


def pretend_reboot(run_dir: Path) -> None:
    path = run_dir / "launch"
    header, _, rest = path.read_text().partition("\n")
    data = {**json.loads(header[2:]), "boot_id": "another"}
    path.write_text(f"# {json.dumps(data)}\n{rest}")
