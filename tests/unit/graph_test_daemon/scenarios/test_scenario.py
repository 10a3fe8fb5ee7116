"""Scenarios become the documents of workflows, and refuse what they cannot mean."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml

from graph_test_daemon.graph_node import InvalidSubgraphName
from graph_test_daemon.scenarios import (
    Allocation,
    Contract,
    Ref,
    Result,
    Scenario,
    ScenarioInvalid,
    Services,
    Subgraph,
)
from graph_test_daemon.scenarios.steps import built

PLAYGROUND = Contract("contracts/Playground.json")
NOTES = Subgraph("subgraphs/notes", "test/notes", {"Playground": PLAYGROUND.address})


def test_each_call_returns_another_scenario() -> None:
    empty = Scenario("a")
    assert empty.mine(3) != empty
    assert empty.steps == ()


def test_a_name_that_graph_node_does_not_take_is_refused_where_it_is_written() -> None:
    with pytest.raises(InvalidSubgraphName, match='"my subgraph"'):
        Subgraph("subgraphs/notes", "my subgraph")


def test_a_scenario_is_the_document_of_a_workflow() -> None:
    sent = Result("sent")
    scenario = (
        Scenario("notes", timeout="1m")
        .deploy_contract(PLAYGROUND)
        .deploy(NOTES, reorgs=True)
        .send_each(PLAYGROUND, "store", [[1, "one"], [2, "two"]], to=sent)
        .mine(3)
        .mine(sent["count"])
        .within("10s")
        .retried(2)
        .query(NOTES, "{ notes { text } }", expect={"notes": []}, ignore=["id"])
    )
    document = scenario.document()
    assert document["timeout"] == "1m"
    assert document["steps"] == [
        {
            "name": "Playground",
            "action": {
                "name": "chain.deploy-contract",
                "parameters": {"artifact": "contracts/Playground.json", "arguments": []},
            },
        },
        {
            "name": "test_notes",
            "action": {
                "name": "network.deploy-subgraph",
                "parameters": {
                    "path": "subgraphs/notes",
                    "name": "test/notes",
                    "values": {"Playground": "${steps.Playground.outputs.address}"},
                    "reorgs": True,
                },
            },
        },
        {
            "name": "sent",
            "action": {
                "name": "chain.send-calls",
                "parameters": {
                    "to": "${steps.Playground.outputs.address}",
                    "abi": "contracts/Playground.json",
                    "function": "store",
                    "arguments": [[1, "one"], [2, "two"]],
                },
            },
        },
        {"name": "mine", "action": {"name": "chain.mine", "parameters": {"blocks": 3}}},
        {
            "name": "mine_2",
            "retry": 2,
            "timeout": "10s",
            "action": {
                "name": "chain.mine",
                "parameters": {"blocks": "${steps.sent.outputs.count}"},
            },
        },
        {
            "name": "wait_for_sync",
            "action": {
                "name": "graph-node.wait-for-sync",
                "parameters": {"subgraph": "test/notes"},
            },
        },
        {
            "name": "check_query",
            "action": {
                "name": "graph-node.check-query",
                "parameters": {
                    "subgraph": "test/notes",
                    "query": "{ notes { text } }",
                    "expected": {"notes": []},
                    "ignore": ["id"],
                },
            },
        },
    ]
    assert yaml.safe_load(scenario.as_yaml()) == {"workflows": {"notes": document}}


def test_branches_are_side_by_side_and_named_apart() -> None:
    other = Subgraph("subgraphs/other", "test/other")
    scenario = (
        Scenario("both")
        .parallel(Scenario().deploy(other), Scenario().mine(1).mine(2), limit=2)
        .mine(3)
        .query(other, "{ x }")
    )
    parallel, *_ = scenario.document()["steps"]
    first, second = parallel["parallel"]["steps"]
    assert (first["name"], parallel["parallel"]["max"]) == ("test_other", 2)
    assert [step["name"] for step in second["sequence"]] == ["mine", "mine_2"]
    assert scenario.document()["steps"][1]["name"] == "mine_3"


def test_services_may_have_other_names_and_any_action_may_be_run() -> None:
    scenario = (
        Scenario(services=Services(chain="l2"))
        .mine()
        .action("db.query", statement="select 1", to=Result("rows"))
        .restart("graph-node", "ipfs")
        .wait_for("l2")
        .task("seed")
    )
    mine, query, restart, wait, task = scenario.document()["steps"]
    assert mine["action"]["name"] == "l2.mine"
    assert query["name"] == "rows"
    assert restart == {"name": "restart_graph_node_ipfs", "restart": ["graph-node", "ipfs"]}
    assert wait["wait"]["service"] == "l2"
    assert task["task"] == {"name": "seed", "force": True}


def test_the_lifecycle_of_an_allocation_hands_on_what_it_opens() -> None:
    opened = Allocation("first")
    scenario = (
        Scenario("rewards")
        .deploy(Subgraph("s", "test/s"), publish=True, signal=1000)
        .stake("100000.5")
        .allocate(opened, Subgraph("s", "test/s"), 50_000)
        .advance_epochs(2)
        .close(opened)
    )
    deploy, stake, allocate, _, close = scenario.document()["steps"]
    assert deploy["action"]["parameters"]["signal"] == "1000"
    assert stake["action"]["parameters"] == {"tokens": "100000.5"}
    assert allocate["action"]["parameters"]["deployment"] == "${steps.test_s.outputs.deployment}"
    assert close["action"]["parameters"] == {"allocation": "${steps.first.outputs.allocation}"}


def test_the_line_of_each_step_is_known_and_paths_start_at_its_file() -> None:
    line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
    scenario = Scenario().mine(1).build(NOTES_ALONE)
    found = built(scenario.steps, absolute=True)
    assert str(found.places["mine"]).endswith(f"test_scenario.py:{line}")
    step = scenario.workflow(absolute=True).document()["steps"][1]
    path = step["action"]["parameters"]["path"]
    assert path == str(Path(__file__).parent / "subgraphs/notes")


NOTES_ALONE = Subgraph("subgraphs/notes", "test/notes")


def test_what_is_not_there_yet_cannot_be_used() -> None:
    with pytest.raises(ScenarioInvalid, match=r'no step before it is called "Playground"'):
        Scenario().deploy(NOTES).document()
    with pytest.raises(ScenarioInvalid, match=r"test_scenario\.py:\d+\): no step before it"):
        Scenario().parallel(
            Scenario().deploy_contract(PLAYGROUND), Scenario().deploy(NOTES)
        ).workflow()
    with pytest.raises(ScenarioInvalid, match=r'"Playground" already'):
        Scenario().deploy_contract(PLAYGROUND).deploy_contract(PLAYGROUND)
    with pytest.raises(ScenarioInvalid, match="there already, at 0x1"):
        Scenario().deploy_contract(Contract("x.json", at="0x1"))
    with pytest.raises(ScenarioInvalid, match="each branch has a step"):
        Scenario().parallel(Scenario())
    with pytest.raises(ScenarioInvalid, match="add the step before"):
        Scenario().within(3)
    with pytest.raises(ScenarioInvalid, match="give it `expect`"):
        Scenario().query(NOTES_ALONE, "{ x }", ignore=["id"])


def test_what_a_step_leaves_is_no_sequence() -> None:
    # With `__getitem__` alone Python would go through it for ever.
    left_behind: list[Ref[Any] | Result] = [Ref("rows"), Result("rows")]
    for left in left_behind:
        with pytest.raises(TypeError, match="not iterable"):
            iter(left)


def test_the_rows_that_are_sent_may_be_what_a_step_has_left() -> None:
    rows = Result("rows")
    begun = Scenario().deploy_contract(PLAYGROUND).task("rows", to=rows)
    all_of_them = begun.send_each(PLAYGROUND, "store", rows["all"])
    one_of_them = begun.send_each(PLAYGROUND, "store", [rows["one"], (2, rows["text"])])
    sent = [each.document()["steps"][-1]["action"] for each in (all_of_them, one_of_them)]
    assert [each["parameters"]["arguments"] for each in sent] == [
        "${steps.rows.outputs.all}",
        ["${steps.rows.outputs.one}", [2, "${steps.rows.outputs.text}"]],
    ]


def test_a_handle_is_no_value() -> None:
    rows, opened = Result("rows"), Allocation("opened")
    begun = Scenario().deploy_contract(PLAYGROUND).task("rows", to=rows)
    for scenario in (
        begun.mine(rows),  # type: ignore[arg-type]
        begun.reorg(1, include=rows),  # type: ignore[arg-type]
        begun.send_each(PLAYGROUND, "store", rows),  # type: ignore[arg-type]
        begun.send(PLAYGROUND, "store", {"deep": [rows]}),
    ):
        with pytest.raises(
            ScenarioInvalid, match=r'"rows" in "\w+" \(\S+scenario\.py:\d+\)'
        ) as error:
            scenario.as_yaml()
        assert error.value.hint == "give one of its values: `.value`, or a part of it as `[…]`"
    for handle, values in ((PLAYGROUND, "`.address` or"), (NOTES, "`.depl"), (opened, "`.id`")):
        with pytest.raises(ScenarioInvalid) as error:
            begun.action("x.y", of=handle).document()
        assert values in str(error.value.hint)
