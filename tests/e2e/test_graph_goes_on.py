"""What is there of a stack after it was down, and after its chain was killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph_test_daemon import stacks
from tests.processes import kill
from tests.requirements import graph_tool

from .graph_case import Playground, protocol_case, result
from .harness_case import HarnessCase, eventually

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    with protocol_case(tmp_path) as case:
        yield case


def texts(case: HarnessCase) -> list[str]:
    """Return what the subgraph knows, once it has caught up."""
    result(case, "graph-node.wait-for-sync", subgraph="test/events", mine=True)
    query = "{notes(orderBy: id){text}}"
    found = result(case, "graph-node.query", subgraph="test/events", query=query)
    return [note["text"] for note in found["notes"]]


def test_chain_and_subgraphs_go_on_after_down(case: HarnessCase) -> None:
    playground = Playground(case)
    playground.deploy()
    playground.send(1, "before")
    # Its clock is ahead, and blocks must not go back in time.
    result(case, "chain.increase-time", seconds=86_400)
    assert texts(case) == ["before"]
    head = result(case, "chain.block")
    case.ok("down")
    case.ok("up", "-q")
    assert result(case, "chain.block") == head
    assert case.unit("contracts")["message"] == "it was done already, with the same inputs"
    playground.send(2, "after")
    assert result(case, "chain.block")["timestamp"] >= head["timestamp"]
    assert texts(case) == ["before", "after"]
    # What a run has not written before it is killed is lost; graph-node undoes it, too.
    playground.send(3, "lost")
    assert texts(case) == ["before", "after", "lost"]
    _kill_chain(case)
    case.ok("up", "-q")
    assert (
        f"the chain goes on from block {head['number']}, as it was" in case.logs("chain").decode()
    )
    assert result(case, "chain.block", at=head["number"]) == head
    result(case, "chain.mine", blocks=10)
    assert texts(case) == ["before"]


def test_no_event_is_lost_while_the_chain_is_restarted_under_graph_node(case: HarnessCase) -> None:
    playground = Playground(case)
    playground.deploy()
    expected = []
    for number in range(1, 4):
        for text in ("a", "b", "c"):
            # Nobody waits for graph-node, which is in the middle of these when the chain goes.
            expected.append(f"{number}{text}")
            playground.send(len(expected), expected[-1])
        case.ok("restart", "chain", "-q")
    assert texts(case) == expected


def test_what_was_indexed_of_a_chain_that_is_lost_is_refused(case: HarnessCase) -> None:
    Playground(case).deploy()
    _kill_chain(case)
    done = case("up")
    assert done.returncode == 1
    assert "its setup failed: cannot go on with what is in the database" in done.stderr
    assert "it is another chain; `down --volumes` forgets" in done.stderr
    case.ok("down", "--volumes")
    case.ok("up", "-q")
    playground = Playground(case)
    playground.deploy()
    playground.send(1, "of the new chain")
    assert texts(case) == ["of the new chain"]


def test_a_chain_that_lost_more_than_can_be_undone_is_refused(case: HarnessCase) -> None:
    case.ok("down")
    case.ok("up", "-q")
    Playground(case).deploy()
    result(case, "chain.mine", blocks=300)
    result(case, "graph-node.wait-for-sync", subgraph="test/events", mine=True)
    _kill_chain(case)
    done = case("up")
    assert done.returncode == 1
    assert "it has lost more blocks than can be undone" in done.stderr


def test_another_number_makes_another_chain(case: HarnessCase) -> None:
    def number() -> int:
        [told] = json.loads(case.ok("--json", "task", "status", "contracts"))
        return int(told["outputs"]["chain_id"])

    assert number() == 1337
    head = result(case, "chain.block")
    case.ok("down")
    case.env["CHAIN_ID"] = "4242"
    assert case("up", "-q").returncode == 1  # what is indexed is of the other one
    assert number() == 4242
    case.ok("down")
    del case.env["CHAIN_ID"]
    case.ok("up", "-q")
    assert number() == 1337
    assert result(case, "chain.block") == head


def test_a_graph_node_may_index_a_chain_that_is_no_service_of_the_stack(tmp_path: Path) -> None:
    for tool in ("anvil", "postgres", "gnd"):
        graph_tool(tool)
    with HarnessCase(tmp_path) as case:
        case.env["MINIMAL"] = str(stacks.minimal)
        case.write("include: ['${MINIMAL}']\nservices: {chain: {service_type: null}}\n")
        case.ok("up", "-q", timeout_s=60)
        assert result(case, "graph-node.statuses") == []


def _kill_chain(case: HarnessCase) -> None:
    (process,) = case.processes("chain")
    kill(process.pid)
    eventually(lambda: case.unit("chain")["state"] == "failed")
