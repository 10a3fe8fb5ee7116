"""Allocations are closed with the proof of a real graph-node."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts.protocol import GRT, LegacyContracts, Parameters, Protocol
from graph_test_daemon.graph_node import DeploymentNotFound, GraphNode, NodeUrls, NotSynced
from graph_test_daemon.ipfs import Ipfs
from graph_test_daemon.network import Network
from graph_test_daemon.network.proofs import proof_block
from harness.testing import Stack
from tests.requirements import graph_tool

from .network_fixtures import DEPLOYMENT
from .subgraphs import upload_idle

pytestmark = [pytest.mark.usefixtures("graph_tools"), pytest.mark.timeout(60)]


@dataclass
class Parts:
    node: GraphNode
    chain: Chain
    network: Network
    deployment: str
    name: str


@pytest.fixture
async def parts(graph: Stack) -> AsyncIterator[Parts]:
    """A protocol of the test's own, an indexer and a subgraph."""
    graph_tool("contracts")
    service, chain = graph["graph-node"], Chain(graph["chain"].url())
    urls = NodeUrls(
        query=service.url("query"), admin=service.url("admin"), status=service.url("status")
    )
    node, ipfs = GraphNode(urls), Ipfs(graph["ipfs"].url())
    provider = LegacyContracts(parameters=Parameters(epoch_length=30), recordings=False)
    deployed = await provider.deploy(chain)
    network = Network(Protocol(chain, deployed.book, provider), roles=deployed.accounts)
    await network.staking.stake("indexer", 100_000 * GRT)
    deployment = await upload_idle(ipfs)
    await network.curation.mint("curator", deployment, 10_000 * GRT)
    name = f"test/p{deployment[-20:].lower()}a"
    yield Parts(node, chain, network, deployment, name)
    await node.admin.remove(name)
    for client in (node, chain, ipfs):
        await client.aclose()


async def test_an_allocation_is_closed_with_the_proof_at_the_epochs_first_block(
    parts: Parts,
) -> None:
    node, network = parts.node, parts.network
    await node.deploy(parts.name, parts.deployment)
    opened = await network.allocations.open("indexer", parts.deployment, 1000 * GRT)
    await network.epochs.advance()
    block = await proof_block(network.epochs, parts.chain)
    assert block.number == (await network.epochs.now()).start_block
    closed = await network.close_with_proof(node, opened.allocation)
    assert closed.rewards > 0
    status = await node.find(parts.deployment)
    own = await node.proof_of_indexing(status, block, indexer=opened.indexer)
    assert closed.poi == own != await node.proof_of_indexing(status, block)


async def test_there_is_no_proof_of_a_block_that_graph_node_does_not_have(parts: Parts) -> None:
    node, network = parts.node, parts.network
    elsewhere = await network.allocations.open("indexer", DEPLOYMENT, 0)
    with pytest.raises(DeploymentNotFound):
        await network.close_with_proof(node, elsewhere.allocation)
    await node.deploy(parts.name, parts.deployment)
    opened = await network.allocations.open("indexer", parts.deployment, 1000 * GRT)
    await network.epochs.advance()
    await network.proof(node, opened.allocation)
    await node.pause(parts.deployment)
    await network.epochs.advance()
    with pytest.raises(NotSynced, match="it is paused"):
        await network.proof(node, opened.allocation, timeout_s=0.5)
    # The chain has gone another way, and graph-node does not know that yet.
    await node.resume(parts.deployment)
    await network.proof(node, opened.allocation)
    await parts.chain.rpc.call("anvil_reorg", [2, []])
    with pytest.raises(NotSynced):
        await network.proof(node, opened.allocation, timeout_s=0.5)
    await network.epochs.mine(1)
    await network.proof(node, opened.allocation)
