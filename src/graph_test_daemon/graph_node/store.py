"""The database of a graph-node: what it has noted of chains, and how it is told to look again.

graph-node learns of a new block by a notification of its database. Now and then a subgraph that was
just deployed misses the last one, and waits on a chain where nothing happens until there is another
block. The same notification, sent again, has it go on.

Source: graph-node, `store/postgres/src/chain_head_listener` and table `public.ethereum_networks`;
seen with version 0.45.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

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
        SELECT number, parent_hash FROM {namespace}.blocks WHERE hash = decode($1, 'hex')
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
            for first, number, hash_ in await self._rows(_NOTED)
        ]

    async def goes_back_to(self, block: BlockPointer) -> BlockPointer:
        """Return the oldest block that the node can go back to from a block, by what it has kept.

        That is the parent of the last one in an unbroken line of kept blocks; the block itself
        where it is not kept.

        Raises:
            DatabaseError: it cannot be asked.
        """
        for database in await self._its_own():
            for (namespace,) in (await database.query(_NAMESPACES)).rows:
                sql = _OLDEST.format(namespace=namespace)
                for number, hash_ in (await database.query(sql, [block.hash[2:]])).rows:
                    return BlockPointer(number=number, hash=hash_)
        return block

    async def remind(self) -> None:
        """Tell all subgraphs again which block is the newest that the node knows.

        Raises:
            DatabaseError: it cannot be told.
        """
        await self._rows(_REMIND)

    async def _rows(self, sql: LiteralString) -> list[tuple[Any, ...]]:
        """Run a statement on those that are its own, with one connection to each."""

        def work(connection: Connection) -> list[tuple[Any, ...]]:
            is_its_own = connection.execute(_IS_NODES).fetchone() == (True,)
            return connection.execute(sql).fetchall() if is_its_own else []

        found = []
        for database in await self._databases():
            found += await database.run(work, what="ask for the chains of graph-node")
        return found

    async def _its_own(self) -> list[Database]:
        return [
            database
            for database in await self._databases()
            if (await database.query(_IS_NODES)).value()
        ]
