"""The service type `graph-network` in a daemon, with a chain and its contracts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.contracts.protocol import GRT
from graph_test_daemon.tools import tools_dir
from harness.client import Client
from harness.errors import RemoteFailure
from tests.requirements import graph_tool
from tests.unit.daemon.test_methods import daemon

from .network_fixtures import DEPLOYMENT, POI

STACK = """
name: graph
services:
  chain:
    type: process
    command: ["${harness.python}", -m, graph_test_daemon.launch, anvil, "--port=${chain.port}"]
    ports: {rpc: {port: auto, scheme: http}}
    health_check:
      jsonrpc: {url: "${chain.url}", method: eth_chainId}
      interval: 20ms
  network:
    type: external
    service_type: graph-network
    depends_on: [chain, {task: %s}]
    labels: {chain: chain}
tasks:
  contracts:
    task_type: graph-contracts
    depends_on: [{service: chain, condition: healthy}]
    config: {chain: chain, variant: L2, parameters: {epoch_length: 30}}
  other:
    type: process
    command: ["true"]
"""


TOOLS = str(tools_dir())


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have the daemon load the plugin; where programs are is told by who asks for something."""
    for tool in ("anvil", "contracts"):
        graph_tool(tool)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HARNESS_PLUGINS", "graph_test_daemon:daemon")


class Acting:
    """Runs actions of the network, and keeps what they tell."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.told: list[str] = []

    async def __call__(self, action: str, **parameters: Any) -> Any:
        return await self._client.actions.run(
            project="graph",
            service="network",
            action=action,
            parameters=parameters,
            on_event=lambda event: self.told.append(event["name"]),
        )


async def _up(client: Client, source: Any) -> None:
    source["env"] |= {"GRAPH_TEST_TOOLS": TOOLS}
    operation = await client.services.up(source=source)
    ended = await client.operations.wait(id=operation["id"], timeout_s=15)
    assert ended["state"] == "done", ended


async def test_the_network_is_driven_by_actions(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK % "contracts") as (client, source):
        await _up(client, source)
        act = Acting(client)
        published = await act("publish", deployment=DEPLOYMENT)
        await act("signal", on=published["subgraph"], tokens="10000.5")
        staked = await act("stake", tokens=100_000)
        assert staked["staked"] == 100_000 * GRT
        opened = await act("allocate", deployment=DEPLOYMENT, tokens="99999.999999999999999999")
        assert opened["tokens"] == 100_000 * GRT - 1
        epoch = await act("advance-epoch", count=2)
        assert epoch["number"] == epoch["last_run"]
        (listed,) = await act("allocations", active=True)
        assert listed["pending_rewards"] > 0
        closed = await act("close-allocation", allocation=opened["allocation"], poi=POI)
        assert closed["rewards"] > listed["pending_rewards"]
        created = await act("dispute-indexing", allocation=opened["allocation"])
        await act("resolve-dispute", dispute=created["dispute"], outcome="accepted")
        assert act.told == [
            "subgraph-published",
            "signal-minted",
            "stake-deposited",
            "allocation-opened",
            "epoch-advanced",
            "epoch-advanced",
            "allocation-closed",
            "dispute-created",
            "dispute-resolved",
        ]
        operation = await client.services.down(project="graph")
        await client.operations.wait(id=operation["id"], timeout_s=15)


async def test_what_cannot_be_done_is_explained(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK % "contracts") as (client, source):
        await _up(client, source)
        act = Acting(client)
        for action, parameters, kind, text in (
            ("stake", {"tokens": "1"}, "reverted", "!minimumIndexerStake"),
            ("stake", {"tokens": "-1"}, "invalid-amount", "it is negative"),
            ("stake", {"tokens": "0.0000000000000000001"}, "invalid-amount", "have 18 places"),
            ("stake", {"tokens": 1, "indexer": "indxer"}, "unknown-participant", "indxer"),
            ("allocation", {"allocation": f"0x{'1' * 40}"}, "allocation-not-found", "never was"),
            ("published", {"subgraph": "QmX"}, "subgraph-not-published", "never published"),
            ("allocate", {"deployment": "Qm", "tokens": 1}, "invalid-cid", "Qm"),
            ("withdraw", {}, "reverted", "!tokens"),
            ("deploy-subgraph", {"path": "no", "name": "a b"}, "invalid-subgraph-name", "a b"),
        ):
            with pytest.raises(RemoteFailure, match=text) as refused:
                await act(action, **parameters)
            assert refused.value.remote_kind == kind, action
        await act("stake", tokens=100_000)
        opened = await act("allocate", deployment=DEPLOYMENT, tokens=1)
        with pytest.raises(RemoteFailure, match="there is no graph-node to ask") as alone:
            await act("close-allocation", allocation=opened["allocation"])
        assert alone.value.remote_kind == "no-proof"


async def test_a_network_without_contracts_does_not_come_up(tmp_path: Path) -> None:
    stack = STACK.replace("{chain: chain}\ntasks", "{chain: chain, contracts: other}\ntasks")
    async with daemon(tmp_path, stack % "other") as (client, source):
        source["env"] |= {"GRAPH_TEST_TOOLS": TOOLS}
        operation = await client.services.up(source=source)
        ended = await client.operations.wait(id=operation["id"], timeout_s=15)
        assert ended["state"] == "failed"
        assert 'the task "other" has not completed' in str(ended) or (
            'the task "other" has left no addresses' in str(ended)
        )
