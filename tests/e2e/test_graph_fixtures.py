"""The fixtures of the Graph's stack, used as a suite of somebody else's uses them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.requirements import graph_tool
from tests.subgraphs.building import SUBGRAPHS, contract

from .pytest_case import PytestCase

SUITE = """
from graph_test_daemon.testing import reset

EVENTS = {events!r}
CODE = {code!r}
CALL = {call!r}
NOTES = "{{notes {{text}}}}"


def deployed(chain):
    receipt = chain.send(sender=chain.accounts[0], data=CODE)
    return receipt["contract"]


def test_events(chain, subgraph, graph_node):
    before = chain.block
    contract = deployed(chain)
    notes = subgraph(EVENTS, values={{"Playground": contract}})
    assert notes.name == "test/events"
    assert notes.query(NOTES) == {{"notes": []}}
    sent = chain.send(sender=chain.accounts[0], to=contract, data=CALL)
    assert notes.query(NOTES) == {{"notes": [{{"text": "hi"}}]}}
    assert notes.query(NOTES, block=sent["block_number"] - 1) == {{"notes": []}}
    assert graph_node.proof_of_indexing(notes.deployment).startswith("0x")
    chain.reorg(1)
    assert notes.query(NOTES) == {{"notes": []}}
    assert notes.status["health"] == "healthy"
    assert notes.verify()["ok"]
    assert chain.mine(3) == chain.block >= before + 6


def test_the_stack_begins_anew(graph_stack, chain, graph_node):
    height = chain.block
    chain.mine(5)
    reset(graph_stack)
    assert chain.block == height
    assert graph_stack.action("graph-node.statuses") == []
    notes = graph_stack.action("network.list-notes")
    assert [note["name"] for note in notes] == ["reset"]


def test_nothing_is_left_of_the_test_before(chain, graph_node):
    assert chain.block < 100
    try:
        graph_node.status("test/events")
    except Exception as error:
        assert "nothing of it is deployed" in str(error)
    else:
        raise AssertionError
"""


@pytest.fixture
def suite(tmp_path: Path) -> PytestCase:
    for tool in ("anvil", "postgres", "gnd", "asc", "contracts"):
        graph_tool(tool)
    case = PytestCase(tmp_path)
    # Tools and builds are in the user's cache, once for all.
    case.env["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return case


@pytest.mark.timeout(120)
@pytest.mark.parametrize("how", [[], ["-n", "2"]], ids=["alone", "two workers"])
def test_each_test_has_chain_and_database_as_they_were(suite: PytestCase, how: list[str]) -> None:
    playground = contract()
    values = (1, "hi")
    store = playground.abi.function("store", values)
    text = SUITE.format(
        events=str(SUBGRAPHS / "events"),
        code=f"0x{playground.bytecode.hex()}",
        call=f"0x{store.encode(values).hex()}",
    )
    suite.write("test_notes.py", text)
    assert "3 passed" in suite.passes("-q", *how)
