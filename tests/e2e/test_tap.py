"""Receipts, vouchers and an escrow in a stack, driven by the real program."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.requirements import graph_tool

from .harness_case import HarnessCase

# Accounts of the test mnemonic: the gateway pays and signs, the indexer is paid.
GATEWAY = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
INDEXER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
TOKEN = 10**18
ALLOCATION = "0x90f79bf6eb2c4f870365e785982e1f101e93b906"
OWN_KEY = "0x4c0883a69102937d6231471b5dbb6204fe512961708279f3e2e1a2e4567890ab"
OWN = "0x2eff7f4e8815601d146c1aeb1db9860e624f1a44"

STACK = """
services:
  chain:
    type: process
    command: ["${harness.python}", -m, graph_test_daemon.launch, anvil, "--port=${chain.port}"]
    ports: {rpc: {port: auto, scheme: http}}
    health_check:
      jsonrpc: {url: "${chain.url}", method: web3_clientVersion}
  aggregator:
    type: process
    service_type: tap-aggregator
    labels: {chain: chain}
    command:
      - ${harness.python}
      - -m
      - graph_test_daemon.launch
      - tap-aggregator
      - --port=${aggregator.port}
      - --chain-id=${tasks.escrow.outputs.chain_id}
      - --verifying-contract=${tasks.escrow.outputs.escrow}
      - --account=0
    ports: {rpc: {port: auto, scheme: http}}
    health_check:
      jsonrpc: {url: "${aggregator.url}", method: api_versions}
tasks:
  escrow:
    task_type: tap-escrow
    depends_on: [{service: chain, condition: healthy}]
"""


class Actions:
    """Runs actions of the aggregator."""

    def __init__(self, case: HarnessCase) -> None:
        self._case = case

    def __call__(self, action: str, **given: Any) -> Any:
        name = f"aggregator.{action}"
        answer = self._case.ok("--json", "action", "run", name, json.dumps(given))
        return json.loads(answer.splitlines()[-1])["result"]  # events are above it

    def refused(self, action: str, **given: Any) -> dict[str, Any]:
        done = self._case("--json", "action", "run", f"aggregator.{action}", json.dumps(given))
        assert done.returncode == 1
        error: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])["error"]
        return error


@pytest.mark.timeout(90)
def test_receipts_are_signed_aggregated_and_paid(case: HarnessCase) -> None:
    graph_tool("anvil")
    case.write(STACK)
    case.ok("up", "-q")
    run = Actions(case)
    domain = run("domain")
    assert (domain["name"], domain["chain_id"]) == ("TAP", 31337)
    assert run("deposit", amount=10 * TOKEN, payer=GATEWAY, receiver=INDEXER)["thawing"] == 0
    assert run("authorize-signer", payer=GATEWAY) == GATEWAY

    signed = [run("sign-receipt", allocation=ALLOCATION, value=TOKEN) for _ in range(3)]
    receipts = [one["receipt"] for one in signed]
    verified = run("verify-receipt", receipt=receipts[0], signer=GATEWAY)
    assert verified == {"signer": GATEWAY, "matches": True}
    first = run("aggregate", receipts=receipts)
    assert (first["value"], first["signer"], first["receipts"]) == (3 * TOKEN, GATEWAY, 3)
    more = {"allocation": ALLOCATION, "count": 60, "value": 1, "previous": first["voucher"]}
    told = case("action", "run", "aggregator.aggregate-many", json.dumps(more))
    assert "signing receipts" in told.stderr
    assert "voucher-aggregated" in told.stderr
    last = run("aggregate-many", **more)
    assert last["value"] == 3 * TOKEN + 60
    refused = run.refused("aggregate-many", **{**more, "count": 20_001})
    assert "1 to 20000" in refused["message"]
    stranger = run("sign-receipt", allocation=ALLOCATION, value=1, account=5)["receipt"]
    refused = run.refused("aggregate", receipts=[stranger])
    assert (refused["kind"], refused["details"]["rule"]) == (
        "aggregation-refused",
        "signer-not-accepted",
    )

    redeem = {"voucher": last["voucher"], "receiver": INDEXER, "allocation_account": 3}
    assert run("redeem", **redeem)["value"] == 3 * TOKEN + 60
    assert run("token-balance", owner=INDEXER) == 3 * TOKEN + 60
    account = run("escrow-account", payer=GATEWAY, receiver=INDEXER)
    assert account["balance"] == 7 * TOKEN - 60
    again = run.refused("redeem", **redeem)
    assert again["kind"] == "reverted"
    assert "AlreadyRedeemed" in again["message"]

    (case.directory / "own.key").write_text(OWN_KEY)
    mine = run("sign-receipt", allocation=ALLOCATION, value=1, key_file="own.key")
    assert mine["signer"] == OWN
    refused = run.refused("sign-receipt", allocation=ALLOCATION, value=1, key_file="harness.yaml")
    assert refused["kind"] == "key-unusable"
    kept = [file for file in case.state_dir.rglob("*") if file.is_file()]
    assert not [file for file in kept if OWN_KEY[2:10].encode() in file.read_bytes()]
    case.ok("down")
    assert [case.processes(name) for name in ("chain", "aggregator")] == [[], []]


@pytest.mark.timeout(90)
def test_an_escrow_goes_with_its_chain_and_is_deployed_again(case: HarnessCase) -> None:
    graph_tool("anvil")
    case.write(STACK)
    assert "done" in case.ok("up", "escrow")
    before = outputs(case)
    assert len(code(case, before["escrow"])) > len(code(case, before["token"])) > 1000
    case.ok("task", "run", "escrow")
    assert block_number(case) == 2  # it and its token; nothing was done the second time
    case.ok("restart", "chain")
    assert code(case, before["escrow"]) == "0x"
    case.ok("task", "run", "escrow")
    assert outputs(case) == before
    assert len(code(case, before["escrow"])) > 1000
    case.ok("down")


def outputs(case: HarnessCase) -> dict[str, Any]:
    """Return what the task has left."""
    [told] = json.loads(case.ok("--json", "task", "status", "escrow"))
    found: dict[str, Any] = told["outputs"]
    return found


def asked(case: HarnessCase, method: str, *params: Any) -> Any:
    """Return what the chain answers."""
    url = case.unit("chain")["endpoints"]["rpc"]["url"]
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    request = Request(url, json.dumps(call).encode(), {"content-type": "application/json"})
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)["result"]


def code(case: HarnessCase, address: str) -> str:
    """Return what is deployed at an address."""
    return str(asked(case, "eth_getCode", address, "latest"))


def block_number(case: HarnessCase) -> int:
    """Return the chain's height."""
    return int(asked(case, "eth_blockNumber"), 16)
