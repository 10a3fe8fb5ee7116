"""A stack of which nothing is the harness's own: all of it runs elsewhere, and is driven alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.testing import Stack
from tests.e2e.harness_case import HarnessCase
from tests.requirements import graph_tool
from tests.subgraphs.building import SUBGRAPHS, contract

pytestmark = [pytest.mark.usefixtures("graph_tools"), pytest.mark.timeout(120)]

STACK = """
services:
  chain:
    type: external
    service_type: anvil
    ports: {{rpc: {{port: {chain}, scheme: http}}}}
    health_check: {{jsonrpc: {{url: "${{chain.url}}", method: eth_chainId}}}}
  ipfs:
    type: external
    service_type: ipfs
    ports: {{rpc: {{port: {ipfs}, scheme: http}}}}
  postgres:
    type: external
    service_type: postgres
    ports: {{sql: {{port: {postgres}, scheme: postgresql}}}}
    labels: {{databases: graph-node}}
  graph-node:
    type: external
    service_type: graph-node
    ports:
      query: {{port: {query}, scheme: http}}
      admin: {{port: {admin}, scheme: http}}
      status: {{port: {status}, scheme: http}}
  network:
    type: external
    service_type: graph-network
    depends_on: [chain, ipfs, graph-node]
"""


HORIZON = """
tasks:
  contracts:
    task_type: graph-contracts
    depends_on: [chain]
    config:
      chain: chain
      provider: external
      books: [horizon.json, subgraph-service.json]
      artifacts: abis
      expected: [{contract: Playground, function: half, arguments: [4], value: 2}]
"""


class Outside:
    """The second stack, and what it is asked for."""

    def __init__(self, case: HarnessCase) -> None:
        self.case = case

    def __call__(self, action: str, **given: Any) -> Any:
        answer = self.case.ok("--json", "action", "run", action, json.dumps(given))
        return json.loads(answer.splitlines()[-1])["result"]  # events are above it

    def refused(self, *arguments: str) -> str:
        done = self.case(*arguments)
        assert done.returncode == 1, done.stdout
        return done.stderr


@pytest.fixture
def outside(graph: Stack, tmp_path: Path) -> Iterator[Outside]:
    """The parts of another stack, as services that somebody else runs."""
    graph_tool("asc")
    node = graph["graph-node"]
    ports = {name: graph[name].port() for name in ("chain", "ipfs", "postgres")}
    ports |= {name: node.port(name) for name in ("query", "admin", "status")}
    with HarnessCase(tmp_path) as case:
        case.write(STACK.format(**ports))
        case.ok("up", "-q")
        yield Outside(case)
        case.ok("down", "-q")


def test_every_part_is_driven_where_it_is(outside: Outside) -> None:
    before = outside("chain.block")["number"]
    assert outside("chain.mine", blocks=2)["number"] == before + 2
    added = outside("ipfs.add", text="from outside")
    assert outside("ipfs.cat", path=added["cid"]) == "from outside"
    text = "SELECT datname FROM pg_database WHERE datname = 'graph-node'"
    assert outside("postgres.query", sql=text)["rows"]
    assert outside("graph-node.version").startswith("0.")


def test_a_subgraph_is_deployed_and_queried_there(outside: Outside) -> None:
    sender = outside("chain.accounts")[0]
    code = f"0x{contract().bytecode.hex()}"
    address = outside("chain.send", sender=sender, data=code)["contract"]
    path, name = str(SUBGRAPHS / "events"), "outside/events"
    values = {"Playground": address}
    deployed = outside("network.deploy-subgraph", path=path, name=name, values=values)
    call = contract().abi.function("store", (1, "seen")).encode((1, "seen"))
    outside("chain.send", sender=sender, to=address, data=f"0x{call.hex()}")
    synced = outside("graph-node.wait-for-sync", subgraph=name, mine=True)
    assert synced["block"]["number"] > 0
    answer = outside("graph-node.query", subgraph=name, query="{notes{text}}")
    assert answer == {"notes": [{"text": "seen"}]}
    assert outside("graph-node.status", subgraph=name)["health"] == "healthy"
    # Once more through the admin's RPC alone, under another name.
    again = outside("graph-node.deploy", name="outside/again", deployment=deployed["deployment"])
    assert again["deployment"] == deployed["deployment"]
    for each in ("outside/again", name):
        outside("graph-node.remove", name=each)


def test_what_only_its_owner_can_do_is_refused(outside: Outside, graph: Stack) -> None:
    pid = graph["graph-node"].pid
    told = outside.refused("restart", "graph-node")
    assert "services of type external do not support restart" in told
    assert "whoever runs it restarts it" in told
    told = outside.refused("action", "run", "graph-node.watch-log", "--limit-s", "1")
    assert "services of type external do not support logs" in told
    # A graph-node that went on meanwhile would have what the database has not.
    told = outside.refused("snapshot", "create", "one")
    assert 'cannot quiesce "graph-node": it has to be stopped meanwhile' in told
    assert outside.case.ok("snapshot", "list", "--json").count("one") == 0
    assert graph["graph-node"].pid == pid


def test_contracts_of_another_protocol_are_known_from_their_books(
    outside: Outside, tmp_path: Path
) -> None:
    sender = outside("chain.accounts")[0]
    code = f"0x{contract().bytecode.hex()}"
    books = {"horizon": {"HorizonStaking": sent(outside, sender, code)}}
    books["subgraph-service"] = {"Playground": sent(outside, sender, code)}
    for name, entries in books.items():
        document = {"1337": {key: {"address": address} for key, address in entries.items()}}
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    (tmp_path / "abis").mkdir()
    artifact = SUBGRAPHS / "contracts" / "Playground.json"
    (tmp_path / "abis" / "Playground.json").write_bytes(artifact.read_bytes())
    stack = tmp_path / "harness.yaml"
    text = stack.read_text().replace("ipfs, graph-node]", "ipfs, graph-node, {task: contracts}]")
    stack.write_text(text + HORIZON)
    outside.case.ok("up", "-q")

    # Addresses by name fill placeholders; what only the legacy protocol has is refused.
    outside("network.deploy-subgraph", path=str(SUBGRAPHS / "events"), name="outside/horizon")
    assert outside("graph-node.status", subgraph="outside/horizon")["health"] == "healthy"
    outside("graph-node.remove", name="outside/horizon")
    told = outside.refused("action", "run", "network.stake", "--tokens", "1")
    assert "not of the protocol that is known here" in told
    assert "the protocol before Horizon" in told

    # A book that is of another chain's state is found out.
    wrong = {"1337": {"Playground": {"address": "0x" + "11" * 20}}}
    (tmp_path / "subgraph-service.json").write_text(json.dumps(wrong))
    told = outside.refused("task", "run", "contracts", "--force")
    assert "Playground" in told


def sent(outside: Outside, sender: str, code: str) -> str:
    """Deploy code; return its address."""
    return str(outside("chain.send", sender=sender, data=code)["contract"])
