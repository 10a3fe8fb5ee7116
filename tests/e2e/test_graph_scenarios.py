"""The scenarios of the protocol's stack, run as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .graph_case import EVENTS, Playground, encoded, protocol_case, result
from .harness_case import HarnessCase, eventually

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    with protocol_case(tmp_path) as case:
        yield case


def test_a_reorganisation_is_followed_and_verified(case: HarnessCase) -> None:
    path = str(Path(__file__).parents[2] / "examples" / "graph" / "network-subgraph")
    case.ok("workflow", "run", "reorganisation", "--path", path, timeout_s=120)
    events = [event["data"] for event in case.events("action-event")]
    (told,) = [event["data"] for event in events if event["name"] == "reorg-injected"]
    assert told.keys() == {"depth", "common", "dropped", "new_number", "new_hash"}
    assert told["new_number"] == told["common"] + told["depth"]


def test_no_event_is_lost_while_each_service_is_restarted(case: HarnessCase) -> None:
    playground = Playground(case)
    calls = [encoded(number, "under load") for number in range(25)]
    given = {
        "path": EVENTS,
        "values": {"Playground": playground.address},
        "sender": playground.sender,
        "contract": playground.address,
        "calls": calls,
    }
    case.ok("workflow", "run", "restart-under-load", json.dumps(given), timeout_s=150)
    query = "{notes(first: 1000){changes}}"
    found = result(case, "graph-node.query", subgraph="test/subgraph", query=query)
    # Each of the texts was stored again with each of the three services.
    assert found["notes"] == [{"changes": 3}] * 25


def test_a_stack_begins_anew_also_where_a_daemon_was_killed_meanwhile(case: HarnessCase) -> None:
    height = result(case, "chain.block")["number"]
    playground = Playground(case)
    playground.deploy()
    playground.send(1, "before")
    result(case, "network.fund", who="indexer", tokens=1)
    assert result(case, "network.list-transactions")
    case.ok("workflow", "run", "reset", "--no-wait")
    eventually(lambda: case.unit("graph-node")["state"] != "running")
    assert case.kill_daemon()
    case.ok("workflow", "run", "reset")
    assert result(case, "chain.block")["number"] == height
    assert result(case, "graph-node.statuses") == []
    assert result(case, "network.epoch")["number"] >= 0
    assert result(case, "network.list-transactions") == []
    assert [one["name"] for one in result(case, "network.list-notes")] == ["reset"]
    # It is a stack like any other.
    again = Playground(case)
    again.deploy()
    again.send(2, "after")
    result(case, "graph-node.wait-for-sync", subgraph="test/events", mine=True)
    found = result(case, "graph-node.query", subgraph="test/events", query="{notes{text}}")
    assert found == {"notes": [{"text": "after"}]}


def test_what_is_remembered_of_an_allocation_follows_the_chain(case: HarnessCase) -> None:
    playground = Playground(case)
    playground.deploy()
    deployment = result(case, "graph-node.status", subgraph="test/events")["deployment"]
    result(case, "network.stake", tokens=100_000)
    opened = result(case, "network.allocate", deployment=deployment, tokens=100)["allocation"]
    result(case, "network.advance-epoch")
    result(case, "network.close-allocation", allocation=opened, poi=f"0x{'ab' * 32}")
    (closed,) = result(case, "network.list-allocations")
    assert closed["state"] == "closed"
    # The transaction is in another block now, and what it brought is read from there.
    include = [closed["closed"]["transaction"]]
    result(case, "network.inject-reorg", depth=1, include=include)
    assert result(case, "network.list-allocations") == [closed]
    result(case, "network.inject-reorg", depth=2)
    (again,) = result(case, "network.list-allocations")
    assert (again["state"], again["closed"], again["poi"]) == ("active", None, None)
    assert result(case, "network.allocation", allocation=opened)["state"] == "active"
