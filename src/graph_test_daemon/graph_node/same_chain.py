"""Whether what a graph-node has indexed is of the chain that it is to go on with.

A chain that was lost begins anew, and its database does not. graph-node starts all the same: it
takes over blocks of the new chain and has those of the old one still; its subgraphs stay for ever
at blocks that this chain never had, or go back and forth between the two.

The first block tells chains apart, also after blocks were undone or a snapshot was restored:
graph-node notes its hash when it sees a chain for the first time, and keeps to that. That alone is
no fault: a chain whose state was loaded after that begins with another block, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from graph_test_daemon.chain import Chain

from .errors import AnotherChain
from .node import GraphNode
from .status import BlockPointer
from .store import NotedChain

__all__ = ["check_same_chain"]


async def check_same_chain(node: GraphNode, chain: Chain) -> None:
    """Raise where what was indexed is of a chain that is not there any more.

    Args:
        node: that has indexed it. Where its store is not known, blocks that are not the chain's may
            have been undone, and nothing is said.
        chain: that it is to index.

    Raises:
        AnotherChain: it is.
        DatabaseError: the node's store cannot be asked.
    """
    noted = [] if node.store is None else await node.store.chains()
    first = await chain.block(0)
    if first is None or not noted or first.hash in {each.first for each in noted}:
        return
    async for what, at in _indexed(node, noted):
        if not await chain.has(at.number, at.hash):
            head = await chain.block_number()
            raise AnotherChain(what=what, at=at.number, block_hash=at.hash, head=head)


async def _indexed(
    node: GraphNode, noted: Iterable[NotedChain]
) -> AsyncIterator[tuple[str, BlockPointer]]:
    """Yield what should be of the chain: where subgraphs that are indexed are, and the head."""
    for status in await node.statuses():
        if status.node is not None and status.latest is not None:
            yield status.deployment, status.latest
    for each in noted:
        if each.head is not None:
            yield "graph-node", each.head
