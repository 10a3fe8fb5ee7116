"""What is there of a stack after it was down, and after its chain was killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import kill

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
    # A run that is killed is lost; the next goes on from where it began, and graph-node with it.
    playground.send(3, "lost")
    assert texts(case) == ["before", "after", "lost"]
    _kill_chain(case)
    case.ok("up", "-q")
    assert b"the chain goes on from where that run began" in case.logs("chain")
    assert result(case, "chain.block", at=head["number"]) == head
    result(case, "chain.mine", blocks=10)
    assert texts(case) == ["before"]


def test_what_was_indexed_of_a_chain_that_is_lost_is_refused(case: HarnessCase) -> None:
    Playground(case).deploy()
    _kill_chain(case)
    done = case("up")
    assert done.returncode == 1
    assert b"the chain begins anew" in case.logs("chain")
    assert "its setup failed: cannot go on with what is in the database" in done.stderr
    assert "`down --volumes` forgets what was indexed" in done.stderr
    case.ok("down", "--volumes")
    case.ok("up", "-q")
    playground = Playground(case)
    playground.deploy()
    playground.send(1, "of the new chain")
    assert texts(case) == ["of the new chain"]


def _kill_chain(case: HarnessCase) -> None:
    (process,) = case.processes("chain")
    kill(process.pid)
    eventually(lambda: case.unit("chain")["state"] == "failed")
