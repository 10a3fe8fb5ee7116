"""Commands around a start and a stop. They are real processes, so these tests wait for them."""

from __future__ import annotations

import anyio

from harness.model import EventKind, Hook, Hooks, SecretSpec, ServiceState
from harness.supervisor import OperationState
from tests.unit.supervisor.scene import Scene, hook, service


def moments(play: Scene) -> list[tuple[str, bool]]:
    events = play.events(EventKind.HOOK_FINISHED)
    return [(e.data["moment"], e.data["ok"]) for e in events]


async def settled(play: Scene, unit: str) -> None:
    with anyio.fail_after(10):
        await play.project.unit(unit).until(lambda u: u.state is ServiceState.FAILED)


async def test_hooks_run_around_start_and_stop_with_the_unit_s_environment(play: Scene) -> None:
    hooks = Hooks(
        pre_start=(hook("echo pre_start $WHO >> trace"),),
        post_start=(hook("echo post_start >> trace; echo > started"),),
        pre_stop=(hook("echo pre_stop >> trace"),),
        post_stop=(hook("echo post_stop >> trace"),),
    )
    await play.brought_up(service("a", env={"WHO": "me"}, hooks=hooks))
    with anyio.fail_after(10):
        while not (play.directory / "started").exists():
            await anyio.lowlevel.checkpoint()
    await play.taken_down()
    trace = (play.directory / "trace").read_text().splitlines()
    assert trace == ["pre_start me", "post_start", "pre_stop", "post_stop"]


async def test_a_hook_carries_what_tells_whose_it_is(play: Scene) -> None:
    line = 'echo "$HARNESS_UNIT $HARNESS_RUN" > carried'
    await play.brought_up(service("a", hooks=Hooks(pre_start=(hook(line),))))
    request = play.executor.requests["a"]
    carried = (play.directory / "carried").read_text()
    assert carried == f"{request.marker} {request.run_dir}\n"


async def test_hooks_of_one_moment_run_in_order(play: Scene) -> None:
    hooks = Hooks(pre_start=(hook("echo 1 >> trace"), hook("echo 2 >> trace")))
    await play.brought_up(service("a", hooks=hooks))
    assert (play.directory / "trace").read_text() == "1\n2\n"


async def test_a_failed_pre_start_keeps_the_unit_from_starting(play: Scene) -> None:
    hooks = Hooks(pre_start=(hook("echo no database >&2; exit 4"), hook("touch later")))
    operation = await play.brought_up(service("a", hooks=hooks))
    assert operation.state is OperationState.FAILED
    assert play.executor.calls == []
    assert "pre_start hook failed: exit status 4" in play.reason("a")
    assert "no database" in play.reason("a")
    assert not (play.directory / "later").exists()
    assert moments(play) == [("pre_start", False)]


async def test_a_pre_start_that_hangs_is_ended_at_its_timeout(play: Scene) -> None:
    hooks = Hooks(pre_start=(hook("sleep 1000", timeout_s=0.05),))
    await play.brought_up(service("a", hooks=hooks))
    assert play.state("a") == "failed"


async def test_a_pre_start_whose_program_is_missing_fails_the_unit(play: Scene) -> None:

    hooks = Hooks(pre_start=(Hook(argv=("no-such-program",)),))
    await play.brought_up(service("a", hooks=hooks))
    assert "no-such-program" in play.reason("a")


async def test_a_failed_post_start_stops_the_unit_again(play: Scene) -> None:
    hooks = Hooks(post_start=(hook("exit 1"),))
    play.up(service("a", hooks=hooks))
    await settled(play, "a")
    assert play.state("a") == "failed"
    assert "post_start hook failed" in play.reason("a")
    assert play.executor.names("stop") == ["a"]


async def test_failed_stop_hooks_are_reported_and_the_stop_goes_on(play: Scene) -> None:
    hooks = Hooks(pre_stop=(hook("exit 1"),), post_stop=(hook("exit 2"),))
    await play.brought_up(service("a", hooks=hooks))
    operation = await play.taken_down()
    assert operation.state is OperationState.DONE
    assert play.state("a") == "stopped"
    assert moments(play) == [("pre_stop", False), ("post_stop", False)]


async def test_a_stop_ends_a_pre_start_that_runs(play: Scene) -> None:
    hooks = Hooks(pre_start=(hook("echo > begun; sleep 1000"),))
    play.up(service("a", hooks=hooks))
    with anyio.fail_after(10):
        while not (play.directory / "begun").exists():
            await anyio.lowlevel.checkpoint()
    operation = await play.taken_down()
    assert operation.state is OperationState.DONE
    assert play.executor.names("start") == []


async def test_what_a_hook_says_of_a_secret_is_masked(play: Scene) -> None:
    play.client_env = {"TOKEN": "hunter2hunter2"}
    hooks = Hooks(pre_start=(hook("echo leaked ${secrets.token}; exit 1"),))
    await play.brought_up(
        service("a", hooks=hooks), secrets={"token": SecretSpec(name="token", env="TOKEN")}
    )
    assert "leaked" in play.reason("a")
    assert "hunter2" not in play.reason("a")
    assert "hunter2" not in str(play.store.events())
    assert "hunter2" not in str(play.store.records("units:p"))
