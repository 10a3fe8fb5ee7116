"""Tasks: run once, remembered, run again when that no longer holds."""

from __future__ import annotations

import pytest

from harness.errors import ServiceNotFound, UnknownTask
from harness.model import (
    Condition,
    EventKind,
    OutputSpec,
    RememberMode,
    ServiceState,
    TaskSpec,
)
from harness.supervisor import OperationState
from tests.unit.supervisor.scene import Scene, needs, service, task


def seed(*lines: str, **more) -> TaskSpec:
    return task("seed", output=lines or ('{"block": 7}',), **more)


BLOCK = OutputSpec(name="block", json="block")


def runs(play: Scene) -> int:
    return play.executor.names("start").count("seed")


async def test_a_completed_task_has_outputs(play: Scene) -> None:
    await play.brought_up(seed(outputs=(BLOCK,)))
    status = play.project.tasks()[0]
    assert status.outputs == {"block": 7}
    assert status.completed_at is not None
    assert status.ready
    (event,) = play.events(EventKind.TASK_COMPLETED)
    assert event.data == {"outputs": {"block": 7}, "skipped": False}


async def test_outputs_are_read_from_this_run_alone(play: Scene) -> None:
    await play.brought_up(seed('{"block": 1}', outputs=(BLOCK,)))
    operation = await play.brought_up(seed("none this time", outputs=(BLOCK,)))
    assert "no JSON document" in str(operation.error)


async def test_a_task_whose_output_is_missing_has_failed(play: Scene) -> None:
    operation = await play.brought_up(seed("no json", outputs=(BLOCK,)))
    assert operation.state is OperationState.FAILED
    assert 'output "block" cannot be read' in play.reason("seed")
    assert play.project.tasks()[0].completed_at is None


async def test_a_task_is_remembered_after_down(play: Scene) -> None:
    await play.brought_up(seed(outputs=(BLOCK,)))
    await play.taken_down()
    operation = await play.brought_up(seed(outputs=(BLOCK,)))
    assert play.outcomes(operation) == {"seed": "skipped"}
    assert runs(play) == 1
    assert play.state("seed") == "exited"
    assert play.project.tasks()[0].outputs == {"block": 7}
    assert [e.data["skipped"] for e in play.events(EventKind.TASK_COMPLETED)] == [False, True]


async def test_a_remembered_task_lets_its_dependents_start(play: Scene) -> None:
    units = seed(), service("web", needs("seed", Condition.COMPLETED))
    await play.brought_up(*units)
    await play.taken_down()
    await play.brought_up(*units)
    assert play.state("web") == "running"
    assert runs(play) == 1


@pytest.mark.parametrize("after_down", [True, False])
async def test_a_changed_task_runs_again(play: Scene, after_down: bool) -> None:
    await play.brought_up(seed("1"))
    if after_down:
        await play.taken_down()
    await play.brought_up(seed("2"))
    assert runs(play) == 2


async def test_changed_input_files_run_a_task_again(play: Scene) -> None:
    (play.directory / "abi.json").write_text("1")
    spec = seed(inputs=("abi.json",))
    await play.brought_up(spec)
    await play.brought_up(spec)
    assert runs(play) == 1
    (play.directory / "abi.json").write_text("2")
    await play.brought_up(spec)
    assert runs(play) == 2


async def test_a_task_whose_creation_is_gone_runs_again(play: Scene) -> None:
    (play.directory / "made").touch()
    spec = seed(creates=("made",))
    await play.brought_up(spec)
    await play.taken_down()
    (play.directory / "made").unlink()
    await play.brought_up(spec)
    assert runs(play) == 2


async def test_force_runs_a_completed_task_again(play: Scene) -> None:
    await play.brought_up(seed())
    await play.brought_up(seed(), force=True)
    assert runs(play) == 2
    await play.brought_up(seed())
    assert runs(play) == 2


async def test_reset_forgets_a_completion(play: Scene) -> None:
    await play.brought_up(seed())
    play.project.reset(["seed"])
    await play.brought_up(seed())
    assert runs(play) == 2


async def test_reset_of_no_names_forgets_every_task_and_of_an_unknown_one_refuses(
    play: Scene,
) -> None:
    await play.brought_up(seed(outputs=(BLOCK,)), service("web"))
    with pytest.raises(UnknownTask):
        play.project.reset(["web"])
    play.project.reset([])
    assert play.project.tasks()[0].outputs == {}


async def test_a_task_that_is_never_remembered_runs_on_every_up(play: Scene) -> None:
    spec = seed(remember=RememberMode.NEVER)
    await play.brought_up(spec)
    await play.taken_down()
    await play.brought_up(spec)
    assert runs(play) == 2


async def test_a_task_bound_to_a_run_is_void_once_that_service_started_again(play: Scene) -> None:
    units = service("chain"), seed_on("chain")
    await play.brought_up(*units)
    await play.brought_up(*units)
    assert runs(play) == 1
    await play.ended(play.stacks.restart(play.project, ["chain"]))
    await play.brought_up(*units)
    assert runs(play) == 2


async def test_a_task_bound_to_a_run_outlives_a_skipped_task_it_depends_on(play: Scene) -> None:
    units = task("build"), seed_on("build", Condition.COMPLETED)
    await play.brought_up(*units)
    await play.taken_down()
    await play.brought_up(*units)
    assert runs(play) == 1


def seed_on(other: str, condition: Condition = Condition.HEALTHY) -> TaskSpec:
    return task("seed", needs(other, condition), remember=RememberMode.RUN)


async def test_a_failing_task_is_tried_again_as_often_as_it_says(play: Scene) -> None:
    operation = play.up(seed(exit_code=1, retries=2))
    await play.clock.run_for(60)
    await play.ended(operation)
    assert operation.state is OperationState.FAILED
    assert runs(play) == 3


async def test_a_task_that_runs_too_long_is_stopped_and_has_failed(play: Scene) -> None:
    operation = play.up(seed(run_for=100.0, timeout_s=5.0))
    await play.clock.run_for(5)
    await play.ended(operation)
    assert play.state("seed") == "failed"
    assert "after 5 s, its timeout" in str(operation.error)
    assert play.executor.names("stop") == ["seed"]


async def test_a_timed_out_task_is_tried_again_too(play: Scene) -> None:
    play.up(seed(run_for=100.0, timeout_s=5.0, retries=1))
    await play.clock.run_for(30)
    assert runs(play) == 2
    assert play.state("seed") == "failed"


async def test_a_task_may_run_for_as_long_as_it_likes_without_a_timeout(play: Scene) -> None:
    operation = play.up(seed(run_for=10_000.0, startup_timeout_s=1.0))
    await play.clock.run_for(10_000)
    assert (await play.ended(operation)).state is OperationState.DONE


async def test_run_tasks_runs_a_task_after_what_it_needs(play: Scene) -> None:
    spec = play.stack(service("db"), task("seed", needs("db")), service("other"))
    operation = await play.ended(play.stacks.run_tasks(spec, {}, tasks=["seed"]))
    assert operation.state is OperationState.DONE
    assert play.states() == {"db": "running", "seed": "exited", "other": "stopped"}


async def test_run_tasks_skips_a_completed_one_unless_forced(play: Scene) -> None:
    spec = play.stack(seed())
    await play.ended(play.stacks.run_tasks(spec, {}, tasks=["seed"]))
    again = await play.ended(play.stacks.run_tasks(spec, {}, tasks=["seed"]))
    assert play.outcomes(again) == {"seed": "skipped"}
    assert runs(play) == 1
    await play.ended(play.stacks.run_tasks(spec, {}, tasks=["seed"], force=True))
    assert runs(play) == 2


async def test_run_tasks_refuses_a_service(play: Scene) -> None:
    with pytest.raises(ServiceNotFound, match="is a service, not a task"):
        play.stacks.run_tasks(play.stack(service("db")), {}, tasks=["db"])


async def test_outputs_reach_whoever_refers_to_them(play: Scene) -> None:
    await play.brought_up(
        seed(outputs=(BLOCK,)),
        service(
            "web",
            needs("seed", Condition.COMPLETED),
            env={"BLOCK": "${tasks.seed.outputs.block}"},
        ),
    )
    assert play.executor.requests["web"].env["BLOCK"] == "7"


async def test_a_stopped_task_has_not_completed(play: Scene) -> None:
    play.up(seed(run_for=10.0))
    await play.reaches("seed", ServiceState.RUNNING)
    await play.taken_down()
    await play.brought_up(seed(run_for=0.0))
    assert runs(play) == 2
