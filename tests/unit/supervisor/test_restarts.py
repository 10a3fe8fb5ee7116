"""Ends nobody asked for, failing health, and restarts on request."""

from __future__ import annotations

import anyio
import pytest

from harness.model import Backoff, EventKind, HealthState, RestartMode, RestartPolicy, ServiceState
from harness.supervisor import OperationState
from tests.unit.supervisor.scene import Scene, checked, needs, service

PLAIN = Backoff(initial_s=1.0, factor=2.0, max_s=30.0, jitter=0.0, reset_after_s=100.0)


def policy(mode: RestartMode = RestartMode.ALWAYS, **more) -> RestartPolicy:
    return RestartPolicy(mode=mode, **{"backoff": PLAIN, **more})


async def test_a_dead_service_is_started_again_after_its_delay(play: Scene) -> None:
    await play.brought_up(service("a", restart=policy()))
    await play.end("a")
    await play.reaches("a", ServiceState.BACKOFF)
    status = play.project.statuses()[0]
    assert status.next_try_at == "2026-01-01T00:00:01+00:00"
    assert status.message == "ended by SIGKILL"
    assert status.exit_code == 137
    await play.clock.run_for(1)
    assert play.state("a") == "running"
    status = play.project.statuses()[0]
    assert (status.restarts, status.next_try_at, status.exit_code) == (1, None, None)
    assert play.executor.most_alive == 1


async def test_delays_grow_with_every_crash(play: Scene) -> None:
    play.up(service("a", run_for=0.0, exit_code=1, restart=policy(max_attempts=3)))
    starts = []
    for second in range(20):
        await play.clock.run_for(0 if second == 0 else 1)
        starts.append(len(play.executor.names("start")))
    assert [starts.index(n) for n in (1, 2, 3, 4)] == [0, 1, 3, 7]


async def test_a_crash_loop_ends_as_failed(play: Scene) -> None:
    operation = play.up(service("a", run_for=0.0, exit_code=3, restart=policy(max_attempts=2)))
    await play.clock.run_for(10)
    await play.ended(operation)
    assert play.state("a") == "failed"
    assert play.executor.names("start") == ["a"] * 3
    assert "exit status 3" in play.reason("a")
    assert "3 times" in play.reason("a")
    assert [e.data["attempts"] for e in play.events(EventKind.CRASH_LOOP_DETECTED)] == [3]
    await play.clock.run_for(1000)
    assert play.state("a") == "failed"


async def test_a_user_s_start_gives_a_failed_unit_all_its_attempts_again(play: Scene) -> None:
    spec = service("a", run_for=0.0, exit_code=3, restart=policy(max_attempts=1))
    play.up(spec)
    await play.clock.run_for(10)
    assert play.state("a") == "failed"
    play.up(spec)
    await play.clock.run_for(10)
    assert play.executor.names("start") == ["a"] * 4


async def test_a_calm_period_resets_the_delay(play: Scene) -> None:
    play.up(service("a", run_for=200.0, restart=policy(max_attempts=1)))
    await play.clock.run_for(1000)
    assert play.executor.names("start") == ["a"] * 5
    assert play.state("a") == "running"


async def test_a_service_that_ends_well_is_left_alone_by_on_failure(play: Scene) -> None:
    play.up(
        service("well", run_for=1.0, restart=policy(RestartMode.ON_FAILURE)),
        service("badly", run_for=1.0, exit_code=1, restart=policy(RestartMode.ON_FAILURE)),
        service("always", run_for=1.0, restart=policy()),
        service("never", run_for=1.0, exit_code=1),
    )
    await play.clock.run_for(1.5)
    assert play.states() == {
        "well": "exited",
        "badly": "backoff",
        "always": "backoff",
        "never": "failed",
    }


async def test_a_unit_that_cannot_start_is_tried_again_as_its_policy_says(play: Scene) -> None:
    operation = play.up(service("a", start_error="busy", restart=policy(max_attempts=2)))
    await play.clock.run_for(10)
    await play.ended(operation)
    assert play.executor.names("start") == ["a"] * 3
    assert "busy" in str(operation.error)


@pytest.mark.parametrize(
    ("restart", "state", "starts"),
    [(policy(RestartMode.NO), "failed", 1), (policy(max_attempts=None), "running", 2)],
)
async def test_a_unit_that_is_not_ready_in_time_has_failed(
    play: Scene, restart: RestartPolicy, state: str, starts: int
) -> None:
    spec = service("a", health=checked("never"), startup_timeout_s=5.0, restart=restart)
    play.up(spec, keep_going=True)
    await play.clock.run_for(4.9)
    assert play.state("a") == "running"
    await play.clock.run_for(2)
    assert play.state("a") == state
    assert play.executor.names("start") == ["a"] * starts
    assert play.executor.names("stop") == ["a"]
    assert play.executor.most_alive == 1


async def test_the_startup_timeout_is_over_once_the_unit_was_ready(play: Scene) -> None:
    play.checks.passing.add("web")
    await play.brought_up(service("a", health=checked("web"), startup_timeout_s=5.0))
    play.checks.passing.clear()
    await play.clock.run_for(60)
    assert play.state("a") == "running"
    assert play.project.unit("a").health is HealthState.UNHEALTHY


async def test_failing_liveness_restarts_the_unit(play: Scene) -> None:
    play.checks.passing = {"web", "web-alive"}
    await play.brought_up(service("a", health=checked("web", liveness=True), restart=policy()))
    play.checks.passing.remove("web-alive")
    await play.clock.run_for(1.5)
    assert play.state("a") == "backoff"
    assert "liveness" in play.reason("a")
    assert "web-alive refused" in play.reason("a")
    play.checks.passing.add("web-alive")
    await play.clock.run_for(2)
    assert play.state("a") == "running"
    assert play.project.unit("a").is_ready
    assert play.executor.most_alive == 1


async def test_failing_liveness_without_a_restart_policy_fails_the_unit(play: Scene) -> None:
    play.checks.passing = {"web", "web-alive"}
    await play.brought_up(service("a", health=checked("web", liveness=True)))
    play.checks.passing.remove("web-alive")
    await play.clock.run_for(2)
    assert play.state("a") == "failed"


async def test_failing_readiness_restarts_nothing(play: Scene) -> None:
    play.checks.passing = {"web"}
    await play.brought_up(service("a", health=checked("web"), restart=policy()))
    play.checks.passing.clear()
    await play.clock.run_for(30)
    assert play.state("a") == "running"
    assert not play.project.unit("a").is_ready


async def test_a_calm_period_counts_from_readiness_without_a_startup_timeout(play: Scene) -> None:
    play.checks.passing = {"web"}
    spec = service(
        "a",
        run_for=200.0,
        health=checked("web"),
        startup_timeout_s=float("inf"),
        restart=policy(max_attempts=1),
    )
    await play.brought_up(spec)
    await play.clock.run_for(1000)
    assert play.state("a") == "running"


async def test_restart_stops_dependents_first_and_starts_in_order(play: Scene) -> None:
    await play.brought_up(service("web", needs("db")), service("db"))
    play.executor.calls.clear()
    operation = await play.ended(play.stacks.restart(play.project))
    assert operation.state is OperationState.DONE
    assert play.executor.calls == [
        ("stop", "web"),
        ("stop", "db"),
        ("start", "db"),
        ("start", "web"),
    ]


async def test_nothing_starts_again_before_everything_of_a_restart_has_stopped(
    play: Scene,
) -> None:
    await play.brought_up(service("db"), service("web", needs("db")))
    play.executor.calls.clear()
    play.executor.stop_gate = anyio.Event()
    operation = play.stacks.restart(play.project)
    await play.settle()
    assert play.executor.calls == [("stop", "web")]
    assert {u["goal"] for u in play.store.records("units:p").values()} == {"up"}
    play.executor.stop_gate.set()
    await play.ended(operation)
    assert play.states() == {"db": "running", "web": "running"}


async def test_restart_of_one_unit_leaves_its_dependents(play: Scene) -> None:
    await play.brought_up(service("db"), service("web", needs("db")))
    await play.ended(play.stacks.restart(play.project, ["db"]))
    assert play.executor.names("start") == ["db", "web", "db"]


async def test_restart_takes_dependents_along_that_ask_for_it(play: Scene) -> None:
    await play.brought_up(
        service("db"),
        service("web", needs("db", restart=True)),
        service("log", needs("db")),
        service("edge", needs("web", restart=True)),
        service("off", needs("web", restart=True)),
    )
    await play.ended(play.stacks.stop(play.project, ["off"]))
    restarted = await play.ended(play.stacks.restart(play.project, ["db"]))
    # It has ended when all of them are back, in order.
    assert [result.unit for result in restarted.results] == ["db", "web", "edge"]
    assert play.states() == dict.fromkeys(("db", "web", "log", "edge"), "running") | {
        "off": "stopped"
    }
    starts = play.executor.names("start")
    assert starts[-3:] == ["db", "web", "edge"]
    assert starts.count("log") == starts.count("off") == 1


async def test_restart_starts_what_had_failed_also_when_dependents_come_first(
    play: Scene,
) -> None:
    units = service("web", needs("db")), service("db", run_for=1.0, exit_code=1)
    play.up(*units, keep_going=True)
    await play.clock.run_for(1)
    await play.ended(play.stacks.restart(play.project))
    await play.settle()
    assert play.executor.names("start").count("db") == 2


async def test_restart_during_backoff_starts_at_once(play: Scene) -> None:
    await play.brought_up(service("a", restart=policy()))
    await play.end("a")
    await play.reaches("a", ServiceState.BACKOFF)
    operation = await play.ended(play.stacks.restart(play.project, ["a"]))
    assert operation.state is OperationState.DONE
    await play.clock.run_for(60)
    assert play.executor.names("start") == ["a", "a"]


async def test_start_starts_what_a_unit_needs_and_leaves_what_runs(play: Scene) -> None:
    await play.brought_up(service("db"), service("web", needs("db")))
    await play.taken_down()
    operation = await play.ended(play.stacks.start(play.project, ["web"]))
    assert operation.state is OperationState.DONE
    before = play.executor.calls[:]
    await play.ended(play.stacks.start(play.project))
    assert play.executor.calls == before


async def test_restart_count_begins_again_when_a_user_starts_the_unit(play: Scene) -> None:
    spec = service("a", restart=policy(RestartMode.ON_FAILURE))
    await play.brought_up(spec)
    await play.end("a")
    await play.clock.run_for(2)
    assert play.project.statuses()[0].restarts == 1
    await play.taken_down()
    await play.brought_up(spec)
    assert play.project.statuses()[0].restarts == 0
