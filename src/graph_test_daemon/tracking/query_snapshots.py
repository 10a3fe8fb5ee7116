"""Results of queries that are kept, and what a subgraph answers to the same query otherwise.

A result is of one block: the query is asked as of it, so that nothing that is indexed meanwhile is
in one part of the answer and not in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from graph_test_daemon.graph_node import Indexed, NotSynced, at_block

from .comparing import Comparison, Difference, Rules, compare
from .errors import ResultsDiffer
from .records import BlockAt, QuerySnapshot

__all__ = ["Queries", "QueryComparison", "compared", "retaken", "taken"]


class Queries(Protocol):
    """What answers queries: a graph-node."""

    async def query(
        self, subgraph: str, text: str, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Query a subgraph; return the data."""

    async def indexed(self, subgraph: str) -> Indexed | None:
        """Return how far queries of a subgraph are; None before its first block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryComparison:
    """How two results of a query differ.

    Attributes:
        name: of the snapshot that is compared.
        other: what with: the name of another snapshot; None: what is answered now.
        block: as of which the snapshot's result is.
        other_block: as of which the other one is.
        equal: nothing differs.
        count: how many differences there are.
        differences: the first of them.
        summary: the first few in words, a line each.
    """

    name: str
    other: str | None
    block: BlockAt
    other_block: BlockAt
    equal: bool
    count: int
    differences: tuple[Difference, ...]
    summary: str

    def require(self) -> None:
        """Do nothing if they are equal.

        Raises:
            ResultsDiffer: they are not.
        """
        if not self.equal:
            other = "what is answered now" if self.other is None else f'"{self.other}"'
            raise ResultsDiffer(name=self.name, other=other, count=self.count, summary=self.summary)


async def taken(
    node: Queries,
    *,
    name: str,
    subgraph: str,
    query: str,
    variables: Mapping[str, Any] | None = None,
    block: int | None = None,
    at: datetime,
) -> QuerySnapshot:
    """Query a subgraph as of a block; return the result as a snapshot.

    Args:
        node: who answers.
        name: of the snapshot.
        subgraph: its name, or the id of a deployment.
        query: GraphQL.
        variables: of the query, by name.
        block: its height; None: the newest that is indexed.
        at: the time now.

    Raises:
        NotSynced: it has no block yet.
        QueryFailed: it answered with errors.
        QueryInvalid: the query is no GraphQL.
    """
    where = await _newest(node, subgraph) if block is None else BlockAt(number=block)
    result = await node.query(subgraph, at_block(query, where.number), variables)
    return QuerySnapshot(
        name=name,
        subgraph=subgraph,
        query=query,
        variables=dict(variables or {}),
        block=where,
        result=result,
        taken_at=at,
    )


async def retaken(
    node: Queries, snapshot: QuerySnapshot, *, block: int | None, at: datetime
) -> QuerySnapshot:
    """Ask a snapshot's query again, as of a block; None: the newest. Raises what `taken` does."""
    return await taken(
        node,
        name=snapshot.name,
        subgraph=snapshot.subgraph,
        query=snapshot.query,
        variables=snapshot.variables,
        block=block,
        at=at,
    )


def compared(
    snapshot: QuerySnapshot, other: QuerySnapshot, rules: Rules, *, is_present: bool
) -> QueryComparison:
    """Compare two results.

    Args:
        snapshot: the one that was there before.
        other: the one after it.
        rules: what counts as a difference.
        is_present: the other one is what is answered now, and not kept.

    Raises:
        RecordInvalid: a path of the rules is none.
    """
    found = Comparison.of(compare(snapshot.result, other.result, rules))
    return QueryComparison(
        name=snapshot.name,
        other=None if is_present else other.name,
        block=snapshot.block,
        other_block=other.block,
        equal=found.equal,
        count=found.count,
        differences=found.differences,
        summary=found.summary,
    )


async def _newest(node: Queries, subgraph: str) -> BlockAt:
    indexed = await node.indexed(subgraph)
    if indexed is None:
        raise NotSynced(
            deployment=subgraph,
            at=None,
            wanted=0,
            cause="it has indexed no block yet",
            hint="wait for it with wait-for-sync",
        )
    return BlockAt(number=indexed.block.number, hash=indexed.block.hash)
