from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import (
    Condition,
    Dependency,
    Goal,
    ServiceSpec,
    ServiceState,
    TaskSpec,
    UnitKind,
    UnitSpec,
)
from harness.plan import Action, Change, Graph, Observed, PlanDiff, diff, field_hashes, fingerprint
from tests.unit.plan.cases import edge, unhurried


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    command: tuple[str, ...] = ("sleep", "1")


def service(name: str, *edges: Dependency, **more) -> ServiceSpec:
    values = {"options": Options(), **more}
    return ServiceSpec(name=name, type="process", base_dir="/", depends_on=edges, **values)


def task(name: str, *edges: Dependency, **more) -> TaskSpec:
    values = {"options": Options(), **more}
    return TaskSpec(name=name, type="process", base_dir="/", depends_on=edges, **values)


def graph(*units: UnitSpec) -> Graph:
    return Graph.of({unit.name: unit for unit in units})


def seen(unit: UnitSpec, state: ServiceState = ServiceState.RUNNING, **more) -> Observed:
    return Observed(
        **{
            "state": state,
            "kind": unit.kind,
            "fingerprint": fingerprint(unit),
            "fields": field_hashes(unit),
            **more,
        }
    )


def only(found: PlanDiff) -> Change:
    assert len(found.changes) == 1
    return found.changes[0]


WEB = service("web")
SEED = task("seed")
OTHER_WEB = replace(WEB, options=Options(command=("sleep", "2")))


def test_a_service_that_never_ran_is_started():
    change = only(diff(graph(WEB), {}))
    assert (change.action, change.reasons) == (Action.START, ("it is new",))
    assert change.kind is UnitKind.SERVICE


def test_a_service_that_runs_as_defined_is_kept():
    found = diff(graph(WEB), {"web": seen(WEB)})
    assert only(found).action is Action.KEEP
    assert found.is_empty


def test_a_changed_definition_restarts_and_names_what_changed():
    found = diff(graph(OTHER_WEB), {"web": seen(WEB)})
    change = only(found)
    assert change.action is Action.RESTART
    assert change.changed == ("command",)
    assert change.reasons == ("its definition changed: command",)
    assert not found.is_empty


def test_a_changed_definition_restarts_even_when_the_old_one_is_known_by_its_hash_alone():
    change = only(diff(graph(OTHER_WEB), {"web": seen(WEB, fields={})}))
    assert (change.action, change.reasons) == (Action.RESTART, ("its definition changed",))


def test_a_unit_that_waits_and_never_was_started_is_kept():
    waiting = Observed(state=ServiceState.PENDING)
    change = only(diff(graph(WEB), {"web": waiting}))
    assert (change.action, change.reasons) == (Action.KEEP, ("it waits for what it depends on",))


@pytest.mark.parametrize(
    "state",
    [
        ServiceState.PENDING,
        ServiceState.STARTING,
        ServiceState.RUNNING,
        ServiceState.BACKOFF,
        ServiceState.UNKNOWN,
    ],
)
def test_a_service_on_its_way_is_kept(state):
    assert only(diff(graph(WEB), {"web": seen(WEB, state)})).action is Action.KEEP


@pytest.mark.parametrize(
    ("state", "goal", "reason"),
    [
        (ServiceState.PENDING, Goal.DOWN, "it does not run"),
        (ServiceState.BACKOFF, Goal.DOWN, "it does not run"),
        (ServiceState.STOPPING, Goal.DOWN, "it is stopping, and is started after that"),
        (ServiceState.STOPPED, Goal.DOWN, "it is stopped"),
        (ServiceState.EXITED, Goal.UP, "it ended by itself"),
        (ServiceState.FAILED, Goal.UP, "it failed, and is tried again"),
    ],
)
def test_a_service_that_does_not_run_is_started(state, goal, reason):
    change = only(diff(graph(WEB), {"web": seen(WEB, state, goal=goal)}))
    assert (change.action, change.reasons) == (Action.START, (reason,))


def test_a_stopped_service_with_a_new_definition_says_both():
    change = only(diff(graph(OTHER_WEB), {"web": seen(WEB, ServiceState.STOPPED)}))
    assert change.action is Action.START
    assert change.reasons == ("it is stopped", "its definition changed: command")


def test_every_state_has_an_action():
    for state in ServiceState:
        for goal in Goal:
            assert only(diff(graph(WEB), {"web": seen(WEB, state, goal=goal)})).reasons
            assert only(diff(graph(SEED), {"seed": seen(SEED, state, goal=goal)})).reasons


def test_a_service_that_completed_as_its_dependents_want_is_kept():
    init = service("init")
    wanted = graph(init, service("web", edge("init", Condition.COMPLETED)))
    found = diff(
        wanted, {"init": seen(init, ServiceState.EXITED), "web": seen(wanted.units["web"])}
    )
    assert found.units(Action.KEEP) == ("init", "web")


def test_a_completed_service_with_a_new_definition_is_started():
    init = service("init")
    changed = replace(init, env={"A": "1"})
    wanted = graph(changed, service("web", edge("init", Condition.COMPLETED)))
    found = diff(wanted, {"init": seen(init, ServiceState.EXITED)})
    assert found.changes[0].action is Action.START
    assert found.changes[0].reasons == ("it ended by itself", "its definition changed: env.A")


def test_a_service_that_the_stack_no_longer_has_is_stopped_first():
    gone = service("gone")
    found = diff(graph(WEB), {"gone": seen(gone), "web": seen(WEB)})
    assert [(c.unit, c.action) for c in found.changes] == [
        ("gone", Action.STOP),
        ("web", Action.KEEP),
    ]
    assert not found.is_empty


def test_what_is_gone_stops_in_the_opposite_order_of_its_start():
    found = diff(graph(), {"db": seen(service("db")), "api": seen(service("api"))})
    assert found.units(Action.STOP) == ("api", "db")


@pytest.mark.parametrize(
    "state", [ServiceState.STOPPED, ServiceState.EXITED, ServiceState.FAILED, ServiceState.STOPPING]
)
def test_what_is_gone_and_does_not_run_needs_nothing(state):
    assert diff(graph(WEB), {"gone": seen(service("gone"), state)}).units(Action.STOP) == ()


def test_a_unit_that_was_not_chosen_is_left_alone():
    whole = graph(WEB, service("db"))
    found = diff(whole.select(["web"]), {"db": seen(whole.units["db"]), "web": seen(WEB)})
    assert [change.unit for change in found.changes] == ["web"]


def test_changes_stand_in_start_order():
    found = diff(graph(service("web", edge("db")), service("db")), {})
    assert found.units(Action.START) == ("db", "web")


def test_a_dependent_that_asked_for_it_restarts_with_its_dependency():
    db, web, cron = (
        service("db"),
        service("web", edge("db", restart=True)),
        service("cron", edge("db")),
    )
    new = replace(db, env={"A": "1"})
    running = {"db": seen(db), "web": seen(web), "cron": seen(cron)}
    found = diff(graph(new, web, cron), running)
    assert found.units(Action.RESTART) == ("db", "web")
    assert found.changes[1].reasons == ('"db", which it depends on, restarts',)
    assert found.units(Action.KEEP) == ("cron",)


def test_a_task_that_never_ran_runs():
    change = only(diff(graph(SEED), {}))
    assert (change.action, change.reasons) == (Action.RUN, ("it has not completed yet",))
    assert change.kind is UnitKind.TASK


def test_a_task_that_failed_runs_again():
    change = only(diff(graph(SEED), {"seed": seen(SEED, ServiceState.FAILED)}))
    assert (change.action, change.reasons) == (Action.RUN, ("it failed, and is tried again",))


def test_a_task_that_completed_with_the_same_inputs_is_skipped():
    done = seen(SEED, ServiceState.EXITED, completed="abc")
    found = diff(graph(SEED), {"seed": done}, inputs={"seed": "abc"})
    assert only(found).action is Action.SKIP
    assert found.is_empty


def test_a_task_without_an_input_hash_goes_by_its_definition():
    done = seen(SEED, ServiceState.EXITED, completed=fingerprint(SEED))
    assert only(diff(graph(SEED), {"seed": done})).action is Action.SKIP


def test_a_task_with_new_inputs_runs():
    done = seen(SEED, ServiceState.EXITED, completed="abc")
    change = only(diff(graph(SEED), {"seed": done}, inputs={"seed": "def"}))
    assert (change.action, change.reasons) == (
        Action.RUN,
        ("its inputs changed since it completed",),
    )


def test_a_task_with_a_new_definition_runs_and_names_what_changed():
    done = seen(SEED, ServiceState.EXITED, completed=fingerprint(SEED))
    change = only(diff(graph(replace(SEED, env={"A": "1"})), {"seed": done}))
    assert (change.action, change.reasons) == (Action.RUN, ("its definition changed: env.A",))


def test_a_task_that_is_done_runs_when_forced():
    done = seen(SEED, ServiceState.EXITED, completed=fingerprint(SEED))
    change = only(diff(graph(SEED), {"seed": done}, force=True))
    assert (change.action, change.reasons) == (Action.RUN, ("it is done, and was asked for again",))


def test_a_task_that_is_running_is_kept():
    change = only(diff(graph(SEED), {"seed": seen(SEED)}))
    assert change.action is Action.KEEP


def test_a_task_that_reads_the_outputs_of_one_that_runs_again_runs_too():
    first = task("first")
    reader = task("reader", edge("first", Condition.COMPLETED, implicit=True))
    other = task("other", edge("first", Condition.COMPLETED))
    running = {
        unit.name: seen(unit, ServiceState.EXITED, completed=fingerprint(unit))
        for unit in (reader, other)
    }
    found = diff(graph(first, reader, other), running)
    assert found.units(Action.RUN) == ("first", "reader")
    assert found.changes[1].reasons == ('"first", which it depends on, runs again',)
    assert found.units(Action.SKIP) == ("other",)


_STATES = st.sampled_from(list(ServiceState))


@unhurried
@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(st.booleans(), _STATES, st.booleans())))
def test_a_second_up_does_nothing(drawn):
    units = {n: task(n) if is_task else service(n) for n, (is_task, _, _) in drawn.items()}
    older = {n: replace(u, env={"A": "1"}) if drawn[n][2] else u for n, u in units.items()}
    running = {
        n: seen(older[n], state, completed="x" if is_task else None)
        for n, (is_task, state, _) in drawn.items()
    }
    wanted = Graph.of(units)
    first = diff(wanted, running)
    assert {change.unit for change in first.changes} == set(units)
    after = {**running}
    for change in first.changes:
        unit = units[change.unit]
        if change.action in (Action.START, Action.RESTART) and change.kind is UnitKind.SERVICE:
            after[unit.name] = seen(unit)
        elif change.action in (Action.RUN, Action.RESTART):
            after[unit.name] = seen(unit, ServiceState.EXITED, completed=fingerprint(unit))
    assert diff(wanted, after).is_empty
