"""Whether what a graph-node has indexed is of the chain that it is to go on with.

A chain that was lost begins anew, and its database does not. graph-node starts all the same: it
takes over blocks of the new chain and has those of the old one still; its subgraphs stay for ever
at blocks that this chain never had, or go back and forth between the two.

The first block tells chains apart, also after blocks were undone or a snapshot was restored:
graph-node notes its hash when it sees a chain for the first time, and keeps to that. That alone is
no fault: a chain whose state was loaded after that begins with another block, too.

Source: graph-node, table `public.ethereum_networks`; seen with version 0.45.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from graph_test_daemon.chain import Chain
from graph_test_daemon.postgres import Database

from .errors import AnotherChain
from .node import GraphNode
from .status import BlockPointer

__all__ = ["check_same_chain"]

_IS_NODES = "SELECT to_regclass('public.ethereum_networks') IS NOT NULL"
_NOTED = """
    SELECT '0x' || genesis_block_hash, head_block_number, '0x' || head_block_hash
    FROM public.ethereum_networks
"""


async def check_same_chain(node: GraphNode, chain: Chain, databases: Iterable[Database]) -> None:
    """Raise where what was indexed is of a chain that is not there any more.

    Args:
        node: that has indexed it.
        chain: that it is to index.
        databases: where the node may have noted which chains it knows; where none of them has,
            blocks that are not the chain's may have been undone, and nothing is said.

    Raises:
        AnotherChain: it is.
    """
    noted = [each for database in databases for each in await _noted(database)]
    first = await chain.block(0)
    if first is None or not noted or first.hash in {each.first for each in noted}:
        return
    async for what, at in _indexed(node, noted):
        if not await chain.has(at.number, at.hash):
            head = await chain.block_number()
            raise AnotherChain(what=what, at=at.number, block_hash=at.hash, head=head)


@dataclass(frozen=True, slots=True)
class _Noted:
    """What a node has noted of a chain: the hash of its first block, and its newest block."""

    first: str
    head: BlockPointer | None


async def _noted(database: Database) -> list[_Noted]:
    if not (await database.query(_IS_NODES)).value():
        return []
    found = await database.query(_NOTED)
    return [
        _Noted(first, None if number is None else BlockPointer(number=number, hash=hash_))
        for first, number, hash_ in found.rows
        if first is not None
    ]


async def _indexed(
    node: GraphNode, noted: Iterable[_Noted]
) -> AsyncIterator[tuple[str, BlockPointer]]:
    """Yield what should be of the chain: where subgraphs that are indexed are, and the head."""
    for status in await node.statuses():
        if status.node is not None and status.latest is not None:
            yield status.deployment, status.latest
    for each in noted:
        if each.head is not None:
            yield "graph-node", each.head
