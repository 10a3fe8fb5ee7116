"""graph-node's client against a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio
import pytest

from graph_test_daemon.chain import Chain
from graph_test_daemon.errors import QueryFailed
from graph_test_daemon.graph_node import (
    BlockPointer,
    DeploymentNotFound,
    DeployRefused,
    GraphNode,
    InvalidSubgraphName,
    NodeUrls,
    NotSynced,
    SubgraphNotFound,
    SyncProgressed,
    wait_for_sync,
)
from graph_test_daemon.ipfs import Ipfs
from harness.testing import Stack

from .subgraphs import upload_idle

pytestmark = [pytest.mark.usefixtures("graph_tools"), pytest.mark.timeout(60)]

NOWHERE = "QmcYzr1v1xpXch8aU6qFb7EjxEKvNhjTVJmKDUXSPFg3TD"


@dataclass
class Parts:
    node: GraphNode
    chain: Chain
    ipfs: Ipfs


@pytest.fixture
async def parts(graph: Stack) -> AsyncIterator[Parts]:
    service = graph["graph-node"]
    urls = NodeUrls(
        query=service.url("query"), admin=service.url("admin"), status=service.url("status")
    )
    found = Parts(GraphNode(urls), Chain(graph["chain"].url()), Ipfs(graph["ipfs"].url()))
    yield found
    await found.node.aclose()
    await found.chain.aclose()
    await found.ipfs.aclose()


@pytest.fixture
async def deployed(parts: Parts, request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, str]]:
    """Name and id of a subgraph that is deployed."""
    deployment = await upload_idle(parts.ipfs)
    name = f"test/n{deployment[-20:].lower()}a"
    await parts.node.deploy(name, deployment)
    yield name, deployment
    await parts.node.remove(name)


async def test_a_subgraph_is_deployed_synced_and_queried(
    parts: Parts, deployed: tuple[str, str]
) -> None:
    name, deployment = deployed
    told: list[SyncProgressed] = []

    async def tell(event: SyncProgressed) -> None:
        await anyio.lowlevel.checkpoint()
        told.append(event)

    await parts.chain.rpc.call("anvil_mine", [3])
    synced = await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True, tell=tell)
    assert synced.deployment == deployment
    assert synced.took_s == round(synced.took_s, 3)
    head = await parts.chain.block()
    assert head is not None
    assert synced.block == BlockPointer(number=head.number, hash=head.hash)
    assert told[-1] == SyncProgressed(subgraph=name, block=head.number, wanted=head.number)
    assert await parts.node.query(name, "{ nothings { id } }") == {"nothings": []}
    assert await parts.node.query(deployment, "{ nothings { id } }") == {"nothings": []}
    status = await parts.node.find(name)
    assert status == await parts.node.find(deployment)
    assert (status.health, status.network, status.paused) == ("healthy", "hardhat", False)
    assert status.node is not None
    assert deployment in [one.deployment for one in await parts.node.statuses()]
    assert [one.deployment for one in await parts.node.versions(name)] == [deployment]
    features = await parts.node.features(deployment)
    assert (features.network, features.handlers) == ("hardhat", ("event",))
    assert await parts.node.block_hash("hardhat", head.number) == head.hash
    assert await parts.node.block_hash("hardhat", head.number + 1000) is None


async def test_waiting_goes_on_while_graph_node_goes_back(
    parts: Parts, deployed: tuple[str, str]
) -> None:
    name, _ = deployed
    await parts.chain.rpc.call("anvil_mine", [5])
    for _ in range(8):  # asked at the wrong moment graph-node refuses to answer
        await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True)
        await parts.chain.rpc.call("anvil_reorg", [3, []])
        await parts.chain.rpc.call("anvil_mine", [1])
    synced = await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True)
    head = await parts.chain.block()
    assert head is not None
    assert synced.block == BlockPointer(number=head.number, hash=head.hash)


async def test_a_proof_is_of_a_block_of_the_chain(parts: Parts, deployed: tuple[str, str]) -> None:
    name, _ = deployed
    synced = await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True)
    status = await parts.node.find(name)
    proof = await parts.node.proof_of_indexing(status, synced.block)
    assert proof is not None
    assert proof.startswith("0x")
    assert len(proof) == 66
    indexer = f"0x{'11' * 20}"
    assert await parts.node.proof_of_indexing(status, synced.block, indexer=indexer) != proof
    wrong = BlockPointer(number=synced.block.number, hash=f"0x{'ab' * 32}")
    assert await parts.node.proof_of_indexing(status, wrong) is None


async def test_pausing_and_resuming_show_at_once(parts: Parts, deployed: tuple[str, str]) -> None:
    name, deployment = deployed
    await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True)
    await parts.node.pause(deployment)
    assert (await parts.node.find(name)).paused
    await parts.node.pause(deployment)
    await parts.chain.rpc.call("anvil_mine", [1])
    with pytest.raises(NotSynced, match="it is paused") as stuck:
        await wait_for_sync(parts.node, parts.chain, name, timeout_s=1)
    assert stuck.value.hint == "resume it"
    assert stuck.value.details["paused"] is True
    await parts.node.resume(deployment)
    assert not (await parts.node.find(name)).paused
    await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True)
    await parts.node.reassign(deployment, "default")


async def test_what_does_not_move_is_given_up(parts: Parts, deployed: tuple[str, str]) -> None:
    name, _ = deployed
    synced = await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True)
    wanted = synced.block.number + 10_000
    with pytest.raises(NotSynced, match=r"not moved for 0\.3 s; the chain is at block") as it:
        await wait_for_sync(parts.node, parts.chain, name, block=wanted, stall_s=0.3)
    assert (it.value.wanted, it.value.hint) == (wanted, "mine blocks")


async def test_what_nobody_indexes_any_more_is_told(parts: Parts) -> None:
    deployment = await upload_idle(parts.ipfs)
    await parts.node.deploy("test/orphan", deployment)
    await wait_for_sync(parts.node, parts.chain, deployment, timeout_s=30, mine=True)
    await parts.node.remove("test/orphan")
    await parts.chain.mine(3)
    with pytest.raises(NotSynced, match="no node indexes it") as orphan:
        await wait_for_sync(parts.node, parts.chain, deployment, timeout_s=0.5)
    assert orphan.value.hint == "deploy it, or reassign it"
    with pytest.raises(NotSynced, match="nothing of it is deployed") as gone:
        await wait_for_sync(parts.node, parts.chain, "test/orphan", timeout_s=0)
    assert (gone.value.hint, gone.value.at) == ("deploy it first", None)


async def test_a_chain_that_is_below_what_was_indexed_is_told(
    parts: Parts, deployed: tuple[str, str]
) -> None:
    name, _ = deployed
    await parts.chain.mine(4)
    synced = await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True)
    head = await parts.chain.rollback(3)
    try:
        with pytest.raises(NotSynced, match=f"the chain is at block {head.number}") as below:
            await wait_for_sync(
                parts.node, parts.chain, name, block=synced.block.number, timeout_s=0.5
            )
        assert below.value.at == synced.block.number
        assert below.value.details["chain_head"] == head.number
        assert below.value.hint is not None
    finally:  # others follow this chain, too, and notice once it is longer than it was
        await parts.chain.mine(5)
    await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True)


async def test_blocks_are_mined_where_nothing_moves(
    parts: Parts, deployed: tuple[str, str]
) -> None:
    name, _ = deployed
    synced = await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True)
    wanted = synced.block.number + 2
    later = await wait_for_sync(parts.node, parts.chain, name, block=wanted, mine=True)
    assert later.block.number >= wanted


async def test_a_removed_name_is_gone_and_its_deployment_answers(parts: Parts) -> None:
    deployment = await upload_idle(parts.ipfs)
    await parts.node.deploy("test/removed", deployment)
    await parts.node.deploy("test/other", deployment)
    await wait_for_sync(parts.node, parts.chain, "test/removed", timeout_s=30, mine=True)
    assert await parts.node.remove("test/removed") is None
    assert await parts.node.status_of_name("test/removed") is None
    assert await parts.node.remove("test/other") == deployment
    with pytest.raises(QueryFailed, match="does not exist"):
        await parts.node.query("test/removed", "{ nothings { id } }")
    assert await parts.node.query(deployment, "{ nothings { id } }") == {"nothings": []}
    assert await parts.node.remove("test/removed") is None
    with pytest.raises(DeploymentNotFound):
        await parts.node.pause(deployment)


async def test_a_redeployed_name_has_the_new_version(
    parts: Parts, deployed: tuple[str, str]
) -> None:
    name, first = deployed
    second = await upload_idle(parts.ipfs)
    await parts.node.deploy(name, second)
    assert (await parts.node.find(name)).deployment == second
    assert {one.deployment for one in await parts.node.versions(name)} == {first, second}


async def test_what_nobody_indexes_and_no_name_has_is_listed_only_if_asked_for(
    parts: Parts, deployed: tuple[str, str]
) -> None:
    name, first = deployed
    second = await upload_idle(parts.ipfs)
    await parts.node.deploy(name, second)
    await parts.node.deploy(f"{name}/other", second)
    try:
        listed = {one.deployment: one.names for one in await parts.node.listed()}
        assert listed[second] == (name, f"{name}/other")
        assert first not in listed
        everything = {one.deployment: one for one in await parts.node.listed(everything=True)}
        assert (everything[first].names, everything[first].node) == ((), None)
        assert everything.keys() > listed.keys()
    finally:
        await parts.node.remove(f"{name}/other")


async def test_what_graph_node_refuses_has_a_kind(parts: Parts) -> None:
    with pytest.raises(InvalidSubgraphName):
        await parts.node.admin.create("a//b")
    with pytest.raises(SubgraphNotFound, match="subgraph name not found: test/none"):
        await parts.node.admin.deploy("test/none", await upload_idle(parts.ipfs))
    with pytest.raises(DeployRefused, match="cannot deploy"):
        await parts.node.deploy("test/nowhere", NOWHERE)
    with pytest.raises(DeploymentNotFound):
        await parts.node.find("test/never")
    with pytest.raises(DeploymentNotFound):
        await parts.node.resume(NOWHERE)
    wrong_network = await upload_idle(parts.ipfs, network="mainnet")
    with pytest.raises(DeployRefused, match="mainnet"):
        await parts.node.deploy("test/mainnet", wrong_network)
    with pytest.raises(QueryFailed, match="does not exist"):
        await parts.node.indexed("test/never")


async def test_a_name_that_nothing_has_is_told_with_the_nearest_one(
    parts: Parts, deployed: tuple[str, str]
) -> None:
    name, deployment = deployed
    await wait_for_sync(parts.node, parts.chain, name, timeout_s=30, mine=True)
    assert await parts.node.names_of(deployment) == (name,)
    assert await parts.node.names_of(NOWHERE) == ()
    meant = f'did you mean "{name}"?'
    with pytest.raises(DeploymentNotFound, match="nothing of it is deployed") as unknown:
        await parts.node.find(name[:-1])
    assert unknown.value.hint == meant
    for asking in (
        parts.node.query(name[:-1], "{ nothings { id } }"),
        wait_for_sync(parts.node, parts.chain, name[:-1]),
    ):
        with pytest.raises(QueryFailed, match="does not exist") as asked:
            await asking
        assert asked.value.hint == meant


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("{ nothigns { id } }", 'did you mean "nothings"?'),
        ("{ nothings { idd } }", 'did you mean "id"?'),
        ("{ nothings { name } }", "known: id"),
        (
            "{ nothigns { id } meta { deployment } }",
            'did you mean "nothings"?; did you mean "_meta"?',
        ),
        ("{ nothings(first: -1) { id } }", None),
    ],
)
async def test_a_field_that_a_subgraph_does_not_have_is_told_with_the_nearest_one(
    parts: Parts, deployed: tuple[str, str], query: str, hint: str | None
) -> None:
    await wait_for_sync(parts.node, parts.chain, deployed[0], timeout_s=30, mine=True)
    with pytest.raises(QueryFailed) as asked:
        await parts.node.query(deployed[0], query)
    assert asked.value.hint == hint, asked.value
