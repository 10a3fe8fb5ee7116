"""Actions of the network as a user gives them, one after the other on one stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .graph_case import EVENTS, Playground, protocol_case, result
from .harness_case import HarnessCase

pytestmark = pytest.mark.timeout(180)

GRT = 10**18


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    with protocol_case(tmp_path) as case:
        yield case


def test_a_subgraph_is_signalled_and_handed_over(case: HarnessCase) -> None:
    playground = Playground(case)
    values = {"Playground": playground.address}
    assert result(case, "network.check-subgraph", path=EVENTS, values=values) == []
    deployed = result(
        case,
        "network.deploy-subgraph",
        path=EVENTS,
        name="test/events",
        values=values,
        publish=True,
        signal=1000,
    )
    on = deployed["subgraph_id"]
    quote = result(case, "network.signal-quote", on=on, tokens=100)
    assert quote["tax"] == 1 * GRT
    pool = result(case, "network.curation-pool", deployment=deployed["deployment"])
    assert pool["tokens"] == 990 * GRT
    burned = result(case, "network.unsignal", on=on, curator=_owner(case, on))
    assert 0 < burned["tokens"] <= 990 * GRT
    handed = result(case, "network.transfer-subgraph", subgraph=on, owner="consumer")
    assert result(case, "network.published", subgraph=on)["owner"] == handed["owner"]


def test_delegation_is_withdrawn_and_stale_allocations_are_closed(case: HarnessCase) -> None:
    assert result(case, "network.set-epoch-length", length=5)["length"] == 5
    [contracts] = json.loads(case.ok("--json", "task", "status", "contracts"))
    manager = contracts["outputs"]["addresses"]["EpochManager"]
    now = result(case, "chain.epoch", manager=manager)["number"] + 1
    result(case, "chain.mine-until-epoch", manager=manager, epoch=now)
    assert result(case, "network.epoch")["number"] == now
    assert result(case, "network.wait-for-epoch", epoch=now)["number"] >= now
    result(case, "network.stake", tokens=100_000)
    result(case, "network.delegate", tokens=1000)
    result(case, "network.undelegate")
    withdrawn = result(case, "network.withdraw-delegation", advance=True)
    assert withdrawn["tokens"] > 900 * GRT
    playground = Playground(case)
    playground.deploy()
    deployment = result(case, "graph-node.status", subgraph="test/events")["deployment"]
    kept = {"subgraph": "test/events", "query": "{notes{text}}"}
    result(case, "network.query-snapshot", name="before", **kept)
    assert [one["name"] for one in result(case, "network.list-query-snapshots")] == ["before"]
    assert result(case, "network.kept-query", name="before")["result"] == {"notes": []}
    playground.send(1, "a note")
    result(case, "graph-node.wait-for-sync", subgraph="test/events", mine=True)
    compared = result(case, "network.compare-query", name="before")
    assert (compared["equal"], compared["count"]) == (False, 1)
    opened = result(case, "network.allocate", deployment=deployment, tokens=100)["allocation"]
    assert result(case, "network.close-stale-allocations") == []
    redeemed = result(case, "network.redeem-voucher", allocation=opened, tokens=5)
    assert redeemed["tokens"] == 5 * GRT
    assert result(case, "graph-node.entity-count", subgraph="test/events") >= 0
    assert result(case, "postgres.end-sessions", database="graph-node") > 0


def _owner(case: HarnessCase, subgraph: str) -> str:
    owner: str = result(case, "network.published", subgraph=subgraph)["owner"]
    return owner
