"""A wall clock that jumps by years in either direction disturbs no deadline and no order.

At the level of the supervisor, with a clock of its own; `test_faults_clock_steps.py` sets the clock
of a real daemon.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness.logs import UnitLog
from harness.model import EventKind, RestartMode, RestartPolicy, ServiceState
from harness.supervisor import OperationState
from tests.fakes.clock import FakeClock
from tests.unit.supervisor.scene import checked, needs, scene, service, task

YEARS = timedelta(days=3 * 365)
JUMPS = [YEARS, -YEARS]


class JumpingClock(FakeClock):
    """A machine's clock that somebody sets; the monotonic one goes on as before."""

    def __init__(self) -> None:
        super().__init__()
        self.offset = timedelta()

    def now(self) -> datetime:
        return super().now() + self.offset


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_jump_neither_expires_nor_extends_a_startup_timeout(
    tmp_path: Path, jump: timedelta
) -> None:
    clock = JumpingClock()
    async with scene(tmp_path, clock=clock) as it:
        db = service(
            "db",
            health=checked("db"),
            startup_timeout_s=60.0,
            restart=RestartPolicy(mode=RestartMode.NO),
        )
        operation = it.up(db)
        await it.reaches("db", ServiceState.RUNNING)
        clock.offset = jump
        await clock.run_for(59)
        assert it.state("db") == "running"
        await clock.run_for(2)
        await it.ended(operation)
        assert operation.state is OperationState.FAILED
        assert "not ready 60 s after its start" in it.reason("db")


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_jump_changes_nothing_about_a_back_off(tmp_path: Path, jump: timedelta) -> None:
    clock = JumpingClock()
    async with scene(tmp_path, clock=clock) as it:
        await it.brought_up(service("db", restart=RestartPolicy(mode=RestartMode.ALWAYS)))
        await it.end("db")
        await it.reaches("db", ServiceState.BACKOFF)
        (left_s,) = await clock.sleepers()
        clock.offset = jump
        await clock.run_for(left_s * 0.9)
        assert it.state("db") == "backoff"
        await clock.run_for(left_s * 0.2)
        await it.reaches("db", ServiceState.RUNNING)


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_jump_neither_expires_nor_extends_a_tasks_timeout(
    tmp_path: Path, jump: timedelta
) -> None:
    clock = JumpingClock()
    async with scene(tmp_path, clock=clock) as it:
        operation = it.up(task("job", run_for=None, timeout_s=30.0))
        await it.reaches("job", ServiceState.RUNNING)
        clock.offset = jump
        await clock.run_for(29)
        assert it.state("job") == "running"
        await clock.run_for(2)
        await it.ended(operation)
        assert it.state("job") == "failed"


async def test_ends_noted_before_the_clock_went_back_count_no_longer_than_their_window(
    tmp_path: Path,
) -> None:
    policy = RestartPolicy(mode=RestartMode.ALWAYS, max_attempts=1, window_s=60.0)
    clock = JumpingClock()
    async with scene(tmp_path, clock=clock) as it:
        await it.brought_up(service("db", restart=policy))
        await it.end("db")
        await it.reaches("db", ServiceState.BACKOFF)
        (left_s,) = await clock.sleepers()
        await clock.run_for(left_s)
        await it.reaches("db", ServiceState.RUNNING)
        store = it.store
    clock.offset = -YEARS
    async with scene(tmp_path, clock=clock, store=store) as it:
        await it.stacks.recover()
        await clock.run_for(61)
        await it.end("db")
        await it.reaches("db", ServiceState.BACKOFF)


async def test_events_keep_their_order_by_number_when_time_goes_backwards(tmp_path: Path) -> None:
    clock = JumpingClock()
    async with scene(tmp_path, clock=clock) as it:
        await it.brought_up(service("db"), service("web", needs("db")))
        clock.offset = -YEARS
        await it.taken_down()
        stored = it.store.events(limit=100_000)
        numbers = [event.number for event in stored]
        assert numbers == list(range(1, len(stored) + 1))
        assert stored[-1].at < stored[0].at
        states = [
            (event.unit, event.data["new"])
            for event in stored
            if event.kind is EventKind.UNIT_STATE_CHANGED
        ]
        assert states.index(("db", "running")) < states.index(("web", "running"))
        assert states.index(("web", "stopped")) < states.index(("db", "stopped"))
        after = it.store.events(after=numbers[2], limit=2)
        assert [event.number for event in after] == numbers[3:5]


async def test_a_successor_whose_clock_is_behind_adopts_and_goes_on_counting(
    tmp_path: Path,
) -> None:
    clock = JumpingClock()
    async with scene(tmp_path, clock=clock) as it:
        await it.brought_up(service("db"))
        store, last = it.store, it.bus.last_number
    clock.offset = -YEARS
    async with scene(tmp_path, clock=clock, store=store) as it:
        await it.stacks.recover()
        assert it.state("db") == "running"
        assert it.bus.last_number > last
        await it.taken_down()
        assert it.states() == {"db": "stopped"}


async def test_lines_written_before_the_clock_was_set_back_are_all_read_in_order(
    tmp_path: Path,
) -> None:
    clock = JumpingClock()
    log = UnitLog(tmp_path / "logs", unit="db", max_bytes=1 << 20, clock=clock)
    log.directory.mkdir()
    path = log.streams["stdout"].path
    with path.open("ab", buffering=0) as file:
        file.write(b"one\n")
        clock.offset = -YEARS
        file.write(b"two\n")
    assert b"".join([chunk.text async for chunk in log.read()]) == b"one\ntwo\n"
