from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given

from harness.errors import DependencyCycle
from harness.model import Condition, Dependency, ServiceSpec, StackSpec
from harness.plan import Graph, Plan, plan_stack, start_order, stop_order, waves
from harness.plan.order import levels
from tests.unit.plan.cases import acyclic_edges, unhurried


def build(edges: Mapping[str, list[str]]) -> Graph:
    return Graph.of(stack(edges))


def stack(edges: Mapping[str, list[str]]) -> StackSpec:
    units = {
        name: ServiceSpec(
            name=name,
            type="fake",
            options=None,
            base_dir="/",
            depends_on=tuple(Dependency(on=on, condition=Condition.HEALTHY) for on in needs),
        )
        for name, needs in edges.items()
    }
    return StackSpec(name="s", files=("/h.yaml",), base_dir="/", units=units)


def test_units_without_edges_start_in_file_order():
    assert start_order(build({"web": [], "api": [], "db": []})) == ("web", "api", "db")


def test_a_unit_starts_after_all_it_depends_on_and_ties_keep_the_file_order():
    found = build({"web": ["api", "db"], "cron": ["db"], "api": ["db"], "db": [], "cache": []})
    assert waves(found) == (("db", "cache"), ("cron", "api"), ("web",))
    assert start_order(found) == ("db", "cache", "cron", "api", "web")


def test_units_stop_in_the_opposite_order():
    found = build({"web": ["db"], "db": [], "cache": []})
    assert stop_order(found) == ("web", "cache", "db")


def test_an_empty_graph_has_no_waves():
    assert waves(build({})) == ()


@unhurried
@given(acyclic_edges())
def test_any_start_order_respects_every_edge(edges):
    order = start_order(build(edges))
    assert sorted(order) == sorted(edges)
    assert all(order.index(on) < order.index(name) for name in edges for on in edges[name])


@unhurried
@given(acyclic_edges())
def test_any_stop_order_respects_every_edge_the_other_way(edges):
    order = stop_order(build(edges))
    assert all(order.index(on) > order.index(name) for name in edges for on in edges[name])


@unhurried
@given(acyclic_edges())
def test_any_unit_stands_one_wave_after_the_last_it_needs(edges):
    plan = Plan.of(build(edges))
    for name, needs in edges.items():
        assert plan.wave[name] == 1 + max((plan.wave[on] for on in needs), default=-1)


@unhurried
@given(acyclic_edges())
def test_the_order_does_not_depend_on_how_often_it_is_asked(edges):
    assert start_order(build(edges)) == start_order(build(dict(edges)))


class Counted(dict[str, list[str]]):
    """Edges that count how many of them were read."""

    reads = 0

    def items(self):
        for name, targets in super().items():
            self.reads += 1
            yield name, self._each(targets)

    def _each(self, targets: list[str]) -> Iterator[str]:
        for target in targets:
            self.reads += 1
            yield target


@pytest.mark.parametrize("fan", [1, 3])
def test_ordering_5000_units_reads_every_unit_and_edge_once(fan):
    edges = Counted(
        {f"u{n}": [f"u{k}" for k in range(max(0, n - fan), n)] for n in reversed(range(5000))}
    )
    count = len(edges) + sum(len(edges[name]) for name in edges)
    assert levels(edges)["u4999"] == 4999
    assert edges.reads == count


def test_a_chain_of_5000_units_needs_no_recursion():
    edges = {f"u{n}": [f"u{n - 1}"] if n else [] for n in reversed(range(5000))}
    found = build(edges)
    assert start_order(found) == tuple(f"u{n}" for n in range(5000))
    assert len(found.select(["u4999"]).units) == 5000


def test_a_cycle_of_5000_units_is_found_without_recursion():
    with pytest.raises(DependencyCycle) as caught:
        build({f"u{n}": [f"u{(n + 1) % 5000}"] for n in range(5000)})
    assert len(caught.value.cycle) == 5001


def test_a_plan_lists_units_in_start_order_with_edges_and_waves():
    plan = plan_stack(stack({"web": ["api"], "api": ["db"], "db": [], "other": []}), ["api"])
    assert list(plan.units) == ["db", "api"]
    assert [e.on for e in plan.dependencies["api"]] == ["db"]
    assert plan.dependents == {"db": ("api",), "api": ()}
    assert plan.wave == {"db": 0, "api": 1}
    assert plan.stop_order == ("api", "db")
    assert list(plan.graph.units) == ["api", "db"]


def test_a_plan_without_dependencies_holds_the_chosen_units_alone():
    plan = plan_stack(stack({"web": ["db"], "db": []}), ["web"], deps=False)
    assert list(plan.units) == ["web"]
