"""Stopping: order, goals first, races with ends and with back-off, survivors."""

from __future__ import annotations

import os

import anyio

from harness.errors import StopFailed, WaitTimeout
from harness.model import (
    Backoff,
    EventKind,
    Goal,
    Hooks,
    RestartMode,
    RestartPolicy,
    ServiceState,
)
from harness.supervisor import OperationState
from tests.unit.supervisor.scene import Scene, checked, hook, needs, scene, service, task

ALWAYS = RestartPolicy(mode=RestartMode.ALWAYS, backoff=Backoff(initial_s=5.0, jitter=0.0))
CHAIN = service("db"), service("api", needs("db")), service("web", needs("api"))


async def test_down_stops_dependents_first(play: Scene) -> None:
    await play.brought_up(*CHAIN)
    operation = await play.taken_down()
    assert operation.state is OperationState.DONE
    assert play.executor.names("stop") == ["web", "api", "db"]
    assert set(play.states().values()) == {"stopped"}
    assert set(play.outcomes(operation).values()) == {"stopped"}


async def test_independent_units_stop_at_the_same_time(play: Scene) -> None:
    await play.brought_up(*(service(f"s{n}") for n in range(4)))
    play.executor.stop_gate = anyio.Event()
    operation = play.stacks.down(play.project)
    await play.settle()
    assert len(play.executor.names("stop")) == 4
    play.executor.stop_gate.set()
    await play.ended(operation)


async def test_every_goal_is_stored_before_the_first_stop(play: Scene) -> None:
    await play.brought_up(*CHAIN)
    play.executor.stop_gate = anyio.Event()
    operation = play.stacks.down(play.project)
    await play.settle()
    assert play.states() == {"db": "running", "api": "running", "web": "stopping"}
    goals = {name: value["goal"] for name, value in play.store.records("units:p").items()}
    assert goals == {"db": "down", "api": "down", "web": "down"}
    play.executor.stop_gate.set()
    await play.ended(operation)


async def test_down_twice_does_nothing(play: Scene) -> None:
    await play.brought_up(service("a"))
    await play.taken_down()
    operation = await play.taken_down()
    assert operation.state is OperationState.DONE
    assert play.executor.names("stop") == ["a"]


async def test_down_brings_everything_to_rest_whatever_its_state(play: Scene) -> None:
    play.up(
        service("fine"),
        service("waiting", needs("never")),
        service("never", health=checked("never")),
        service("crashed", run_for=0.0, exit_code=1, restart=ALWAYS),
        service("failed", start_error="no"),
        service("ended", run_for=0.0),
        task("done"),
        keep_going=True,
    )
    await play.clock.run_for(1)
    assert play.states() == {
        "fine": "running",
        "waiting": "pending",
        "never": "running",
        "crashed": "backoff",
        "failed": "failed",
        "ended": "exited",
        "done": "exited",
    }
    operation = await play.taken_down()
    assert operation.state is OperationState.DONE
    assert set(play.states().values()) == {"stopped"}


async def test_a_stop_during_backoff_cancels_the_restart(play: Scene) -> None:
    await play.brought_up(service("a", restart=ALWAYS))
    await play.end("a")
    await play.reaches("a", ServiceState.BACKOFF)
    await play.taken_down()
    await play.clock.run_for(60)
    assert play.state("a") == "stopped"
    assert play.executor.names("start") == ["a"]


async def test_a_stop_while_a_start_hangs_ends_it(play: Scene) -> None:
    play.executor.start_gate = anyio.Event()
    play.up(service("a"))
    await play.settle()
    assert play.state("a") == "starting"
    operation = await play.taken_down()
    assert operation.state is OperationState.DONE
    assert play.state("a") == "stopped"


async def test_a_unit_that_ends_while_its_stop_begins_is_stopped(play: Scene) -> None:
    """Its end is no crash any more: neither a restart nor a failure may come of it."""
    stop = Hooks(pre_stop=(hook("read line < gate"),))
    os.mkfifo(play.directory / "gate")
    await play.brought_up(service("a", restart=ALWAYS, hooks=stop))
    operation = play.stacks.down(play.project)
    await play.reaches("a", ServiceState.STOPPING)
    await play.end("a")
    await play.settle()
    await anyio.Path(play.directory / "gate").write_text("go\n")
    await play.ended(operation)
    await play.clock.run_for(60)
    assert operation.state is OperationState.DONE
    assert play.state("a") == "stopped"
    assert play.executor.names("start") == ["a"]


async def test_a_crash_and_a_stop_at_the_same_moment_end_stopped(play: Scene) -> None:
    await play.brought_up(service("a"), service("b", restart=ALWAYS))
    for name in ("a", "b"):
        await play.end(name)
    operation = await play.taken_down()
    await play.clock.run_for(60)
    assert operation.state is OperationState.DONE
    assert play.states() == {"a": "stopped", "b": "stopped"}


async def test_a_unit_that_ignores_the_stop_signal_is_killed_after_its_timeout(play: Scene) -> None:
    await play.brought_up(service("a", ignores_stop=True, shutdown_timeout_s=7.0))
    operation = play.stacks.down(play.project)
    await play.clock.run_for(6.9)
    assert play.state("a") == "stopping"
    await play.clock.run_for(0.1)
    await play.ended(operation)
    assert play.state("a") == "stopped"
    assert "killed" in play.reason("a")


async def test_a_survivor_is_named_and_a_later_stop_tries_again(play: Scene) -> None:
    await play.brought_up(service("a"))
    play.executor.stop_error = StopFailed(
        service="a", executor="fake", cause="still alive after SIGKILL: 77 zombie"
    )
    operation = await play.taken_down()
    assert operation.state is OperationState.FAILED
    assert "77 zombie" in str(operation.error)
    assert play.state("a") == "unknown"
    assert play.events(EventKind.SURVIVOR_FOUND, "a")
    play.executor.stop_error = None
    assert (await play.taken_down()).state is OperationState.DONE
    assert play.state("a") == "stopped"


async def test_a_survivor_does_not_make_up_or_restart_wait_for_ever(play: Scene) -> None:
    await play.brought_up(service("a"))
    play.executor.stop_error = StopFailed(service="a", executor="fake", cause="still alive")
    await play.taken_down()
    up = await play.brought_up(service("a"))
    assert up.state is OperationState.FAILED
    restart = await play.ended(play.stacks.restart(play.project))
    assert restart.state is OperationState.FAILED
    assert play.executor.most_alive == 1


async def test_a_defect_in_an_executor_does_not_keep_a_stop_from_ending(play: Scene) -> None:
    await play.brought_up(service("a"))
    play.executor.stop_error = RuntimeError("a bug")
    operation = await play.taken_down()
    assert operation.state is OperationState.FAILED
    assert play.state("a") == "unknown"


async def test_stop_takes_dependents_along(play: Scene) -> None:
    await play.brought_up(*CHAIN, service("other"))
    await play.ended(play.stacks.stop(play.project, ["api"]))
    assert play.states() == {
        "db": "running",
        "api": "stopped",
        "web": "stopped",
        "other": "running",
    }
    assert play.executor.names("stop") == ["web", "api"]


async def test_stop_without_dependents_leaves_them(play: Scene) -> None:
    await play.brought_up(*CHAIN)
    await play.ended(play.stacks.stop(play.project, ["db"], deps=False))
    assert play.states() == {"db": "stopped", "api": "running", "web": "running"}


async def test_a_stop_that_takes_too_long_is_reported_and_goes_on(play: Scene) -> None:
    await play.brought_up(service("a"))
    play.executor.stop_gate = anyio.Event()
    operation = await play.ended(play.stacks.down(play.project, timeout_s=0.05))
    assert isinstance(operation.error, WaitTimeout)
    play.executor.stop_gate.set()
    await play.reaches("a", ServiceState.STOPPED)


async def test_down_with_volumes_forgets_the_project(play: Scene) -> None:
    await play.brought_up(service("a"), task("t"))
    await play.ended(play.stacks.down(play.project, volumes=True))
    assert play.stacks.projects() == []
    assert play.store.records("projects") == {}
    assert play.store.records("units:p") == {}
    assert not (play.directory / "projects" / "p").exists()


async def test_stop_all_takes_every_project_down(play: Scene) -> None:
    await play.brought_up(service("a"))
    with anyio.fail_after(10):
        results = await play.stacks.stop_all()
    assert [result.outcome for result in results] == ["stopped"]
    assert play.project.unit("a").goal is Goal.DOWN


async def test_leaving_stops_nothing_also_while_an_up_waits(tmp_path) -> None:
    with anyio.fail_after(10):
        async with scene(tmp_path) as play:
            play.up(service("slow", health=checked("never")), service("web", needs("slow")))
            await play.clock.run_for(1)
            store = play.store
    assert play.executor.names("stop") == []
    assert {value["goal"] for value in store.records("units:p").values()} == {"up"}


async def test_leaving_while_a_cancelled_up_gives_up_does_not_hang(tmp_path) -> None:
    with anyio.fail_after(10):
        async with scene(tmp_path) as play:
            operation = play.up(service("slow", health=checked("never")))
            await play.clock.run_for(1)
            play.executor.stop_gate = anyio.Event()
            play.stacks.operations.cancel(operation.id)
            await play.settle()
            assert play.state("slow") == "stopping"


async def test_a_stopped_unit_leaves_no_directory_with_its_environment(play: Scene) -> None:
    await play.brought_up(service("a"))
    assert play.project.unit("a").directories.generations() == [1]
    await play.taken_down()
    with anyio.fail_after(10):
        while play.project.unit("a").directories.generations():  # noqa: ASYNC110
            await anyio.sleep(0.01)
