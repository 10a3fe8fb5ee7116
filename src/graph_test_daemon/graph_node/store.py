"""The database of a graph-node: what it has noted of chains, and how it is told to look again.

graph-node learns of a new block by a notification of its database. Now and then a subgraph that was
just deployed misses the last one, and waits on a chain where nothing happens until there is another
block. The same notification, sent again, has it go on.

Source: graph-node, `store/postgres/src/chain_head_listener` and table `public.ethereum_networks`;
seen with version 0.45.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graph_test_daemon.postgres import Database

from .status import BlockPointer

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["NotedChain", "Store"]

_IS_NODES = "SELECT to_regclass('public.ethereum_networks') IS NOT NULL"
_NOTED = """
    SELECT '0x' || genesis_block_hash, head_block_number, '0x' || head_block_hash
    FROM public.ethereum_networks WHERE genesis_block_hash IS NOT NULL
"""
_REMIND = """
    SELECT pg_notify('chain_head_updates', json_build_object(
        'network_name', name,
        'head_block_hash', head_block_hash,
        'head_block_number', head_block_number
    )::text)
    FROM public.ethereum_networks WHERE head_block_number IS NOT NULL
"""
_NAMESPACES = """
    SELECT table_schema FROM information_schema.tables
    WHERE table_name = 'blocks' AND table_schema ~ '^chain[0-9]+$'
"""
_OLDEST = """
    WITH RECURSIVE line(number, parent_hash) AS (
        SELECT number, parent_hash FROM {namespace}.blocks WHERE hash = decode(%s, 'hex')
        UNION ALL
        SELECT before.number, before.parent_hash FROM {namespace}.blocks before
        JOIN line ON before.hash = line.parent_hash
    )
    SELECT number - 1, '0x' || encode(parent_hash, 'hex') FROM line ORDER BY number LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedChain:
    """A chain as a node has noted it.

    Attributes:
        first: hash of its first block, with 0x; never changed.
        head: the newest block that the node knows; None: none yet.
    """

    first: str
    head: BlockPointer | None


class Store:
    """Where a node keeps what it has indexed.

    Args:
        databases: finds those that may be it; what belongs to no graph-node is left alone.
    """

    def __init__(self, databases: Callable[[], Awaitable[Sequence[Database]]]) -> None:
        self._databases = databases

    async def chains(self) -> list[NotedChain]:
        """Return the chains that are noted.

        Raises:
            DatabaseError: it cannot be asked.
        """
        return [
            NotedChain(
                first=first,
                head=None if number is None else BlockPointer(number=number, hash=hash_),
            )
            for first, number, hash_ in await self._asked(lambda its: its.execute(_NOTED))
        ]

    async def goes_back_to(self, block: BlockPointer) -> BlockPointer:
        """Return the oldest block that the node can go back to from a block, by what it has kept.

        That is the parent of the last one in an unbroken line of kept blocks; the block itself
        where it is not kept.

        Raises:
            DatabaseError: it cannot be asked.
        """

        def oldest(its: Connection) -> Iterator[tuple[Any, ...]]:
            for (namespace,) in its.execute(_NAMESPACES).fetchall():
                sql = _OLDEST.format(namespace=namespace).encode()
                yield from its.execute(sql, [block.hash.removeprefix("0x")])

        kept = await self._asked(oldest)
        return BlockPointer(number=kept[0][0], hash=kept[0][1]) if kept else block

    async def remind(self) -> None:
        """Tell all subgraphs again which block is the newest that the node knows.

        Raises:
            DatabaseError: it cannot be told.
        """
        await self._asked(lambda its: its.execute(_REMIND))

    async def _asked(
        self, ask: Callable[[Connection], Iterable[tuple[Any, ...]]]
    ) -> list[tuple[Any, ...]]:
        """Return what those that are its own answer, with one connection to each."""

        def work(connection: Connection) -> list[tuple[Any, ...]]:
            is_its_own = connection.execute(_IS_NODES).fetchone() == (True,)
            return list(ask(connection)) if is_its_own else []

        found = []
        for database in await self._databases():
            found += await database.run(work, what="ask for the chains of graph-node")
        return found
