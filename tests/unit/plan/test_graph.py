from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DependencyCycle, PlanError, UnknownService
from harness.model import (
    Condition,
    Dependency,
    HealthSpec,
    ProbeSpec,
    RestartMode,
    RestartPolicy,
    ServiceSpec,
    StackSpec,
    Stage,
    TaskSpec,
    TcpCheck,
    UnitSpec,
)
from harness.plan import Graph
from tests.unit.plan.cases import acyclic_edges, edge, unhurried

STARTED, HEALTHY, COMPLETED = Condition.STARTED, Condition.HEALTHY, Condition.COMPLETED


def service(name: str, *needs: str | Dependency, **more) -> ServiceSpec:
    edges = tuple(need if isinstance(need, Dependency) else edge(need) for need in needs)
    return ServiceSpec(name=name, type="fake", options=None, base_dir="/", depends_on=edges, **more)


def task(name: str, *needs: str | Dependency, **more) -> TaskSpec:
    edges = tuple(need if isinstance(need, Dependency) else edge(need) for need in needs)
    return TaskSpec(name=name, type="fake", options=None, base_dir="/", depends_on=edges, **more)


def graph(*units: UnitSpec) -> Graph:
    return Graph.of({unit.name: unit for unit in units})


def staged(name: str, *stages: str) -> ServiceSpec:
    probe = ProbeSpec(check=TcpCheck(port="1"))
    return service(
        name, health=HealthSpec(stages=tuple(Stage(name=stage, probe=probe) for stage in stages))
    )


def test_a_stack_gives_one_graph_of_services_and_tasks():
    units = {
        unit.name: unit for unit in (service("web", "seed"), task("seed", "db"), service("db"))
    }
    found = Graph.of(StackSpec(name="s", files=("/h.yaml",), base_dir="/", units=units))
    assert list(found.units) == ["web", "seed", "db"]
    assert [e.on for e in found.dependencies["web"]] == ["seed"]
    assert found.dependents == {"web": (), "seed": ("web",), "db": ("seed",)}


def test_a_missing_dependency_is_an_error_with_a_suggestion():
    with pytest.raises(UnknownService) as caught:
        graph(service("web", "postgras"), service("postgres"))
    assert caught.value.name == "postgras"
    assert caught.value.did_you_mean == "postgres"
    assert caught.value.hint == 'did you mean "postgres"?'


def test_a_missing_dependency_with_nothing_near_lists_what_is_known():
    with pytest.raises(UnknownService) as caught:
        graph(service("web", "xyz"))
    assert caught.value.hint == "known: web"


def test_a_missing_dependency_in_a_large_stack_lists_nothing():
    with pytest.raises(UnknownService) as caught:
        graph(service("web", "???"), *(service(f"unit{n}") for n in range(30)))
    assert caught.value.hint is None


def test_an_optional_dependency_that_is_not_in_the_stack_is_dropped():
    found = graph(service("web", edge("cache", required=False)))
    assert found.dependencies == {"web": ()}


def test_an_optional_dependency_that_is_in_the_stack_counts():
    found = graph(service("web", edge("cache", required=False)), service("cache"))
    assert list(found.select(["web"]).units) == ["web", "cache"]


def test_two_edges_to_one_unit_are_kept_and_make_one_dependent():
    found = graph(service("web", edge("db"), edge("db", HEALTHY)), service("db"))
    assert [e.condition for e in found.dependencies["web"]] == [STARTED, HEALTHY]
    assert found.dependents["db"] == ("web",)


def test_healthy_of_a_task_means_completed():
    found = graph(service("web", edge("seed", HEALTHY)), task("seed"))
    assert found.dependencies["web"][0].condition is COMPLETED


def test_started_of_a_task_stays():
    found = graph(service("web", edge("seed", STARTED)), task("seed"))
    assert found.dependencies["web"][0].condition is STARTED


@pytest.mark.parametrize("mode", [RestartMode.NO, RestartMode.ON_FAILURE])
def test_a_service_that_may_end_can_be_waited_for_to_complete(mode):
    found = graph(
        service("web", edge("init", COMPLETED)), service("init", restart=RestartPolicy(mode=mode))
    )
    assert found.dependencies["web"][0].condition is COMPLETED


@pytest.mark.parametrize("mode", [RestartMode.ALWAYS, RestartMode.UNLESS_STOPPED])
def test_a_service_that_never_ends_cannot_be_waited_for_to_complete(mode):
    with pytest.raises(
        PlanError, match=f'"init" never completes: its restart mode is {mode.value}'
    ):
        graph(
            service("web", edge("init", COMPLETED)),
            service("init", restart=RestartPolicy(mode=mode)),
        )


def test_a_stage_that_exists_can_be_waited_for():
    found = graph(service("web", edge("node", HEALTHY, stage="synced")), staged("node", "synced"))
    assert found.dependencies["web"][0].stage == "synced"


@pytest.mark.parametrize(
    ("need", "other", "cause", "hint"),
    [
        (
            edge("x", HEALTHY, stage="redy"),
            staged("x", "booted", "ready"),
            '"x" has no stage "redy"',
            "its stages: booted, ready",
        ),
        (
            edge("x", HEALTHY, stage="ready"),
            service("x"),
            '"x" has no stage "ready"',
            "it has no health check",
        ),
        (
            edge("x", STARTED, stage="ready"),
            staged("x", "ready"),
            'a stage goes with the condition "healthy", not "started"',
            'write "condition: healthy" beside "stage: ready"',
        ),
        (
            edge("x", HEALTHY, stage="ready"),
            task("x"),
            '"x" is a task, and tasks have no stages',
            'leave the stage out, or write "condition: completed"',
        ),
    ],
)
def test_a_stage_that_can_never_be_reached_is_an_error(need, other, cause, hint):
    with pytest.raises(PlanError) as caught:
        graph(service("web", need), other)
    assert str(caught.value) == f'cannot plan "web": it waits for "x", but {cause}'
    assert caught.value.hint == hint
    assert caught.value.details == {"unit": "web", "dependency": "x"}


def test_a_cycle_is_named_in_full_from_the_unit_first_in_the_file():
    with pytest.raises(DependencyCycle) as caught:
        graph(service("web", "c"), service("a", "b"), task("b", "c"), service("c", "a"))
    assert caught.value.cycle == ("a", "b", "c", "a")


def test_a_unit_that_waits_for_itself_is_a_cycle():
    with pytest.raises(DependencyCycle) as caught:
        graph(service("a", "a"))
    assert caught.value.cycle == ("a", "a")


def test_a_selection_holds_what_the_chosen_units_depend_on():
    whole = graph(
        service("web", "api"), service("api", "db"), service("db"), service("other", "db")
    )
    chosen = whole.select(["api"])
    assert list(chosen.units) == ["api", "db"]
    assert chosen.dependents == {"api": (), "db": ("api",)}
    assert list(chosen.stack) == ["web", "api", "db", "other"]


def test_a_selection_without_dependencies_drops_the_edges_out_of_it():
    whole = graph(service("web", "api"), service("api", "db"), service("db"))
    chosen = whole.select(["web", "db"], deps=False)
    assert list(chosen.units) == ["web", "db"]
    assert chosen.dependencies == {"web": (), "db": ()}


def test_selecting_nothing_selects_all():
    whole = graph(service("web", "db"), service("db"))
    assert whole.select() is whole


def test_selecting_a_unit_of_an_inactive_profile_names_the_profile():
    stack = StackSpec(
        name="s",
        files=("/h.yaml",),
        base_dir="/",
        units={},
        inactive={"db": ("debug",), "web": ("debug", "test")},
    )
    with pytest.raises(UnknownService) as caught:
        Graph.of(stack).select(["db"])
    assert caught.value.hint == 'it is in profile "debug"; add --profile debug'
    with pytest.raises(UnknownService) as caught:
        Graph.of(stack).select(["web"])
    assert caught.value.hint == 'it is in profile "debug" or "test"; add --profile debug'


def test_selecting_an_unknown_unit_is_an_error_with_a_suggestion():
    with pytest.raises(UnknownService) as caught:
        graph(service("gateway")).select(["gatway"])
    assert caught.value.did_you_mean == "gateway"


def test_downstream_and_upstream_follow_the_edges_both_ways():
    whole = graph(service("web", "api"), service("api", "db"), service("db"), service("cron"))
    assert whole.downstream(["db"]) == ("web", "api", "db")
    assert whole.upstream(["api"]) == ("api", "db")


def test_downstream_of_an_unknown_unit_is_an_error():
    with pytest.raises(UnknownService):
        graph(service("web")).downstream(["wbe"])


@st.composite
def edge_lists(draw):
    """Up to 12 units, each with edges to any of them."""
    count = draw(st.integers(1, 12))
    names = [f"u{n}" for n in range(count)]
    return {name: draw(st.lists(st.sampled_from(names), max_size=3)) for name in names}


def build(edges) -> Graph:
    return graph(*(service(name, *needs) for name, needs in edges.items()))


def cycle_of(edges) -> tuple[str, ...]:
    try:
        build(edges)
    except DependencyCycle as error:
        return error.cycle
    return ()


@unhurried
@given(edge_lists())
def test_any_reported_cycle_is_a_real_one(edges):
    cycle = cycle_of(edges)
    if cycle:
        steps = set(pairwise(cycle))
        assert cycle[0] == cycle[-1]
        assert all(later in edges[earlier] for earlier, later in steps)
        assert len(set(cycle)) == len(steps) == len(cycle) - 1
    left = dict(edges)
    while left and not cycle:
        free = [name for name, needs in left.items() if not set(needs) & left.keys()]
        assert free, "a cycle was not reported"
        for name in free:
            del left[name]


@unhurried
@given(acyclic_edges(fewest=1), st.data())
def test_any_selection_is_closed_and_has_nothing_needless(edges, data):
    whole = build(edges)
    chosen = data.draw(st.lists(st.sampled_from(list(edges)), min_size=1))
    found = whole.select(chosen)
    assert set(chosen) <= found.units.keys()
    assert all(e.on in found.units for own in found.dependencies.values() for e in own)
    assert all(
        name in chosen or any(name in edges[other] for other in found.units) for name in found.units
    )
    assert list(found.units) == [name for name in edges if name in found.units]


@unhurried
@given(acyclic_edges(fewest=1))
def test_dependents_are_the_edges_turned_round(edges):
    found = build(edges)
    forward = {(name, e.on) for name, own in found.dependencies.items() for e in own}
    backward = {(name, on) for on, names in found.dependents.items() for name in names}
    assert forward == backward
