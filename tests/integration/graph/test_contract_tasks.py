"""The tasks that deploy contracts, in a daemon, on a real chain."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.chain import Chain
from graph_test_daemon.tools import tools_dir
from harness.client import Client
from harness.client.results import OperationStatus, TaskStatus
from harness.errors import InvalidTaskConfig
from tests.requirements import graph_tool
from tests.unit.daemon.test_methods import daemon

PROJECTS = Path(__file__).parent / "projects"

CHAIN = """
name: graph
services:
  chain:
    type: process
    command: ["${harness.python}", -m, graph_test_daemon.launch, anvil, "--port=${chain.port}"]
    ports: {rpc: {port: auto, scheme: http}}
    health_check:
      jsonrpc: {url: "${chain.url}", method: eth_chainId}
      interval: 20ms
"""

CONTRACTS = f"""{CHAIN}
tasks:
  contracts:
    task_type: graph-contracts
    remember: run
    depends_on: [{{service: chain, condition: healthy}}]
    config: {{chain: chain, variant: L1, parameters: {{epoch_length: 20}}}}
  use:
    type: process
    command: [echo, "staking is at ${{tasks.contracts.outputs.addresses.Staking}}"]
"""

PROJECT = f"""{CHAIN}
tasks:
  counter:
    task_type: graph-project
    remember: run
    depends_on: [{{service: chain, condition: healthy}}]
    config: {{chain: chain, directory: project, command: ["${{harness.python}}", deploy.py], %s}}
"""


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have the daemon load the plugin; recordings are the test's own."""
    graph_tool("contracts")
    monkeypatch.setenv("GRAPH_TEST_TOOLS", str(tools_dir()))
    monkeypatch.setenv("HARNESS_PLUGINS", "graph_test_daemon.plugin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


async def _up(client: Client, source: Any, **options: Any) -> OperationStatus:
    source["env"] |= {"GRAPH_TEST_TOOLS": str(tools_dir())}
    operation = await client.services.up(source=source, **options)
    return await client.operations.wait(id=operation["id"], timeout_s=15)


async def _task(client: Client, name: str) -> TaskStatus:
    return next(t for t in await client.tasks.list(project="graph") if t["name"] == name)


async def _text(client: Client, unit: str) -> str:
    async with client.logs.read(project="graph", units=[unit]) as chunks:
        return "".join([chunk["text"] async for chunk in chunks])


async def _chain_url(client: Client) -> str:
    status = await client.services.status(project="graph")
    chain = next(unit for unit in status["services"] if unit["name"] == "chain")
    return str(next(iter(chain["endpoints"].values()))["url"])


def _book(outputs: dict[str, Any]) -> Any:
    return json.loads(Path(outputs["address_book"]).read_text())


# ── the protocol ─────────────────────────────────────────────────────────────────────────────────


async def test_the_protocol_is_deployed_once_and_its_addresses_are_outputs(
    tmp_path: Path,
) -> None:
    async with daemon(tmp_path, CONTRACTS) as (client, source):
        ended = await _up(client, source)
        assert ended["state"] == "done", ended
        outputs = (await _task(client, "contracts"))["outputs"]
        assert (outputs["chain_id"], outputs["variant"]) == (31337, "L1")
        staking = outputs["addresses"]["Staking"]
        assert await _text(client, "use") == f"staking is at {staking}\n"
        assert _book(outputs)["31337"]["Staking"]["address"] == staking
        assert outputs["accounts"]["governor"].startswith("0x70997970c5")
        log = await _text(client, "contracts")
        assert f"deployed Staking at {staking}" in log
        assert log.endswith("verified 19 contracts on chain 31337\n")

        chain = Chain(await _chain_url(client))
        height = await chain.block_number()
        await _up(client, source)
        await _up(client, source, units=["contracts"])
        assert await chain.block_number() == height == 76
        await chain.aclose()


async def test_where_the_chain_began_anew_the_protocol_is_deployed_again(tmp_path: Path) -> None:
    async with daemon(tmp_path, CONTRACTS) as (client, source):
        await _up(client, source)
        outputs = (await _task(client, "contracts"))["outputs"]
        restart = await client.services.restart(project="graph", units=["chain"])
        await client.operations.wait(id=restart["id"], timeout_s=15)
        await _up(client, source)
        chain = Chain(await _chain_url(client))
        assert await chain.block_number() == 76
        await chain.aclose()
        assert (await _task(client, "contracts"))["outputs"] == outputs


async def test_other_parameters_are_deployed_anew(tmp_path: Path) -> None:
    async with daemon(tmp_path, CONTRACTS) as (client, source):
        await _up(client, source)
        before = (await _task(client, "contracts"))["outputs"]["addresses"]
        text = CONTRACTS.replace("epoch_length: 20", "epoch_length: 21")
        (tmp_path / "harness.yaml").write_text(text)
        await _up(client, source)
        after = (await _task(client, "contracts"))["outputs"]["addresses"]
        assert list(after) == list(before)
        assert not set(after.values()) & set(before.values())


async def test_contracts_of_others_are_verified(tmp_path: Path) -> None:
    external = """  external:
    task_type: graph-contracts
    depends_on: [{task: contracts}]
    config: {chain: chain, provider: external, books: [book.json], address_book: merged.json}
"""
    text = CONTRACTS.replace("variant: L1,", "variant: L1, address_book: book.json,")
    async with daemon(tmp_path, text + external) as (client, source):
        await _up(client, source)
        found = (await _task(client, "external"))["outputs"]
        assert found["addresses"] == (await _task(client, "contracts"))["outputs"]["addresses"]
        assert (found["address_book"], found["variant"]) == (str(tmp_path / "merged.json"), None)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ("variant: L3", "config.variant"),
        ("parameters: {epoch_lenght: 3}", "config.parameters.epoch_lenght"),
        ("parameters: {epoch_length: 0}", "epoch_length must be at least 1"),
        ("provider: external", "the provider external needs books"),
        ("provider: external, books: [b], variant: L1", "external knows no variant"),
        ("books: [b]", "the provider legacy knows no books"),
    ],
)
async def test_a_config_that_cannot_be_is_refused_before_anything_starts(
    tmp_path: Path, config: str, problem: str
) -> None:
    stack = CONTRACTS.replace("variant: L1, parameters: {epoch_length: 20}", config)
    async with daemon(tmp_path, stack) as (client, source):
        with pytest.raises(InvalidTaskConfig) as refused:
            await _up(client, source)
        assert problem in str(refused.value)


async def test_a_chain_that_is_not_clear_is_told(tmp_path: Path) -> None:
    stack = CONTRACTS.replace("chain: chain, ", "")
    async with daemon(tmp_path, stack) as (client, source):
        await _up(client, source)
        task = await _task(client, "contracts")
        assert task["state"] == "failed"
        assert "no service has the type anvil" in str(task)


# ── projects ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of the user's: its program deploys, and prints as the tools do."""
    return Path(shutil.copytree(PROJECTS / "counter", tmp_path / "project"))


async def test_a_project_deploys_and_its_addresses_are_outputs(
    tmp_path: Path, project: Path
) -> None:
    async with daemon(tmp_path, PROJECT % "expected: [Counter, Vault]") as (client, source):
        ended = await _up(client, source)
        assert ended["state"] == "done", ended
        outputs = (await _task(client, "counter"))["outputs"]
        assert list(outputs["addresses"]) == ["Counter", "Vault"]
        chain = Chain(await _chain_url(client))
        for address in outputs["addresses"].values():
            assert await chain.code(address) != b""
        assert "Compiling 2 files" in await _text(client, "counter")
        height = await chain.block_number()
        await _up(client, source)
        await _up(client, source, units=["counter"])
        assert await chain.block_number() == height == 2

        (project / "contracts" / "Counter.sol").write_text("// another\n")
        ran = await client.tasks.run(source=source, tasks=["counter"])
        await client.operations.wait(id=ran["id"], timeout_s=15)
        assert await chain.block_number() == 4
        await chain.aclose()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("env: {FAIL: '3'}", "exit status 3"),
        ("env: {LIE: 'yes'}", "no code at 0x"),
        ("expected: [Countr]", "not of Countr"),
        ("env: {SILENT: 'yes'}", "it told of no contract"),
    ],
)
@pytest.mark.usefixtures("project")
async def test_a_project_that_fails_or_lies_is_a_failure(
    tmp_path: Path, more: str, reason: str
) -> None:
    async with daemon(tmp_path, PROJECT % more) as (client, source):
        await _up(client, source)
        task = await _task(client, "counter")
        assert task["state"] == "failed"
        assert reason in str(task), task
