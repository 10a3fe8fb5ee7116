"""Results of a real graph-node's queries are kept and compared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from graph_test_daemon.chain import Chain
from graph_test_daemon.errors import QueryFailed
from graph_test_daemon.graph_node import GraphNode, NodeUrls, wait_for_sync
from graph_test_daemon.ipfs import Ipfs
from graph_test_daemon.tracking import Rules, Tracker
from harness.testing import Stack

from .subgraphs import upload_idle

pytestmark = [pytest.mark.usefixtures("graph_tools"), pytest.mark.timeout(60)]

QUERY = "query($first: Int!) { nothings(first: $first) { id } _meta { block { number } } }"


@dataclass
class Indexed:
    """A subgraph that has indexed the chain, and what is remembered of it."""

    node: GraphNode
    chain: Chain
    tracker: Tracker
    subgraph: str

    async def mine(self) -> int:
        """Mine a block; return its height when it is indexed."""
        await self.chain.rpc.call("anvil_mine", [1])
        return (await wait_for_sync(self.node, self.chain, self.subgraph, mine=True)).block.number


@asynccontextmanager
async def indexed(stack: Stack, directory: Path) -> AsyncIterator[Indexed]:
    url = stack["graph-node"].url
    node = GraphNode(NodeUrls(query=url("query"), admin=url("admin"), status=url("status")))
    chain, ipfs = Chain(stack["chain"].url()), Ipfs(stack["ipfs"].url())
    tracker = Tracker(directory)
    try:
        deployment = await upload_idle(ipfs)
        await node.deploy(f"kept/n{deployment[-20:].lower()}a", deployment)
        yield Indexed(node, chain, tracker, deployment)
    finally:
        for client in (node, chain, ipfs, tracker):
            await client.aclose()


async def test_a_result_is_as_of_its_block(graph: Stack, tmp_path: Path) -> None:
    async with indexed(graph, tmp_path) as parts:
        queries, subgraph = parts.tracker.queries, parts.subgraph
        first = await parts.mine()
        kept = await queries.keep(
            parts.node, "before", subgraph=subgraph, query=QUERY, variables={"first": 5}
        )
        assert kept.result == {"nothings": [], "_meta": {"block": {"number": first}}}
        block = await parts.chain.block(first)
        assert block is not None
        assert (kept.block.number, kept.block.hash) == (first, block.hash)

        second = await parts.mine()
        now = await queries.compare_now(parts.node, "before", Rules())
        assert now.summary == f"_meta.block.number: {first} became {second}"
        assert now.other_block.number == second
        ignoring = Rules(ignore=["_meta"])
        assert (await queries.compare_now(parts.node, "before", ignoring)).equal
        same = await queries.compare_now(parts.node, "before", Rules(), same_block=True)
        assert same.equal


async def test_a_block_that_is_not_indexed_cannot_be_kept(graph: Stack, tmp_path: Path) -> None:
    async with indexed(graph, tmp_path) as parts:
        head = await parts.mine()
        with pytest.raises(QueryFailed, match="block"):
            await parts.tracker.queries.keep(
                parts.node,
                "future",
                subgraph=parts.subgraph,
                query="{ nothings { id } }",
                block=head + 1000,
            )
