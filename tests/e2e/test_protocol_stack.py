"""The stack that the package brings, with everything that is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon import stacks
from tests.requirements import graph_tool

from .harness_case import HarnessCase

ALL = ("--profile", "*")
TOKEN = 10**18
# Accounts of the chain: who deploys pays and signs; whose the allocation is does not matter.
GATEWAY = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
INDEXER = "0x14dc79964da2c08b23698b3d3cc7ca32193d9955"
ALLOCATION = "0x90f79bf6eb2c4f870365e785982e1f101e93b906"


def run(case: HarnessCase, action: str, **given: Any) -> Any:
    """Run an action; return its result."""
    answer = case.ok(*ALL, "--json", "action", "run", action, json.dumps(given))
    return json.loads(answer.splitlines()[-1])["result"]  # events are above it


def outputs(case: HarnessCase, task: str) -> Any:
    """Return what a task has left."""
    [told] = json.loads(case.ok(*ALL, "--json", "task", "status", task))
    return told["outputs"]


def variables(path: str) -> dict[str, str]:
    """Return what a file of variables says."""
    lines = [line for line in Path(path).read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.timeout(150)
def test_the_protocols_stack_is_whole_and_leaves_nothing(case: HarnessCase) -> None:
    for tool in ("anvil", "postgres", "gnd", "asc", "contracts"):
        graph_tool(tool)
    case.env |= {"HARNESS_FILE": str(stacks.protocol), "HARNESS_PROJECT": case.project}
    up = case(*ALL, "up", timeout_s=120)
    assert up.returncode == 0, up.stderr
    # What is done with each contract is a detail: all of it is among the events.
    shown = [line for line in up.stderr.splitlines() if line.startswith("contracts:")]
    assert 1 <= len(shown) <= 5, shown
    names = [event["data"].get("name") for event in case.events("action-event")]
    assert names.count("contract-deployed") == 19
    units = case.status(*ALL)
    assert {name for name, unit in units.items() if not unit["ready"]} == set()
    assert {"tap-aggregator", "network-subgraph", "tap-configuration"} <= units.keys()
    url = {
        (name, port): there["url"]
        for name, unit in units.items()
        for port, there in unit["endpoints"].items()
    }
    contracts, escrow = outputs(case, "contracts"), outputs(case, "tap-escrow")
    addresses = contracts["addresses"]
    assert escrow["token"] == addresses["GraphToken"]

    files = outputs(case, "configuration")["files"]
    told = variables(files["network.env"])
    assert told["STAKING"] == addresses["Staking"]
    assert told["CHAIN_RPC"] == url["chain", "rpc"]
    assert told["GRAPH_NODE_STATUS"] == url["graph-node", "status"]
    book = json.loads(Path(told["ADDRESS_BOOK"]).read_text())
    assert book[told["CHAIN_ID"]]["GNS"]["address"] == addresses["GNS"]
    indexer = json.loads(Path(files["indexer.json"]).read_text())
    assert indexer["chain"] == {"id": 1337, "rpc": url["chain", "rpc"]}
    assert indexer["contracts"].items() <= addresses.items()
    files = outputs(case, "tap-configuration")["files"]
    assert variables(files["tap.env"]) == {
        "TAP_AGGREGATOR": url["tap-aggregator", "rpc"],
        "TAP_DOMAIN_NAME": "TAP",
        "TAP_DOMAIN_VERSION": "1",
        "TAP_DOMAIN_CHAIN_ID": "1337",
        "TAP_DOMAIN_VERIFYING_CONTRACT": escrow["escrow"],
    }
    book = json.loads(Path(files["tap-contracts.json"]).read_text())
    assert book["1337"]["Escrow"]["address"] == escrow["escrow"]

    # What is paid with is the protocol's own token.
    run(case, "tap-aggregator.deposit", amount=5 * TOKEN, payer=GATEWAY, receiver=INDEXER)
    run(case, "tap-aggregator.authorize-signer", payer=GATEWAY)
    signed = run(case, "tap-aggregator.sign-receipt", allocation=ALLOCATION, value=2 * TOKEN)
    voucher = run(case, "tap-aggregator.aggregate", receipts=[signed["receipt"]])["voucher"]
    by = run(case, "tap-aggregator.verify-voucher", voucher=voucher)["signer"]
    assert by.lower() == GATEWAY
    paid = run(
        case, "tap-aggregator.redeem", voucher=voucher, receiver=INDEXER, allocation_account=3
    )
    assert paid["value"] == 2 * TOKEN
    account = {"payer": GATEWAY, "receiver": INDEXER}
    assert run(case, "tap-aggregator.escrow-account", **account)["balance"] == 3 * TOKEN
    assert run(case, "tap-aggregator.token-balance", owner=INDEXER) == 2 * TOKEN

    # The subgraph of the stack tells what happens on the contracts of the stack.
    run(case, "network.stake", tokens=100_000)
    run(case, "graph-node.wait-for-sync", subgraph="graph/network", mine=True)
    text = "{ indexers { stakedTokens } }"
    answer = run(case, "graph-node.query", subgraph="graph/network", query=text)
    assert answer == {"indexers": [{"stakedTokens": str(100_000 * TOKEN)}]}

    listed = case.ok(*ALL, "action", "run", "graph-node.statuses").splitlines()
    assert listed[0].split()[:4] == ["NAMES", "DEPLOYMENT", "HEALTH", "BLOCK"]
    assert "graph/network" in listed[1]
    assert max(map(len, listed)) <= 120, listed

    # Where everything is there already, nothing is done again; and in the end nothing is there.
    before = run(case, "chain.block")["number"]
    case.ok(*ALL, "up", "-q")
    assert run(case, "chain.block")["number"] == before
    written = [Path(path) for path in files.values()]
    case.ok(*ALL, "down", "-q", "--volumes")
    assert case.processes() == []
    assert [path for path in written if path.exists()] == []
