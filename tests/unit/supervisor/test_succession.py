"""The next supervisor over the same store: adopted units, judged ends, and what cannot be read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import anyio

from harness.errors import HandleLost
from harness.model import (
    Backoff,
    EventKind,
    Goal,
    HealthState,
    RestartMode,
    RestartPolicy,
    SecretSpec,
    ServiceState,
)
from harness.storage import MemoryStore
from tests.fakes.clock import FakeClock
from tests.unit.supervisor.scene import Checks, Scene, checked, needs, scene, service, task


class Heritage:
    """What one supervisor leaves to the next: the state directory, the store, the time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = MemoryStore()
        self.clock = FakeClock()
        self.checks = Checks()

    def supervisor(self):
        return scene(self.directory, store=self.store, clock=self.clock, checks=self.checks)


async def recover(play: Scene) -> None:
    with anyio.fail_after(10):
        await play.stacks.recover()


def change(heritage: Heritage, unit: str, **facts: object) -> None:
    """Rewrite a stored record, as if the daemon had died at another moment."""
    record = heritage.store.record("units:p", unit)
    assert record is not None
    heritage.store.put("units:p", unit, {**record, **facts})


async def test_everything_is_as_it_was(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    heritage.checks.passing.add("db")
    async with heritage.supervisor() as play:
        await play.brought_up(service("db", health=checked("db")), service("web", needs("db")))
        await play.brought_up(
            service("db", health=checked("db")), service("web", needs("db")), task("seed")
        )
    async with heritage.supervisor() as play:
        await recover(play)
        assert play.states() == {"db": "running", "web": "running", "seed": "exited"}
        assert play.executor.calls == []
        await play.settle()
        assert play.project.unit("db").health is HealthState.HEALTHY
        assert {e.unit for e in play.events(EventKind.UNIT_ADOPTED)} == {"db", "web"}
        await play.taken_down()
        assert set(play.states().values()) == {"stopped"}


async def test_an_end_while_nobody_looked_is_judged(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        await play.brought_up(
            service("well", run_for=5.0),
            service("badly", run_for=5.0, exit_code=3),
            service("again", run_for=5.0, restart=RestartPolicy(mode=RestartMode.ALWAYS)),
        )
    heritage.clock.advance(5)
    async with heritage.supervisor() as play:
        await recover(play)
        await play.clock.run_for(1)
        assert play.states() == {"well": "exited", "badly": "failed", "again": "running"}
        rows = {row.name: row for row in play.project.statuses()}
        assert rows["badly"].exit_code == 3
        assert rows["again"].restarts == 1


async def test_a_task_that_completed_while_nobody_looked_has_completed(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        play.up(task("seed", run_for=5.0), service("web", needs("seed")))
        await play.reaches("seed", ServiceState.RUNNING)
    heritage.clock.advance(5)
    async with heritage.supervisor() as play:
        await recover(play)
        await play.settle()
        assert play.states() == {"seed": "exited", "web": "running"}


async def test_a_stop_that_was_under_way_goes_on(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        await play.brought_up(service("a"))
        play.executor.stop_gate = anyio.Event()
        play.stacks.down(play.project)
        await play.settle()
    async with heritage.supervisor() as play:
        await recover(play)
        await play.reaches("a", ServiceState.STOPPED)
        assert play.executor.names("stop") == ["a"]
        assert play.executor.names("start") == []


async def test_a_restart_that_was_under_way_ends_running(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        await play.brought_up(service("a"), service("b", needs("a")))
        play.executor.stop_gate = anyio.Event()
        play.stacks.restart(play.project)
        await play.settle()
    async with heritage.supervisor() as play:
        await recover(play)
        await play.settle()
        assert play.states() == {"a": "running", "b": "running"}
        assert play.project.unit("b").record.generation == 2
        assert play.executor.most_alive == 1


async def test_a_start_that_never_was_is_not_mistaken_for_the_run_before(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        await play.brought_up(service("a", run_for=1.0, exit_code=9))
        await play.clock.run_for(1)
        assert play.state("a") == "failed"
    change(heritage, "a", state="starting", token="", goal="up")
    async with heritage.supervisor() as play:
        await recover(play)
        await play.settle()
        assert play.state("a") == "running"


async def test_stages_of_the_run_before_do_not_count_for_the_next(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    heritage.checks.passing.add("a")
    async with heritage.supervisor() as play:
        await play.brought_up(service("a", health=checked("a")))
        heritage.checks.passing.clear()
        play.executor.start_gate = anyio.Event()
        play.stacks.restart(play.project)
        await play.settle()
        assert play.state("a") == "starting"
        assert play.project.unit("a").stages == {}


async def test_waiting_units_wait_on_and_unwanted_ones_stay_down(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        play.up(service("db", health=checked("db")), service("web", needs("db")))
        await play.clock.run_for(1)
        await play.ended(play.stacks.stop(play.project, ["web"]))
    change(heritage, "db", goal="down", state="exited", handle=None)
    async with heritage.supervisor() as play:
        await recover(play)
        await play.settle()
        assert play.states() == {"db": "stopped", "web": "stopped"}


async def test_a_unit_that_cannot_be_found_again_is_unknown_and_no_one_waits(
    tmp_path: Path,
) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        await play.brought_up(service("a"), service("b"))
    async with heritage.supervisor() as play:
        play.executor.recover_error = HandleLost(
            service="a", executor="fake", cause="its node does not answer"
        )
        await recover(play)
        assert play.states() == {"a": "unknown", "b": "unknown"}
        assert "its node does not answer" in play.reason("a")
        play.executor.recover_error = None
        operation = await play.brought_up(service("a"), service("b"))
        assert operation.error is None
        assert play.states() == {"a": "running", "b": "running"}


async def test_a_unit_whose_references_are_gone_goes_on_and_can_be_stopped(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    heritage.checks.passing.add("a")
    (tmp_path / "token").write_text("t")
    async with heritage.supervisor() as play:
        await play.brought_up(
            service("a", health=checked("a"), env={"T": "${secrets.token}"}),
            secrets={"token": SecretSpec(name="token", file="token")},
        )
    (tmp_path / "token").unlink()
    async with heritage.supervisor() as play:
        await recover(play)
        await play.settle()
        assert play.state("a") == "running"
        assert play.project.unit("a").health is HealthState.UNHEALTHY
        operation = await play.taken_down()
        assert operation.error is None
        assert play.state("a") == "stopped"


async def test_a_project_that_a_newer_version_wrote_is_left_alone(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        await play.brought_up(service("a"))
    change(heritage, "a", version=99)
    async with heritage.supervisor() as play:
        await recover(play)
        assert play.stacks.projects() == []
    assert heritage.store.record("units:p", "a")["version"] == 99  # type: ignore[index]


async def test_goals_of_units_are_kept(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        await play.brought_up(service("a"))
    async with heritage.supervisor() as play:
        await recover(play)
        assert play.project.unit("a").goal is Goal.UP


async def test_an_interrupted_down_goes_on_in_the_same_order(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        await play.brought_up(
            service("db"), service("api", needs("db")), service("web", needs("api"))
        )
    for unit in ("db", "api", "web"):
        change(heritage, unit, goal=Goal.DOWN)
    async with heritage.supervisor() as play:
        await recover(play)
        with anyio.fail_after(10):
            for operation in play.stacks.operations.list():
                await operation.ended.wait()
        assert set(play.states().values()) == {"stopped"}
        assert play.executor.names("stop") == ["web", "api", "db"]


async def test_an_adopted_task_has_what_is_left_of_its_timeout(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        play.up(task("t", run_for=100.0, timeout_s=10.0))
        await play.reaches("t", ServiceState.RUNNING)
        await play.clock.run_for(6)
    async with heritage.supervisor() as play:
        await recover(play)
        await play.clock.run_for(5)
        assert play.state("t") == "failed"
        assert "still running after 10 s" in play.reason("t")


async def test_an_adopted_service_has_what_is_left_of_its_startup_timeout(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    async with heritage.supervisor() as play:
        play.up(service("a", health=checked("a"), startup_timeout_s=10.0))
        await play.reaches("a", ServiceState.RUNNING)
        await play.clock.run_for(6)
    async with heritage.supervisor() as play:
        await recover(play)
        await play.clock.run_for(5)
        assert play.state("a") == "failed"


async def test_a_back_off_goes_on_where_a_killed_daemon_left_it(tmp_path: Path) -> None:
    heritage = Heritage(tmp_path)
    again = RestartPolicy(
        mode=RestartMode.ALWAYS, backoff=Backoff(initial_s=20.0, max_s=20.0, jitter=0.0)
    )
    async with heritage.supervisor() as play:
        play.up(service("a", run_for=1.0, exit_code=3, restart=again))
        await play.clock.run_for(6)
        assert play.state("a") == "backoff"
    async with heritage.supervisor() as play:
        await recover(play)
        await play.settle()
        assert play.state("a") == "backoff"
        assert play.reason("a") == "exit status 3"
        await play.clock.run_for(14)
        assert play.state("a") == "backoff"
        await play.clock.run_for(1.5)
        assert play.state("a") == "running"
        assert play.project.unit("a").record.restarts == 1


async def test_a_back_off_is_no_longer_than_ever_after_a_clock_was_set_back(
    tmp_path: Path,
) -> None:
    heritage = Heritage(tmp_path)
    again = RestartPolicy(
        mode=RestartMode.ALWAYS, backoff=Backoff(initial_s=20.0, max_s=20.0, jitter=0.0)
    )
    async with heritage.supervisor() as play:
        play.up(service("a", run_for=1.0, exit_code=3, restart=again))
        await play.clock.run_for(6)
        record = play.project.unit("a").record
        record.next_try_at = (play.clock.now() + timedelta(days=1)).isoformat()
        play.project.unit("a").save()
    async with heritage.supervisor() as play:
        await recover(play)
        await play.clock.run_for(20.5)
        assert play.state("a") == "running"
