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
from .store import NotedChain, Store

__all__ = ["check_same_chain"]


async def check_same_chain(node: GraphNode, chain: Chain) -> None:
    """Raise where what was indexed is of blocks that are not there any more.

    Args:
        node: that has indexed it. Where its store is not known, blocks that are not the chain's may
            have been undone, and nothing is said.
        chain: that it is to index.

    Raises:
        AnotherChain: they are of another chain, or more than the node can undo.
        DatabaseError: the node's store cannot be asked.
    """
    store = node.store
    noted = [] if store is None else await store.chains()
    first = await chain.block(0)
    if store is None or first is None or not noted:
        return
    is_same = first.hash in {each.first for each in noted}
    cause = "it has lost more blocks than can be undone" if is_same else "it is another chain"
    async for what, at in _indexed(node, () if is_same else noted):
        if await chain.has(at.number, at.hash) or (
            is_same and await _can_go_back(store, chain, at)
        ):
            continue
        head = await chain.block_number()
        raise AnotherChain(what=what, at=at.number, block_hash=at.hash, head=head, cause=cause)


async def _can_go_back(store: Store, chain: Chain, at: BlockPointer) -> bool:
    """Tell whether a node can go back from a block that is not the chain's.

    The chain tells of blocks that it has undone in the same run; of others the node must have kept
    each, back to one that is the chain's.
    """
    if await chain.block(at.hash) is not None:
        return True
    oldest = await store.goes_back_to(at)
    return await chain.has(oldest.number, oldest.hash)


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
