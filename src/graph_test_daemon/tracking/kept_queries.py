"""Results of queries among what is remembered: taking them, and comparing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import anyio.to_thread

from .comparing import Rules
from .database import Records
from .errors import RecordExists
from .journal import Journal
from .naming import checked_name, found
from .query_snapshots import Queries, QueryComparison, compared, retaken, taken
from .records import QuerySnapshot

__all__ = ["KeptQueries"]


class KeptQueries:
    """The results that a journal keeps.

    Args:
        journal: where they are.
        now: tells the time.
    """

    def __init__(self, journal: Journal, *, now: Callable[[], datetime]) -> None:
        self._journal = journal
        self._now = now

    async def keep(
        self,
        node: Queries,
        name: str,
        *,
        subgraph: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        block: int | None = None,
        replace: bool = False,
    ) -> QuerySnapshot:
        """Query a subgraph and keep the result; see `query_snapshots.taken`.

        Args:
            node: who answers.
            name: of the snapshot.
            subgraph: its name, or the id of a deployment.
            query: GraphQL.
            variables: of the query, by name.
            block: its height; None: the newest that is indexed.
            replace: a snapshot of the same name.

        Raises:
            RecordExists: there is one of that name; nothing was changed.
            RecordInvalid: it is no name.
        """

        def check(records: Records) -> None:
            if records.find(QuerySnapshot, checked_name(name)) is not None and not replace:
                raise RecordExists(
                    f'cannot keep a result as "{name}": there is a snapshot of that name',
                    hint="take another name, or `replace` it",
                )

        def keep(records: Records) -> None:
            check(records)
            records.put(snapshot, newest=True)

        await self._journal.do(check)
        snapshot = await taken(
            node,
            name=name,
            subgraph=subgraph,
            query=query,
            variables=variables,
            block=block,
            at=self._now(),
        )
        await self._journal.do(keep)
        return snapshot

    async def compare_kept(self, name: str, other: str, rules: Rules) -> QueryComparison:
        """Compare a snapshot with a later one.

        Raises:
            RecordNotFound: there is none of one of the names.
        """
        before, after = await self._journal.do(
            lambda records: (
                found(records, QuerySnapshot, name),
                found(records, QuerySnapshot, other),
            )
        )
        return await _compared(before, after, rules, is_present=False)

    async def compare_now(
        self,
        node: Queries,
        name: str,
        rules: Rules,
        *,
        block: int | None = None,
        same_block: bool = False,
    ) -> QueryComparison:
        """Compare a snapshot with what is answered to its query now.

        Args:
            node: who answers.
            name: of the snapshot.
            rules: what counts as a difference.
            block: as of which it is asked; None: the newest that is indexed.
            same_block: as of the block of the snapshot's result.

        Raises:
            RecordNotFound: there is none of that name.
        """
        before = await self._journal.do(lambda records: found(records, QuerySnapshot, name))
        at = before.block.number if same_block else block
        after = await retaken(node, before, block=at, at=self._now())
        return await _compared(before, after, rules, is_present=True)


async def _compared(
    before: QuerySnapshot, after: QuerySnapshot, rules: Rules, *, is_present: bool
) -> QueryComparison:
    """Compare in a thread: results may be large."""
    return await anyio.to_thread.run_sync(
        partial(compared, before, after, rules, is_present=is_present)
    )
