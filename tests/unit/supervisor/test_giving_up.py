"""Units that are given up: in a crash loop, in back-off, and what an operation makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

from harness.executors.external import ExternalExecutor, ExternalOptions
from harness.model import Backoff, EventKind, RestartMode, RestartPolicy, ServiceSpec, ServiceState
from harness.storage import MemoryStore
from harness.supervisor import OperationState
from tests.fakes.clock import FakeClock
from tests.unit.supervisor.scene import Scene, checked, scene, service


def policy(initial_s: float, *, jitter: float = 0.0, attempts: int | None = 2) -> RestartPolicy:
    backoff = Backoff(initial_s=initial_s, factor=1.0, jitter=jitter)
    return RestartPolicy(mode=RestartMode.ALWAYS, max_attempts=attempts, backoff=backoff)


async def test_a_crash_loop_during_up_ends_it_and_stops_the_rest(play: Scene) -> None:
    operation = play.up(
        service("db", run_for=0.5, exit_code=3, health=checked("db"), restart=policy(2.0)),
        service("web", health=checked("web")),
        service("ready"),
    )
    await play.clock.run_for(1)
    assert (play.state("db"), operation.state) == ("backoff", OperationState.RUNNING)
    await play.clock.run_for(6)
    await play.ended(operation)
    assert operation.state is OperationState.FAILED
    assert play.states() == {"db": "failed", "web": "stopped", "ready": "running"}
    assert play.reason("db") == "exit status 3; it ended 3 times and is not started again"
    assert play.reason("web") == 'stopped because "db" failed'
    (found,) = play.events(EventKind.CRASH_LOOP_DETECTED)
    assert (found.unit, found.data["attempts"]) == ("db", 3)
    await play.clock.run_for(60)
    assert play.executor.names("start").count("db") == 3


async def test_a_unit_given_up_in_back_off_stays_down_and_keeps_its_own_cause(play: Scene) -> None:
    operation = play.up(
        service("again", run_for=0.5, exit_code=3, health=checked("again"), restart=policy(9.0)),
        service("bad", run_for=2.0, exit_code=4, health=checked("bad")),
    )
    await play.clock.run_for(1)
    assert play.state("again") == "backoff"
    await play.clock.run_for(1.5)
    await play.ended(operation)
    assert play.states() == {"again": "stopped", "bad": "failed"}
    assert play.reason("again") == 'exit status 3; stopped because "bad" failed'
    await play.clock.run_for(60)
    assert sorted(play.executor.names("start")) == ["again", "bad"]
    assert play.events(EventKind.CRASH_LOOP_DETECTED) == []


async def test_a_delay_is_shortened_by_a_random_share_of_its_jitter(tmp_path: Path) -> None:
    numbers = iter([0.5, 1.0])
    async with scene(tmp_path, random=lambda: next(numbers)) as play:
        play.up(service("a", run_for=0.0, restart=policy(8.0, jitter=0.5, attempts=None)))
        await play.reaches("a", ServiceState.BACKOFF)
        assert await play.clock.sleepers() == (6.0,)
        await play.clock.run_for(6.0)
        await play.reaches("a", ServiceState.BACKOFF)
        assert await play.clock.sleepers() == (4.0,)


class _Remembering(MemoryStore):
    """A store that can be put back to when it was noted that the run after the first begins."""

    def __init__(self) -> None:
        super().__init__()
        self.at_start: dict[str, dict[str, str]] = {}

    def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        super().put(collection, key, value)
        if (value.get("state"), value.get("generation")) == ("starting", 1):
            self.at_start = {name: dict(rows) for name, rows in self._records.items()}

    def rewind(self) -> None:
        self._records = self.at_start


async def test_the_end_of_the_run_before_is_not_taken_for_that_of_a_start_cut_short(
    tmp_path: Path,
) -> None:
    store, clock = _Remembering(), FakeClock()
    spec = service("a", run_for=1.0, exit_code=9)
    async with scene(tmp_path, store=store, clock=clock) as play:
        await play.brought_up(spec)
        await play.clock.run_for(1)
        assert play.state("a") == "failed"
        await play.brought_up(spec)
    store.rewind()
    rmtree(tmp_path / "projects" / "p" / "units" / "a" / "run-2")
    async with scene(tmp_path, store=store, clock=clock) as play:
        await play.stacks.recover()
        await play.settle()
        assert play.state("a") == "running"


async def test_what_runs_elsewhere_has_no_exit_status_when_it_is_let_go(tmp_path: Path) -> None:
    spec = ServiceSpec(name="db", type="external", options=ExternalOptions(), base_dir="/")
    async with scene(tmp_path, extra=lambda _: {"external": ExternalExecutor()}) as play:
        await play.brought_up(spec)
        await play.taken_down()
        (row,) = play.project.statuses()
        assert (row.state, row.exit_code, row.message) == ("stopped", None, "stopped on request")
        events = play.events(EventKind.UNIT_STATE_CHANGED, "db")
        assert events[-1].data["new"] == "stopped"
        assert {event.data["exit"] for event in events} == {None}


async def _grown_unhealthy(play: Scene) -> list[ServiceSpec]:
    """Have a service that was ready and is not now; return it with one that never becomes so."""
    units = [service("a", health=checked("a")), service("b", health=checked("b"))]
    play.checks.passing = {"a"}
    operation = play.up(units[0])
    await play.clock.run_for(1)
    await play.ended(operation)
    play.checks.passing = set()
    await play.clock.run_for(5)
    assert (play.state("a"), play.project.unit("a").is_ready) == ("running", False)
    return units


async def test_what_has_grown_unhealthy_gets_its_startup_timeout_to_be_ready_again(
    play: Scene,
) -> None:
    units = await _grown_unhealthy(play)
    operation = play.up(units[0])
    await play.clock.run_for(59)
    assert not operation.ended.is_set()
    await play.clock.run_for(2)
    await play.ended(operation)
    assert operation.state is OperationState.FAILED
    assert "it runs and has been ready, but was not again within 60 s" in str(operation.error)
    assert play.state("a") == "running"


async def test_what_has_grown_unhealthy_and_recovers_in_time_is_ready(play: Scene) -> None:
    units = await _grown_unhealthy(play)
    operation = play.up(units[0])
    await play.clock.run_for(5)
    play.checks.passing = {"a"}
    await play.clock.run_for(5)
    await play.ended(operation)
    assert operation.state is OperationState.DONE


async def test_cancelling_stops_only_what_the_operation_began(play: Scene) -> None:
    units = await _grown_unhealthy(play)
    operation = play.up(*units)
    await play.clock.run_for(1)
    play.stacks.operations.cancel(operation.id)
    await play.clock.run_for(1)
    await play.ended(operation)
    assert play.states() == {"a": "running", "b": "stopped"}


async def test_a_failure_stops_only_what_the_operation_began(play: Scene) -> None:
    units = await _grown_unhealthy(play)
    operation = play.up(*units, service("bad", start_error="no", restart=policy(1.0, attempts=0)))
    await play.clock.run_for(1)
    await play.ended(operation)
    assert play.states() == {"a": "running", "b": "stopped", "bad": "failed"}
    assert play.outcomes(operation) == {"a": "kept", "b": "cancelled", "bad": "failed"}


async def test_what_somebody_else_stops_is_no_reason_to_stop_the_rest(play: Scene) -> None:
    operation = play.up(service("a", health=checked("a")), service("b", health=checked("b")))
    await play.clock.run_for(1)
    await play.ended(play.stacks.stop(play.project, ["a"]))
    await play.clock.run_for(1)
    assert play.states() == {"a": "stopped", "b": "running"}
    play.checks.passing = {"b"}
    await play.clock.run_for(5)
    await play.ended(operation)
    assert str(operation.error) == 'cannot up "a": somebody else stopped it'
    assert play.outcomes(operation) == {"a": "failed", "b": "ready"}
