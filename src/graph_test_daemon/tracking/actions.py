"""Typed actions on what is remembered of a stack, for a service type to have.

A service type derives from `TrackedActions` and says which node answers queries and which chain
knows the transactions. What is done in the stack it tells its `tracker`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from graph_test_daemon.chain import Chain
from graph_test_daemon.graph_node import GraphNode
from harness.actions import Call, Service, ServiceType, action
from harness.errors import InvalidParameters

from .comparing import Rules
from .events import (
    AllocationRestored,
    AllocationUndone,
    QueryCompared,
    QueryKept,
    TransactionDropped,
    TransactionMoved,
)
from .query_snapshots import QueryComparison
from .records import (
    Allocation,
    AllocationState,
    BlockAt,
    Deployment,
    DeploymentState,
    GraftChain,
    Note,
    QuerySnapshot,
    Transaction,
    TransactionState,
)
from .tracker import Tracker

__all__ = [
    "KeptQuery",
    "TrackedActions",
]

_DIRECTORY = "tracking"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptQuery:
    """A snapshot of a query's result, without the result.

    Attributes:
        name: of the snapshot.
        subgraph: whom it was asked.
        query: GraphQL.
        block: as of which it was answered.
        taken_at: when.
    """

    name: str
    subgraph: str
    query: str
    block: BlockAt
    taken_at: datetime


class TrackedActions(ServiceType):
    """Remembers what is done in a stack, and keeps and compares the results of queries.

    Attributes:
        tracker: what is remembered; it is part of the stack's snapshots.
    """

    snapshot_timeout_s = 60.0
    restore_timeout_s = 60.0

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._tracker: Tracker | None = None

    @property
    @abstractmethod
    def node(self) -> GraphNode:
        """The node that answers queries."""

    @property
    @abstractmethod
    def chain(self) -> Chain:
        """The chain that transactions are in."""

    @property
    def tracker(self) -> Tracker:
        """What is remembered."""
        if self._tracker is None:
            self._tracker = Tracker(self.service.data_dir / _DIRECTORY)
        return self._tracker

    async def aclose(self) -> None:
        """Close the file."""
        await super().aclose()
        if self._tracker is not None:
            await self._tracker.aclose()

    async def snapshot(self, call: Call, directory: Path) -> None:
        """Write what is remembered into a directory."""
        await self.tracker.journal.export_to(directory / _DIRECTORY)

    async def restore(self, call: Call, directory: Path) -> None:
        """Remember what was remembered when the snapshot was taken, and nothing else."""
        await self.tracker.journal.import_from(directory / _DIRECTORY)

    # ── deployments ──────────────────────────────────────────────────────────────────────────────

    @action()
    async def list_deployments(
        self,
        name: str | None = None,
        network: str | None = None,
        state: DeploymentState | None = None,
    ) -> list[Deployment]:
        """Return the deployments of the stack, oldest first.

        Args:
            name: only those under this name.
            network: only those that index this one.
            state: only those of which this has become.
        """
        return await self.tracker.all(Deployment, name=name, network=network, state=state)

    @action()
    async def list_graft_chains(self) -> list[GraftChain]:
        """Return the chains of grafts of the stack, oldest first."""
        return await self.tracker.all(GraftChain)

    @action()
    async def graft_lineage(self, deployment: str) -> list[str]:
        """Return the ids of what a deployment goes on from, oldest first, and its own at the end.

        Args:
            deployment: its id.
        """
        return await self.tracker.lineage(deployment)

    # ── allocations and transactions ─────────────────────────────────────────────────────────────

    @action()
    async def list_allocations(
        self,
        indexer: str | None = None,
        deployment: str | None = None,
        state: AllocationState | None = None,
    ) -> list[Allocation]:
        """Return the allocations that the stack's actions have opened, oldest first.

        Args:
            indexer: only those of this address.
            deployment: only those on the deployment of this id.
            state: only those that are open, or those that are closed.
        """
        of = None if indexer is None else indexer.lower()
        return await self.tracker.all(Allocation, indexer=of, deployment=deployment, state=state)

    @action()
    async def list_transactions(
        self,
        sender: str | None = None,
        to: str | None = None,
        what: str | None = None,
        state: TransactionState | None = None,
        succeeded: bool | None = None,
        limit: int = 100,
    ) -> list[Transaction]:
        """Return the newest transactions that the stack's actions have sent, oldest first.

        Args:
            sender: only those of this address.
            to: only those to the contract of this address.
            what: only those of this name, such as `Staking.allocate`.
            state: only those that are in the chain, or those that a reorg has dropped.
            succeeded: only those that were not reverted, or those that were.
            limit: how many at most.
        """
        found = await self.tracker.all(
            Transaction,
            sender=None if sender is None else sender.lower(),
            to=None if to is None else to.lower(),
            what=what,
            state=state,
            succeeded=succeeded,
        )
        return found[-limit:] if limit > 0 else []

    @action(events=[TransactionDropped, TransactionMoved, AllocationUndone, AllocationRestored])
    async def follow_reorg(self, call: Call, since: int = 0) -> list[Transaction]:
        """Look which transactions a reorg has dropped, moved or brought back; return these.

        Allocations that they opened or closed follow.

        Args:
            since: height of the first block that may have become another one.
        """
        changed = await self.tracker.follow_reorg(self.chain, since=since)
        for record in changed:
            is_dropped = record.state is TransactionState.DROPPED
            event = TransactionDropped if is_dropped else TransactionMoved
            await call.emit(event(hash=record.hash, what=record.what, block=record.block.number))
        for before, after in await self.tracker.follow_allocations(self.chain, since=since):
            if after.state is not before.state:
                is_back = before.state is AllocationState.UNDONE
                told = AllocationRestored if is_back else AllocationUndone
                await call.emit(told(allocation=after.id, state=after.state))
        await self.brought_back(
            [record for record in changed if record.state is TransactionState.INCLUDED]
        )
        return changed

    async def brought_back(self, transactions: Sequence[Transaction]) -> None:
        """Remember anew what transactions did that are in other blocks now; by default nothing.

        A service type that can read their events does; see `NetworkBase`.
        """

    # ── queries ──────────────────────────────────────────────────────────────────────────────────

    @action(events=[QueryKept])
    async def query_snapshot(
        self,
        call: Call,
        name: str,
        subgraph: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        block: int | None = None,
        replace: bool = False,
    ) -> QuerySnapshot:
        """Query a subgraph and keep the result under a name.

        Args:
            name: of the snapshot.
            subgraph: its name, or the id of a deployment.
            query: GraphQL.
            variables: of the query, by name.
            block: have it answered as of this block; the newest that is indexed unless given.
            replace: a snapshot of the same name.
        """
        kept = await self.tracker.queries.keep(
            self.node,
            name,
            subgraph=subgraph,
            query=query,
            variables=variables,
            block=block,
            replace=replace,
        )
        await call.emit(QueryKept(name=name, subgraph=subgraph, block=kept.block.number))
        return kept

    @action(events=[QueryCompared])
    async def compare_query(
        self,
        call: Call,
        name: str,
        other: str | None = None,
        block: int | None = None,
        same_block: bool = False,
        ignore: Sequence[str] = (),
        ordered: bool = False,
        numeric_text: bool = False,
        require: bool = False,
    ) -> QueryComparison:
        """Compare a kept result with what is answered now, or with another kept one.

        Lists of objects that have an `id` are compared by it, in whatever order.

        Args:
            name: of the snapshot.
            other: of a later one; what is answered now unless given.
            block: have it answered as of this block; the newest that is indexed unless given.
            same_block: have it answered as of the block of the snapshot's result.
            ignore: fields and paths, such as `_meta`, `*.blockNumber` or `tokens[id=0x1].balance`;
                a name alone is that field wherever it is.
            ordered: the order of lists counts.
            numeric_text: texts such as "1" and "1.0" are the numbers that they say.
            require: fail unless they are equal.
        """
        if [other is not None, block is not None, same_block].count(True) > 1:
            raise InvalidParameters(
                f'cannot compare "{name}" with two things at once: of `other`, `block` and '
                "`same_block` only one says what with"
            )
        rules = Rules(ignore=tuple(ignore), ordered=ordered, numeric_text=numeric_text)
        if other is None:
            found = await self.tracker.queries.compare_now(
                self.node, name, rules, block=block, same_block=same_block
            )
        else:
            found = await self.tracker.queries.compare_kept(name, other, rules)
        await call.emit(QueryCompared(name=name, other=other, equal=found.equal, count=found.count))
        if require:
            found.require()
        return found

    @action()
    async def list_query_snapshots(self, subgraph: str | None = None) -> list[KeptQuery]:
        """Return the results of queries that are kept, without the data, oldest first.

        Args:
            subgraph: only those that this one has answered, by the name or id that was asked.
        """
        return [
            KeptQuery(
                name=kept.name,
                subgraph=kept.subgraph,
                query=kept.query,
                block=kept.block,
                taken_at=kept.taken_at,
            )
            for kept in await self.tracker.all(QuerySnapshot, subgraph=subgraph)
        ]

    @action()
    async def kept_query(self, name: str) -> QuerySnapshot:
        """Return a result of a query that is kept.

        Args:
            name: of the snapshot.
        """
        return await self.tracker.record(QuerySnapshot, name)

    # ── what is remembered as such ───────────────────────────────────────────────────────────────

    @action()
    async def forget(self, kind: str, key: str | None = None) -> int:
        """Forget one record, or all of a kind; return how many there were.

        Args:
            kind: deployment, graft-chain, allocation, transaction, query-snapshot or note.
            key: an allocation's id, a transaction's hash, a snapshot's or chain's or note's name,
                or `NAME@ID` of a deployment; all of the kind unless given.
        """
        return await self.tracker.forget(kind, key)

    @action()
    async def begin_anew(self) -> int:
        """Forget all that was on a chain that is no more; return how many records that were.

        The notes tell it, with how often. Results of queries that are kept stay.
        """
        return await self.tracker.begin_anew("the chain began anew, and what was on it is gone")

    @action()
    async def list_notes(self) -> list[Note]:
        """Return what has become of records that nobody asked for, such as old ones that went."""
        return await self.tracker.all(Note)
