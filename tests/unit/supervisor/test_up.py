"""Bringing a stack up: order, readiness, failure, cancellation, a second time."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from harness.errors import OperationConflict, OperationFailed, UnknownService, WaitTimeout
from harness.executors.fake import FakeExecutor
from harness.model import (
    Condition,
    EventKind,
    Goal,
    PortSpec,
    ServiceState,
    Settings,
    StackSpec,
)
from harness.supervisor import OperationState
from harness.supervisor.machine import Trigger
from tests.unit.supervisor.scene import Scene, checked, needs, scene, service, task


async def test_up_ends_once_everything_is_ready(play: Scene) -> None:
    operation = await play.brought_up(service("a"), service("b"), task("t"))
    assert operation.state is OperationState.DONE
    assert operation.error is None
    assert play.outcomes(operation) == {"a": "ready", "b": "ready", "t": "completed"}
    assert play.states() == {"a": "running", "b": "running", "t": "exited"}


async def test_independent_units_start_at_the_same_time(play: Scene) -> None:
    play.executor.start_gate = anyio.Event()
    play.up(*(service(f"s{n}") for n in range(5)))
    await play.settle()
    assert play.executor.starting == 5
    play.executor.start_gate.set()


async def test_a_chain_starts_in_order_whatever_the_file_order_is(play: Scene) -> None:
    units = [service(f"s{n}", *([needs(f"s{n - 1}")] if n else [])) for n in range(30)]
    operation = await play.brought_up(*reversed(units))
    assert operation.state is OperationState.DONE
    assert play.executor.names("start") == [f"s{n}" for n in range(30)]


async def test_a_dependent_waits_until_the_other_is_healthy(play: Scene) -> None:
    operation = play.up(service("db", health=checked("db")), service("web", needs("db")))
    await play.clock.run_for(5)
    assert play.states() == {"db": "running", "web": "pending"}
    assert not operation.ended.is_set()
    play.checks.passing.add("db")
    await play.clock.run_for(1)
    assert play.states() == {"db": "running", "web": "running"}
    assert (await play.ended(operation)).state is OperationState.DONE


async def test_a_dependent_on_started_does_not_wait_for_health(play: Scene) -> None:
    play.up(service("db", health=checked("db")), service("web", needs("db", Condition.STARTED)))
    await play.settle()
    assert play.states() == {"db": "running", "web": "running"}


async def test_a_dependent_may_wait_for_a_stage_alone(play: Scene) -> None:
    play.up(
        service("chain", health=checked("", stages=("booted", "synced"))),
        service("early", needs("chain", stage="booted")),
        service("late", needs("chain")),
    )
    play.checks.passing.add("booted")
    await play.clock.run_for(2)
    assert play.states() == {"chain": "running", "early": "running", "late": "pending"}
    play.checks.passing.add("synced")
    await play.clock.run_for(2)
    assert play.state("late") == "running"


async def test_a_dependent_waits_until_a_task_has_completed(play: Scene) -> None:
    play.up(task("seed", run_for=5.0), service("web", needs("seed", Condition.COMPLETED)))
    await play.clock.run_for(4.9)
    assert play.states() == {"seed": "running", "web": "pending"}
    await play.clock.run_for(0.1)
    await play.reaches("web", ServiceState.RUNNING)


async def test_a_service_may_be_waited_for_to_complete(play: Scene) -> None:
    play.up(service("init", run_for=1.0), service("web", needs("init", Condition.COMPLETED)))
    await play.clock.run_for(1)
    assert play.states() == {"init": "exited", "web": "running"}


async def test_a_failure_fails_dependents_with_the_chain_of_causes(play: Scene) -> None:
    operation = await play.brought_up(
        service("db", start_error="image not found"),
        service("api", needs("db")),
        service("web", needs("api")),
        keep_going=True,
    )
    assert operation.state is OperationState.FAILED
    assert play.states() == {"db": "failed", "api": "failed", "web": "failed"}
    assert play.reason("api") == 'it depends on "db", which failed'
    assert play.reason("web") == 'it depends on "api", which failed'
    explanation = play.project.explain("web")
    assert explanation.causes[0].causes[0].unit == "db"


async def test_a_failed_up_says_what_failed(play: Scene) -> None:
    operation = await play.brought_up(service("db", start_error="no such image"))
    assert isinstance(operation.error, OperationFailed)
    assert str(operation.error).startswith('cannot up "db": it could not be started')
    assert operation.error.details == {"failed": ["db"]}
    assert operation.error.hint == "harness why db"


async def test_the_first_failure_stops_what_is_not_ready_and_keeps_what_is(play: Scene) -> None:
    operation = play.up(
        service("ready"),
        service("slow", health=checked("never")),
        service("bad", run_for=1.0, exit_code=3, health=checked("never")),
    )
    await play.clock.run_for(1)
    await play.ended(operation)
    assert play.outcomes(operation) == {"ready": "ready", "slow": "cancelled", "bad": "failed"}
    assert play.states() == {"ready": "running", "slow": "stopped", "bad": "failed"}


async def test_what_fails_for_good_after_it_was_ready_is_a_failure_of_up_too(play: Scene) -> None:
    operation = play.up(
        service("brief", run_for=2.0, exit_code=3), service("slow", health=checked("slow"))
    )
    await play.clock.run_for(1)
    assert play.states() == {"brief": "running", "slow": "running"}
    await play.clock.run_for(1)
    await play.ended(operation)
    assert operation.state is OperationState.FAILED
    assert play.outcomes(operation) == {"brief": "failed", "slow": "cancelled"}
    assert str(operation.error).startswith('cannot up "brief": ')


async def test_keep_going_reports_what_fails_after_it_was_ready(play: Scene) -> None:
    operation = play.up(
        service("brief", run_for=2.0, exit_code=3),
        service("slow", health=checked("slow")),
        keep_going=True,
    )
    await play.clock.run_for(3)
    assert not operation.ended.is_set()
    play.checks.passing.add("slow")
    await play.clock.run_for(1)
    await play.ended(operation)
    assert operation.state is OperationState.FAILED
    assert play.outcomes(operation) == {"brief": "failed", "slow": "ready"}


async def test_keep_going_waits_for_the_rest(play: Scene) -> None:
    operation = play.up(
        service("slow", health=checked("slow")), service("bad", start_error="no"), keep_going=True
    )
    await play.clock.run_for(2)
    assert not operation.ended.is_set()
    play.checks.passing.add("slow")
    await play.clock.run_for(1)
    await play.ended(operation)
    assert play.outcomes(operation) == {"slow": "ready", "bad": "failed"}


async def test_cancelling_up_stops_what_is_not_ready_and_keeps_what_is(play: Scene) -> None:
    operation = play.up(
        service("ready"),
        service("slow", health=checked("never")),
        service("waiting", needs("slow")),
    )
    await play.clock.run_for(1)
    play.stacks.operations.cancel(operation.id)
    await play.ended(operation)
    assert operation.state is OperationState.CANCELLED
    assert play.states() == {"ready": "running", "slow": "stopped", "waiting": "stopped"}
    assert play.outcomes(operation) == {"slow": "cancelled", "waiting": "cancelled"}
    assert play.project.unit("slow").goal is Goal.DOWN


async def test_up_that_takes_too_long_explains_itself_and_stops_nothing(play: Scene) -> None:
    operation = play.up(
        service("db", health=checked("db")), service("web", needs("db")), timeout_s=0.05
    )
    await play.ended(operation)
    assert isinstance(operation.error, WaitTimeout)
    assert 'web waits for "db"' in str(operation.error)
    assert play.states() == {"db": "running", "web": "pending"}
    play.checks.passing.add("db")
    await play.clock.run_for(2)
    assert play.state("web") == "running"


async def test_a_second_up_does_nothing(play: Scene) -> None:
    units = service("a"), task("t"), service("b", needs("a"))
    await play.brought_up(*units)
    before = play.executor.calls[:]
    operation = await play.brought_up(*units)
    assert operation.state is OperationState.DONE
    assert play.executor.calls == before
    assert play.outcomes(operation)["a"] == "ready"


async def test_a_second_up_tries_what_failed_again_also_when_its_dependent_comes_first(
    play: Scene,
) -> None:
    web, bad = service("web", needs("db")), service("db", start_error="no")
    await play.brought_up(web, bad)
    assert play.states() == {"web": "failed", "db": "failed"}
    operation = await play.brought_up(web, service("db"))
    assert operation.state is OperationState.DONE
    assert play.states() == {"web": "running", "db": "running"}


async def test_a_changed_definition_restarts_only_that_unit(play: Scene) -> None:
    await play.brought_up(service("a"), service("b"))
    operation = await play.brought_up(service("a"), service("b", env={"NEW": "1"}))
    assert operation.state is OperationState.DONE
    # Nothing orders the two, so either may be the first.
    assert sorted(play.executor.names("start")) == ["a", "b", "b"]
    assert play.executor.names("stop") == ["b"]
    assert play.executor.most_alive == 1


async def test_a_unit_that_left_the_file_is_stopped_and_forgotten(play: Scene) -> None:
    await play.brought_up(service("a"), service("old"))
    await play.brought_up(service("a"))
    assert play.states() == {"a": "running"}
    assert play.executor.names("stop") == ["old"]
    assert "old" not in play.store.records("units:p")
    with pytest.raises(UnknownService):
        play.project.unit("old")


async def test_units_that_left_the_file_stop_dependents_first(play: Scene) -> None:
    await play.brought_up(service("a"), service("old"), service("older", needs("old")))
    await play.brought_up(service("a"))
    assert play.executor.names("stop") == ["older", "old"]


async def test_another_type_of_the_same_unit_is_stopped_by_the_executor_that_started_it(
    tmp_path,
) -> None:
    class Other(FakeExecutor):
        name = "other"

    async with scene(tmp_path, extra=lambda clock: {"other": Other(clock=clock)}) as play:
        await play.brought_up(service("a"))
        operation = await play.brought_up(service("a", type="other"))
        assert operation.state is OperationState.DONE
        assert play.executor.names("stop") == ["a"]
        assert play.state("a") == "running"


async def test_no_more_units_start_at_once_than_the_stack_allows(play: Scene) -> None:
    play.executor.start_gate = anyio.Event()
    operation = play.up(*(service(f"s{n}") for n in range(6)), settings=Settings(parallelism=2))
    await play.settle()
    assert play.executor.starting == 2
    play.executor.start_gate.set()
    await play.ended(operation)
    assert play.executor.most_starting == 2
    assert set(play.states().values()) == {"running"}


async def test_chosen_units_bring_up_what_they_need_and_nothing_else(play: Scene) -> None:
    await play.brought_up(
        service("db"), service("web", needs("db")), service("other"), only=["web"]
    )
    assert play.states() == {"db": "running", "web": "running", "other": "stopped"}


async def test_without_dependencies_a_unit_starts_alone(play: Scene) -> None:
    operation = await play.brought_up(
        service("db"), service("web", needs("db")), only=["web"], deps=False
    )
    assert operation.state is OperationState.DONE
    assert play.states() == {"db": "stopped", "web": "running"}


async def test_a_later_restart_waits_for_dependencies_again(play: Scene) -> None:
    await play.brought_up(service("db"), service("web", needs("db")), only=["web"], deps=False)
    play.stacks.restart(play.project, ["web"])
    await play.clock.run_for(1)
    assert play.state("web") == "pending"


async def test_an_optional_dependency_that_is_not_wanted_does_not_count(play: Scene) -> None:
    operation = await play.brought_up(
        service("db"), service("web", needs("db", required=False)), only=["web"], deps=False
    )
    assert operation.state is OperationState.DONE


async def test_two_ups_at_once_start_everything_once(play: Scene) -> None:
    play.executor.start_gate = anyio.Event()
    units = service("a"), service("b", needs("a"))
    first, second = play.up(*units), play.up(*units)
    await play.settle()
    play.executor.start_gate.set()
    await play.ended(first)
    await play.ended(second)
    assert first.state is second.state is OperationState.DONE
    assert play.executor.names("start") == ["a", "b"]


async def test_down_while_up_waits_wins(play: Scene) -> None:
    up = play.up(service("db", health=checked("never")), service("web", needs("db")))
    await play.clock.run_for(1)
    down = await play.taken_down()
    await play.ended(up)
    assert down.state is OperationState.DONE
    assert up.state is OperationState.FAILED
    assert "somebody else stopped it" in str(up.error)
    assert play.states() == {"db": "stopped", "web": "stopped"}


async def test_up_while_down_waits_wins(play: Scene) -> None:
    units = service("db"), service("web", needs("db"))
    await play.brought_up(*units)
    play.executor.stop_gate = anyio.Event()
    down = play.stacks.down(play.project)
    await play.settle()
    assert play.states() == {"db": "running", "web": "stopping"}
    up = play.up(*units)
    await play.settle()
    play.executor.stop_gate.set()
    await play.ended(up)
    await play.ended(down)
    assert play.states() == {"db": "running", "web": "running"}
    assert up.state is OperationState.DONE
    assert down.state is OperationState.FAILED


async def test_diff_says_what_up_would_do_and_changes_nothing(play: Scene) -> None:
    spec = play.stack(service("a"), task("t"))
    found = play.stacks.diff(spec, {})
    assert [(c.unit, c.action) for c in found.changes] == [("a", "start"), ("t", "run")]
    assert play.stacks.projects() == []
    assert not (play.directory / "projects").exists()


async def test_apply_starts_nothing(play: Scene) -> None:
    project = await play.stacks.apply(play.stack(service("a")), {})
    assert project.unit("a").state is ServiceState.STOPPED
    assert play.executor.calls == []


async def test_automatic_ports_are_told_and_kept_over_a_restart(play: Scene) -> None:
    web = service("web", ports={"http": PortSpec(name="http", host=None, scheme="http")})
    await play.brought_up(web)
    before = play.project.statuses()[0].endpoints["http"]
    assert before["url"] == f"http://127.0.0.1:{before['port']}"
    assert play.executor.requests["web"].endpoints["http"].port == before["port"]
    await play.ended(play.stacks.restart(play.project))
    assert play.project.statuses()[0].endpoints["http"] == before
    assert len(play.events(EventKind.PORT_ASSIGNED)) == 1


async def test_a_port_of_another_project_is_named(play: Scene) -> None:
    await play.brought_up(service("web", ports={"http": PortSpec(name="http", host=None)}))
    port = play.project.statuses()[0].endpoints["http"]["port"]
    other = StackSpec(
        name="q",
        files=(),
        base_dir=str(play.directory),
        units={
            "api": replace(
                service("api", ports={"http": PortSpec(name="http", host=port)}),
                base_dir=str(play.directory),
            )
        },
    )
    operation = await play.ended(play.stacks.up(other, {}))
    assert f"port {port} is already in use by p/web" in str(operation.error)


async def test_find_knows_a_project_by_its_files(play: Scene) -> None:
    await play.brought_up(service("a"))
    assert play.stacks.of_files(["/p/harness.yaml"]) == [play.project]
    assert play.stacks.of_files(["/q/harness.yaml"]) == []
    assert play.stacks.of_files([]) == []


async def test_an_error_of_the_system_fails_the_unit_and_not_the_daemon(play: Scene) -> None:
    units = play.directory / "projects" / "p" / "units" / "a"
    units.mkdir(parents=True)
    (units / "run-1").write_text("in the way")
    operation = await play.brought_up(service("a"), service("b"), keep_going=True)
    assert play.outcomes(operation) == {"a": "failed", "b": "ready"}
    assert play.reason("a").startswith("it could not be started")


async def test_a_stack_of_the_same_name_elsewhere_takes_nothing_over(play: Scene) -> None:
    await play.brought_up(service("a"))
    elsewhere = replace(play.stack(service("b")), files=("/q/harness.yaml",))
    with pytest.raises(OperationConflict, match=r"it runs from /p/harness\.yaml") as caught:
        play.stacks.up(elsewhere, {})
    assert caught.value.hint == "name this copy with -p NAME, or end the other: harness down -p p"
    beside = replace(play.stack(service("a")), files=("/p/other.yaml",))
    await play.ended(play.stacks.up(beside, {}))
    await play.taken_down()
    await play.ended(play.stacks.up(elsewhere, {}))
    assert play.states() == {"b": "running"}


async def test_of_two_that_fail_at_once_one_is_enough(play: Scene) -> None:
    health = checked("never")
    operation = play.up(
        service("a", health=health),
        service("b", health=health),
        service("c", needs("a"), needs("b")),
    )
    await play.settle()

    def fail() -> None:
        for name in ("a", "b"):
            play.project.unit(name).post(Trigger.FAILED_FOR_GOOD, reason="it cannot")

    play.project.context.queue.post(fail)
    assert play.state("c") == "failed"
    assert play.reason("c") == 'it depends on "a", which failed'
    await play.ended(operation)
