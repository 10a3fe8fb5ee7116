"""A graph-node's database: what is noted there of the chain, and telling subgraphs again of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import psycopg
import pytest

from graph_test_daemon.chain import Chain
from graph_test_daemon.graph_node import GraphNode, NodeUrls, NotSynced, Store, wait_for_sync
from graph_test_daemon.ipfs import Ipfs
from graph_test_daemon.postgres import Database
from graph_test_daemon.postgres.wanted import address_of
from harness.testing import Stack

from .subgraphs import upload_idle

pytestmark = [pytest.mark.usefixtures("graph_tools"), pytest.mark.timeout(60)]


@pytest.fixture
def database(graph: Stack) -> Database:
    return Database(address_of(graph["postgres"].url(), {}, Path())).on("graph-node")


@pytest.fixture
async def chain(graph: Stack) -> AsyncIterator[Chain]:
    chain = Chain(graph["chain"].url())
    yield chain
    await chain.aclose()


@pytest.fixture
async def node_with(graph: Stack) -> AsyncIterator[Callable[..., Awaitable[GraphNode]]]:
    """Give a node whose store is among databases, and that indexes `test/idle`."""
    url = graph["graph-node"].url
    urls = NodeUrls(query=url("query"), admin=url("admin"), status=url("status"))
    made: list[GraphNode] = []

    async def make(*databases: Database) -> GraphNode:
        async def found() -> tuple[Database, ...]:
            return databases

        node = GraphNode(urls, store=Store(found))
        made.append(node)
        await node.deploy("test/idle", await upload_idle(ipfs))
        return node

    ipfs = Ipfs(graph["ipfs"].url())
    yield make
    await ipfs.aclose()
    for node in made:
        await node.remove("test/idle")
        await node.aclose()


async def told(database: Database, waiting: Callable[[], Awaitable[Any]]) -> list[dict[str, Any]]:
    """Return the notes that a node's listener would hear meanwhile."""
    connection = await anyio.to_thread.run_sync(database.address.connect)
    with connection:
        connection.execute("LISTEN chain_head_updates")
        connection.commit()
        await waiting()
        heard: list[psycopg.Notify] = await anyio.to_thread.run_sync(
            lambda: list(connection.notifies(timeout=0.2))
        )
    return [json.loads(each.payload) for each in heard]


async def test_a_node_notes_the_chain_that_it_indexes(
    node_with: Callable[..., Awaitable[GraphNode]], database: Database, chain: Chain
) -> None:
    node = await node_with(database.on("postgres"), database)  # the first is not its own
    await wait_for_sync(node, chain, "test/idle", mine=True)
    assert node.store is not None
    (noted,) = await node.store.chains()
    first = await chain.block(0)
    assert first is not None
    assert noted.first == first.hash
    assert noted.head is not None
    assert await chain.has(noted.head.number, noted.head.hash)


async def test_subgraphs_are_told_again_of_the_head_where_nothing_moves(
    node_with: Callable[..., Awaitable[GraphNode]], database: Database, chain: Chain
) -> None:
    node = await node_with(database)
    await wait_for_sync(node, chain, "test/idle", mine=True)
    head = await chain.head()

    async def in_vain() -> None:
        with pytest.raises(NotSynced):
            await wait_for_sync(node, chain, "test/idle", block=head.number + 1, stall_s=2)

    heard = await told(database, in_vain)
    assert heard, "nobody was told"
    assert {(each["network_name"], each["head_block_number"]) for each in heard} == {
        ("hardhat", head.number)
    }
    assert {each["head_block_hash"] for each in heard} == {head.hash.removeprefix("0x")}
    assert await chain.head() == head


async def test_a_wait_goes_on_without_the_database(
    node_with: Callable[..., Awaitable[GraphNode]], database: Database, chain: Chain
) -> None:
    node = await node_with(Database("postgresql://postgres@127.0.0.1:1/postgres"))
    await wait_for_sync(node, chain, "test/idle", mine=True)
    wanted = await chain.block_number() + 1
    with pytest.raises(NotSynced, match="it has not moved for 1 s"):
        await wait_for_sync(node, chain, "test/idle", block=wanted, stall_s=1)
