"""Waiting for units, and what is said when that is in vain."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from harness.commands import Command
from harness.errors import HandleLost, NotSupported, OperationFailed, UnknownService, WaitTimeout
from harness.model import Backoff, RestartMode, RestartPolicy, ServiceState
from harness.supervisor import Explanation
from tests.unit.supervisor.scene import Scene, checked, needs, service, task


async def waits(play: Scene, *names: str, target: str, timeout_s: float | None = 0.05) -> None:
    with anyio.fail_after(10):
        await play.project.wait_for(names, target, timeout_s=timeout_s)


async def test_each_target_is_reached_by_what_it_names(play: Scene) -> None:
    play.checks.passing.add("web")
    await play.brought_up(service("web", health=checked("web")), task("seed"))
    await waits(play, "web", target="started")
    await waits(play, "web", "seed", target="healthy")
    await waits(play, "seed", target="completed")
    await play.taken_down()
    await waits(play, "web", "seed", target="stopped")


async def test_a_wait_ends_the_moment_the_target_is_reached(play: Scene) -> None:
    play.up(service("web", health=checked("web")))
    await play.clock.run_for(1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: waits(play, "web", target="healthy", timeout_s=10))
        await play.settle()
        play.checks.passing.add("web")
        await play.clock.run_for(2)


async def test_started_does_not_wait_for_health(play: Scene) -> None:
    play.up(service("web", health=checked("never")))
    await play.settle()
    await waits(play, "web", target="started")
    with pytest.raises(WaitTimeout):
        await waits(play, "web", target="healthy")


async def test_a_timeout_carries_the_chain_of_causes(play: Scene) -> None:
    play.up(
        service("db", health=checked("db"), output=("booting",)),
        service("api", needs("db")),
        service("web", needs("api")),
    )
    await play.clock.run_for(3)
    with pytest.raises(WaitTimeout) as caught:
        await waits(play, "web", target="healthy")
    assert "0.05 s have passed" in str(caught.value)
    assert 'web waits for "api"' in str(caught.value)
    assert caught.value.hint == "harness why web"
    explanations: Any = caught.value.details["explanations"]
    web = explanations[0]
    db = web["causes"][0]["causes"][0]
    assert db["unit"] == "db"
    assert db["probe"]["message"] == "db refused"
    assert db["probe"]["tries"] > 1
    assert db["last_output"] == ["booting"]


async def test_a_wait_for_what_will_not_happen_ends_at_once_and_says_so(play: Scene) -> None:
    await play.brought_up(service("db", start_error="no image"), keep_going=True)
    with pytest.raises(OperationFailed, match="it will not happen") as caught:
        await waits(play, "db", target="healthy", timeout_s=None)
    assert "no image" in str(caught.value)


async def test_a_wait_for_a_stopped_unit_ends_at_once(play: Scene) -> None:
    await play.stacks.apply(play.stack(service("db")), {})
    with pytest.raises(OperationFailed, match="db is stopped"):
        await waits(play, "db", target="healthy", timeout_s=None)


async def test_a_wait_for_stopped_ends_when_the_unit_does(play: Scene) -> None:
    await play.brought_up(service("db", run_for=5.0))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: waits(play, "db", target="stopped", timeout_s=10))
        await play.clock.run_for(5)


async def test_a_wait_for_an_unknown_unit_suggests_one(play: Scene) -> None:
    await play.brought_up(service("postgres"))
    with pytest.raises(UnknownService) as caught:
        await waits(play, "postgre", target="healthy")
    assert caught.value.hint == 'did you mean "postgres"?'


def explained(play: Scene, unit: str) -> Explanation:
    return play.project.explain(unit)


async def test_every_state_is_explained_in_a_sentence(play: Scene) -> None:
    play.up(
        service("ready"),
        service("slow", health=checked("never")),
        service("waiting", needs("slow")),
        service("failed", start_error="no"),
        service("ended", run_for=0.0),
        task("busy", run_for=100.0),
        service(
            "crashing",
            run_for=0.0,
            exit_code=3,
            restart=RestartPolicy(
                mode=RestartMode.ALWAYS, max_attempts=4, backoff=Backoff(initial_s=9.0, jitter=0.0)
            ),
        ),
        keep_going=True,
    )
    await play.settle()
    sentences = {name: explained(play, name).summary for name in play.states()}
    assert sentences == {
        "ready": "ready is running and ready",
        "slow": "slow is running and not ready: its checks have not passed",
        "waiting": 'waiting waits for "slow"',
        "failed": "failed is failed: it could not be started: no",
        "ended": "ended has ended: exit status 0",
        "busy": "busy is running and has not completed yet",
        "crashing": "crashing is in back-off after 1 attempt: exit status 3",
    }
    assert explained(play, "crashing").next == "attempt 2 of 5 at 2026-01-01T00:00:09+00:00"
    (need,) = explained(play, "waiting").needs
    assert need == {"unit": "slow", "condition": "healthy", "met": False, "state": "running"}


async def test_what_needs_a_running_unit_says_that_it_does_not_run(play: Scene) -> None:
    await play.stacks.apply(play.stack(service("a")), {})
    with pytest.raises(HandleLost, match="not running, but stopped") as caught:
        await play.project.signal("a", "SIGHUP")
    assert caught.value.hint == "harness start a"


async def test_what_the_executor_cannot_do_is_refused(play: Scene) -> None:
    await play.brought_up(service("a"))
    with pytest.raises(NotSupported, match="stdin"):
        await play.project.write_stdin("a", b"x")
    with pytest.raises(NotSupported, match="exec"):
        await play.project.execute("a", Command(argv=("true",)))


async def test_a_signal_reaches_the_unit(play: Scene) -> None:
    await play.brought_up(service("a"))
    await play.project.reload([])
    await play.project.signal("a", "SIGTERM")
    await play.reaches("a", ServiceState.FAILED)
    assert play.project.statuses()[0].exit_code == 143


async def test_top_counts_what_runs(play: Scene) -> None:
    await play.brought_up(service("a"), task("t"))
    row = {"name": "a", "processes": 1, "rss_bytes": 0, "cpu_s": 0.0, "tree": []}
    assert await play.project.top() == [row]


async def test_checking_now_finds_what_is_true_now(play: Scene) -> None:
    play.up(service("a", health=checked("a")))
    await play.clock.run_for(0.01)
    assert play.project.health("a")[0]["state"] != "healthy"
    play.checks.passing.add("a")
    with anyio.fail_after(10):
        (found,) = await play.project.check_health("a")
    assert found["state"] == "healthy"
    assert found["stages"][0]["reached"] is True


async def test_history_of_a_unit_is_in_its_inspection(play: Scene) -> None:
    await play.brought_up(service("a"), service("b"))
    history = play.project.inspect("a")["history"]
    assert {event["unit"] for event in history} == {"a"}
    assert [e["data"]["new"] for e in history if e["kind"] == "unit-state-changed"] == [
        "pending",
        "starting",
        "running",
    ]


async def test_until_over_waits_until_all_are_over_at_the_same_time(play: Scene) -> None:
    await play.brought_up(service("a"), service("b"))
    stacks, over = play.stacks, anyio.Event()

    async def wait() -> None:
        await play.project.until_over(["a", "b"])
        over.set()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            for change, name in ((stacks.stop, "a"), (stacks.start, "a"), (stacks.stop, "b")):
                await play.ended(change(play.project, [name]))
                await anyio.wait_all_tasks_blocked()
                assert not over.is_set()
            await play.ended(stacks.stop(play.project, ["a"]))
            await over.wait()
