"""A chain as a service: its actions, setup and snapshots through the real command and daemon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.requirements import graph_tool

from .harness_case import HarnessCase

pytestmark = pytest.mark.timeout(240)

CHAIN = """
    type: process
    command: ["${harness.python}", -m, graph_test_daemon.launch, anvil,
              --port, "${%(name)s.port}", --data-dir, "${%(name)s.data_dir}"]
    service_type: anvil
    ports: {rpc: {port: auto, scheme: http}}
    health_check: {jsonrpc: {url: "${%(name)s.url}", method: web3_clientVersion}}
"""
STACK = f"""
services:
  chain:{CHAIN % {"name": "chain"}}
  bare:{CHAIN % {"name": "bare"}}    labels: {{mine-first: "false"}}
"""
AT = "0x00000000000000000000000000000000000000aa"


@pytest.fixture(autouse=True)
def _with_anvil() -> None:
    graph_tool("anvil")


def run(case: HarnessCase, action: str, **parameters: Any) -> list[dict[str, Any]]:
    """Run an action; return its events and, last, its result."""
    name = action if "." in action else f"chain.{action}"
    printed = case.ok("action", "run", name, "--json", json.dumps(parameters))
    return [json.loads(line) for line in printed.splitlines()]


def result(case: HarnessCase, action: str, **parameters: Any) -> Any:
    return run(case, action, **parameters)[-1]["result"]


def test_chain_is_driven_snapshotted_and_leaves_nothing(tmp_path: Path) -> None:
    with HarnessCase(tmp_path) as case:
        case.write(STACK)
        case.ok("up")
        # It has the block that graph-node needs, unless it is told not to.
        assert result(case, "block")["number"] == 1
        assert result(case, "bare.block")["number"] == 0

        *events, done = run(case, "mine", blocks=201, interval=2)
        assert done["result"]["number"] == 202
        assert [e["data"]["count"] for e in events if e["event"] == "block-mined"] == [200, 1]
        assert [e["data"]["done"] for e in events if e["event"] == "progress"] == [200, 201]

        sender, *_ = result(case, "accounts")
        sent = result(case, "send", sender=sender, to=AT, value=10**20)
        *events, done = run(case, "reorg", depth=1, include=[sent["transaction"]], mine=1)
        assert [e["event"] for e in events] == ["reorg-injected", "block-mined"]
        assert done["result"]["included"] == [sent["transaction"]]
        told = case("action", "run", "chain.reorg", "--depth", "1000")
        assert told.returncode == 1
        assert "cannot replace the last 1000 blocks of 204" in told.stderr

        before = result(case, "block")
        result(case, "set-mining-mode", interval=60)
        case.ok("snapshot", "create", "seeded")
        assert result(case, "mining-mode") == {"automine": False, "interval_s": 60}
        for again in ("as it runs", "in another run"):
            result(case, "set-balance", address=AT, wei=1)
            result(case, "mine", blocks=3)
            if again == "in another run":
                case.ok("restart", "chain")
            case.ok("snapshot", "restore", "seeded")
            assert result(case, "block") == before
            assert result(case, "balance", address=AT) == 10**20
        assert result(case, "mining-mode")["automine"] is True  # as the new run had it

        assert result(case, "dump-state", path="chain.state") > 1000
        result(case, "reset")
        assert result(case, "block")["number"] == 0
        *events, done = run(case, "load-state", path="chain.state")
        assert done["result"] == before
        assert [e["event"] for e in events] == ["chain-restored"]
        case.ok("down", "--volumes")
        assert case.processes() == []
    assert not list((tmp_path / "state").rglob("anvil-state*"))


def test_refusals_keep_their_reason_and_kind(tmp_path: Path) -> None:
    # Error("no"): the usual encoding, as a contract's whole answer.
    reason = "08c379a0" + f"{32:064x}" + f"{2:064x}" + b"no".hex().ljust(64, "0")
    size = len(reason) // 2
    code = f"60{size:02x}600c60003960{size:02x}6000fd" + reason
    with HarnessCase(tmp_path) as case:
        case.write(STACK)
        case.ok("up", "chain")
        result(case, "set-code", address=AT, code="0x" + code)
        sender, *_ = result(case, "accounts")
        for gas in (None, 200_000):
            parameters = json.dumps({"sender": sender, "to": AT, "gas": gas})
            told = case("--json", "action", "run", "chain.send", "--json", parameters)
            assert told.returncode == 1
            error = json.loads(told.stderr)["error"]
            assert (error["kind"], "reverted: no" in error["message"]) == ("reverted", True)
        told = case("--json", "action", "run", "chain.revert", "--id", "0x77")
        assert json.loads(told.stderr)["error"]["kind"] == "snapshot-gone"
        told = case("--json", "action", "run", "chain.code", "--address", "0xzz")
        assert json.loads(told.stderr)["error"]["kind"] == "rpc-fault"


def test_time_and_accounts_are_set_as_they_are_told(tmp_path: Path) -> None:
    with HarnessCase(tmp_path) as case:
        case.write(STACK)
        case.ok("up", "chain")
        now = result(case, "block")["timestamp"]
        assert result(case, "set-time", timestamp=now + 100)["timestamp"] >= now + 100
        result(case, "set-next-timestamp", timestamp=now + 500)
        assert result(case, "mine")["timestamp"] == now + 500
        height = result(case, "block")["number"]
        assert result(case, "wait-for-block", number=height)["number"] == height
        result(case, "set-nonce", address=AT, nonce=7)
        assert result(case, "nonce", address=AT) == 7
        result(case, "set-storage", address=AT, slot=3, value=5)
        assert result(case, "storage", address=AT, slot=3) == f"0x{5:064x}"
        result(case, "set-balance", address=AT, wei=10**18)
        result(case, "impersonate", address=AT)
        assert result(case, "send", sender=AT, to=AT)["succeeded"]
        result(case, "stop-impersonating", address=AT)
        told = case("action", "run", "chain.send", "--sender", AT, "--to", AT)
        assert told.returncode == 1
