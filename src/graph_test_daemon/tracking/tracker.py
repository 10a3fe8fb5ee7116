"""Remembers what is done in a stack, and tells it.

Whoever does something tells it here afterwards: nothing is looked for, and nothing is made up. All
of it survives the process; see `journal`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from graph_test_daemon.chain import Receipt

from .database import Records
from .documents import KINDS, R
from .errors import RecordInvalid, RecordNotFound
from .journal import Journal
from .kept_queries import KeptQueries
from .naming import checked_name, found
from .records import (
    Allocation,
    AllocationState,
    BlockAt,
    Deployment,
    DeploymentState,
    Graft,
    GraftChain,
    Moment,
    Record,
    Transaction,
    TransactionState,
)
from .reorgs import Blocks, after_reorg, allocations_after_reorg

__all__ = ["Tracker"]


_RESET = "reset"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Tracker:
    """What is remembered of one stack.

    Args:
        directory: where it is kept; made where it is not.
        now: tells the time.

    Attributes:
        journal: the records themselves.
        queries: results of queries among them.
    """

    def __init__(self, directory: Path, *, now: Callable[[], datetime] = _utc_now) -> None:
        self.journal = Journal(directory, now=now)
        self.queries = KeptQueries(self.journal, now=now)

    async def aclose(self) -> None:
        """Close its file; it may be used again."""
        await self.journal.aclose()

    # ── deployments ──────────────────────────────────────────────────────────────────────────────

    async def deployed(
        self,
        name: str,
        deployment: str,
        *,
        network: str,
        source_directory: Path | str | None = None,
        label: str | None = None,
        block: BlockAt | None = None,
        graft: Graft | None = None,
        subgraph_id: str | None = None,
    ) -> Deployment:
        """Remember that a name stands for a deployment now; the one before it is replaced.

        The arguments are as in `Deployment`. Told again of a deployment that the name stands for
        already, what is given newly is added, and the time stays.
        """
        given = {
            "source_directory": None if source_directory is None else str(source_directory),
            "label": label,
            "block": block,
            "graft": graft,
            "subgraph_id": subgraph_id,
        }

        def change(records: Records) -> Deployment:
            new = Deployment(
                name=checked_name(name),
                deployment=deployment,
                network=network,
                deployed_at=records.now,
                **given,  # type: ignore[arg-type]  # as the parameters say
            )
            for other in records.all(Deployment, name=name, state=DeploymentState.ACTIVE):
                if other.deployment != deployment:
                    records.put(_gone(other, DeploymentState.REPLACED, records.now))
            known = records.find(Deployment, new.key)
            is_active = known is not None and known.state is DeploymentState.ACTIVE
            if known is not None:
                # What a deployment grafts on is in its manifest, so it stays the same; likewise
                # the rest is so until something else is told.
                kept = {field: value for field, value in given.items() if value is not None}
                at = known.deployed_at if is_active else records.now
                new = replace(
                    known,
                    network=network,
                    deployed_at=at,
                    state=DeploymentState.ACTIVE,
                    removed_at=None,
                    **kept,  # type: ignore[arg-type]
                )
            records.put(new, newest=not is_active)
            return new

        return await self.journal.do(change)

    async def removed(self, name: str) -> Deployment | None:
        """Remember that a name is gone; return what it stood for, or None if that is not known."""

        def change(records: Records) -> Deployment | None:
            for known in records.all(Deployment, name=name, state=DeploymentState.ACTIVE):
                gone = _gone(known, DeploymentState.REMOVED, records.now)
                records.put(gone)
                return gone
            return None

        return await self.journal.do(change)

    async def published(self, deployment: str, subgraph_id: str) -> list[Deployment]:
        """Remember that a deployment is on the Graph Network; return its records.

        Raises:
            RecordNotFound: nothing is known of it.
        """

        def change(records: Records) -> list[Deployment]:
            known = records.all(Deployment, deployment=deployment)
            if not known:
                ids = [other.deployment for other in records.all(Deployment)]
                raise RecordNotFound.of("deployment", deployment, ids)
            published = [replace(record, subgraph_id=subgraph_id) for record in known]
            for record in published:
                records.put(record)
            return published

        return await self.journal.do(change)

    async def lineage(self, deployment: str) -> list[str]:
        """Return the ids of what a deployment goes on from, oldest first, and its own at the end.

        Of one that nothing is known of, nothing more than its id is told.
        """

        def follow(records: Records) -> list[str]:
            grafts = {r.deployment: r.graft for r in records.all(Deployment) if r.graft}
            line = [deployment]
            while (graft := grafts.get(line[-1])) and graft.base not in line:
                line.append(graft.base)
            return line[::-1]

        return await self.journal.do(follow)

    async def grafted(self, name: str, deployments: Sequence[str]) -> GraftChain:
        """Remember a chain of grafts under a name; one of the same name is replaced.

        Args:
            name: of the chain.
            deployments: their ids, the one that grafts on nothing first.
        """

        def change(records: Records) -> GraftChain:
            chain = GraftChain(
                name=checked_name(name), deployments=tuple(deployments), recorded_at=records.now
            )
            records.put(chain)
            return chain

        return await self.journal.do(change)

    # ── allocations and transactions ─────────────────────────────────────────────────────────────

    async def allocation_opened(
        self,
        allocation: str,
        *,
        indexer: str,
        deployment: str,
        tokens: int,
        at: Moment,
    ) -> Allocation:
        """Remember a new allocation by its id; the other arguments are as in `Allocation`."""
        opened = Allocation(
            id=allocation.lower(),
            indexer=indexer.lower(),
            deployment=deployment,
            tokens=tokens,
            opened=at,
        )
        await self.journal.do(lambda records: records.put(opened))
        return opened

    async def allocation_closed(
        self,
        allocation: str,
        *,
        at: Moment,
        poi: str | None,
        rewards: int | None,
    ) -> Allocation:
        """Remember how the allocation of an id was closed.

        Raises:
            RecordNotFound: nothing is known of it.
        """

        def change(records: Records) -> Allocation:
            known = found(records, Allocation, allocation.lower())
            closed = replace(
                known, closed=at, poi=poi, rewards=rewards, state=AllocationState.CLOSED
            )
            records.put(closed)
            return closed

        return await self.journal.do(change)

    async def sent(
        self, receipt: Receipt, *, sender: str, to: str | None, what: str
    ) -> Transaction:
        """Remember a transaction that is in a block.

        Args:
            receipt: how it went.
            sender: who sent it.
            to: the contract; None: it deployed one.
            what: in words of the contracts, such as `Staking.allocate`.
        """

        def change(records: Records) -> Transaction:
            key = receipt.transaction.lower()
            known = records.find(Transaction, key)
            sent = Transaction(
                hash=key,
                sender=sender.lower(),
                to=None if to is None else to.lower(),
                what=what,
                block=BlockAt(number=receipt.block_number, hash=receipt.block_hash),
                succeeded=receipt.succeeded,
                gas_used=receipt.gas_used,
                moved=0 if known is None else known.moved,
                recorded_at=records.now if known is None else known.recorded_at,
            )
            records.put(sent)
            return sent

        return await self.journal.do(change)

    async def follow_reorg(self, chain: Blocks, *, since: int = 0) -> list[Transaction]:
        """Look which transactions a reorg has dropped, moved or brought back; return these.

        Args:
            chain: where to look.
            since: height of the first block that may have become another one; what was dropped
                from a lower one is looked for all the same.
        """
        concerned = [
            record
            for record in await self.all(Transaction)
            if record.block.number >= since or record.state is TransactionState.DROPPED
        ]
        followed = await self._replace(concerned, await after_reorg(chain, concerned))
        return [after for _, after in followed]

    async def follow_allocations(
        self, chain: Blocks, *, since: int = 0
    ) -> list[tuple[Allocation, Allocation]]:
        """Look which allocations are another way since a reorg; return each as it was, and is now.

        Args:
            chain: where to look.
            since: height of the first block that may have become another one; those that were
                undone before are looked for all the same.
        """
        concerned = [
            record
            for record in await self.all(Allocation)
            if max(m.block for m in (record.opened, record.closed) if m is not None) >= since
            or record.state is AllocationState.UNDONE
        ]
        return await self._replace(concerned, await allocations_after_reorg(chain, concerned))

    async def _replace(self, read: Sequence[R], changed: Sequence[R]) -> list[tuple[R, R]]:
        """Put records that have changed, and return each with what was read of it.

        One that is not as it was read any more is left alone: whoever did that knows better.
        """
        before = {record.key: record for record in read}

        def change(records: Records) -> list[tuple[R, R]]:
            pairs = [(before[after.key], after) for after in changed]
            same = [pair for pair in pairs if records.find(type(pair[0]), pair[0].key) == pair[0]]
            for _, after in same:
                records.put(after)
            return same

        return await self.journal.do(change)

    # ── all kinds ────────────────────────────────────────────────────────────────────────────────

    async def record(self, of: type[R], key: str) -> R:
        """Return one record.

        Raises:
            RecordNotFound: there is none.
        """
        return await self.journal.do(lambda records: found(records, of, key))

    async def all(self, of: type[R], **fields: object) -> list[R]:
        """Return the records whose fields have these values, oldest first; None: any value."""
        return await self.journal.do(lambda records: records.all(of, **fields))

    async def begin_anew(self, why: str) -> int:
        """Forget all that was on a chain that is no more, and note that; return how much it was.

        Results of queries that are kept stay: they are there to be compared with later ones.

        Args:
            why: in the note.
        """

        def change(records: Records) -> int:
            gone = 0
            for of in (Deployment, GraftChain, Allocation, Transaction):
                for key in records.keys(of):
                    gone += records.delete(of, key)
            records.note(_RESET, why)
            return gone

        return await self.journal.do(change)

    async def forget(self, kind: str, key: str | None = None) -> int:
        """Forget one record, or all of a kind; return how many there were.

        Args:
            kind: of the records, such as `query-snapshot`.
            key: of the record, as the lists show it; None: all.

        Raises:
            RecordInvalid: there is no such kind.
            RecordNotFound: there is no such record.
        """
        of = _kind(kind)

        def change(records: Records) -> int:
            known = records.keys(of)
            if key is not None and key not in known:
                raise RecordNotFound.of(kind, key, known)
            gone = known if key is None else [key]
            for name in gone:
                records.delete(of, name)
            return len(gone)

        return await self.journal.do(change)


def _kind(name: str) -> type[Record]:
    if name not in KINDS:
        raise RecordInvalid(
            f'cannot forget "{name}": there is no such kind of records',
            hint=f"kinds are {', '.join(KINDS)}",
        )
    return KINDS[name]


def _gone(record: Deployment, state: DeploymentState, at: datetime) -> Deployment:
    return replace(record, state=state, removed_at=at)
