"""What is told of a stack is remembered, and told again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from graph_test_daemon.chain import Receipt
from graph_test_daemon.tracking import (
    Allocation,
    AllocationState,
    BlockAt,
    Deployment,
    DeploymentState,
    Graft,
    GraftChain,
    Moment,
    Note,
    Tracker,
    Transaction,
)
from graph_test_daemon.tracking.errors import RecordInvalid, RecordNotFound

START = datetime(2026, 1, 1, tzinfo=UTC)


def _times() -> Iterator[datetime]:
    return (START + timedelta(seconds=n) for n in count())


@asynccontextmanager
async def tracker(directory: Path) -> AsyncIterator[Tracker]:
    times = _times()
    opened = Tracker(directory, now=lambda: next(times))
    try:
        yield opened
    finally:
        await opened.aclose()


def receipt(number: int, *, block: int = 5, succeeded: bool = True) -> Receipt:
    return Receipt(
        transaction=f"0xAB{number}",
        block_number=block,
        block_hash=f"0x{block}",
        succeeded=succeeded,
        gas_used=21_000,
        contract=None,
        logs=(),
    )


async def test_a_deployment_is_remembered_with_all_that_was_told(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        made = await told.deployed(
            "my/tokens",
            "QmA",
            network="test",
            source_directory=Path("/src/tokens"),
            label="v1",
            block=BlockAt(number=7, hash="0x7"),
            graft=Graft(base="QmBase", block=3),
        )
    async with tracker(tmp_path) as again:
        assert await again.all(Deployment) == [made]
    assert made == Deployment(
        name="my/tokens",
        deployment="QmA",
        network="test",
        source_directory="/src/tokens",
        label="v1",
        deployed_at=made.deployed_at,
        block=BlockAt(number=7, hash="0x7"),
        graft=Graft(base="QmBase", block=3),
    )


async def test_a_newer_deployment_replaces_the_one_of_the_same_name_only(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        await told.deployed("a", "QmA", network="test")
        await told.deployed("b", "QmA", network="test")
        await told.deployed("a", "QmB", network="test")
        assert [(d.name, d.deployment, d.state) for d in await told.all(Deployment)] == [
            ("a", "QmA", DeploymentState.REPLACED),
            ("b", "QmA", DeploymentState.ACTIVE),
            ("a", "QmB", DeploymentState.ACTIVE),
        ]
        active = await told.all(Deployment, name="a", state=DeploymentState.ACTIVE)
        assert [d.removed_at for d in active] == [None]


async def test_one_that_is_told_again_keeps_its_time_and_what_is_known(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        first = await told.deployed("a", "QmA", network="test", label="v1")
        second = await told.deployed("a", "QmA", network="test", subgraph_id="0x1")
        assert second.deployed_at == first.deployed_at
        assert (second.label, second.subgraph_id) == ("v1", "0x1")


async def test_one_that_comes_back_is_the_newest_again(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        first = await told.deployed("a", "QmA", network="test", label="v1")
        await told.deployed("a", "QmB", network="test")
        back = await told.deployed("a", "QmA", network="test")
        assert back.deployed_at > first.deployed_at
        assert (back.label, back.removed_at) == ("v1", None)
        found = await told.all(Deployment)
        assert [(d.deployment, d.state) for d in found] == [
            ("QmB", DeploymentState.REPLACED),
            ("QmA", DeploymentState.ACTIVE),
        ]


async def test_a_removed_name_stands_for_nothing_any_more(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        await told.deployed("a", "QmA", network="test")
        gone = await told.removed("a")
        assert gone is not None
        assert gone.state is DeploymentState.REMOVED
        assert gone.removed_at is not None
        assert await told.all(Deployment) == [gone]
        assert await told.removed("a") is None
        assert await told.removed("never") is None


async def test_a_deployment_that_is_published_has_its_subgraph_id(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        await told.deployed("a", "QmA", network="test")
        await told.deployed("b", "QmA", network="test")
        published = await told.published("QmA", "0x1")
        assert [(d.name, d.subgraph_id) for d in published] == [("a", "0x1"), ("b", "0x1")]
        assert await told.all(Deployment) == published
        with pytest.raises(RecordNotFound) as caught:
            await told.published("QmAA", "0x1")
        assert caught.value.hint == 'did you mean "QmA"?'


async def test_grafts_are_followed_to_their_beginning(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        for number in range(1, 10):
            graft = Graft(base=f"Qm{number - 1}", block=number)
            await told.deployed(f"s{number}", f"Qm{number}", network="test", graft=graft)
        assert await told.lineage("Qm9") == [f"Qm{n}" for n in range(10)]
        assert await told.lineage("Qm0") == ["Qm0"]
        await told.deployed("s1", "Qm1", network="test", graft=Graft(base="Qm1", block=1))
        assert await told.lineage("Qm2") == ["Qm1", "Qm2"]


async def test_a_chain_of_grafts_is_remembered_by_its_name(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        await told.grafted("ten", ["Qm1"])
        chain = await told.grafted("ten", ["Qm1", "Qm2"])
        assert await told.all(GraftChain) == [chain]
        assert chain.deployments == ("Qm1", "Qm2")


@pytest.mark.parametrize("name", ["", "a\nb", "\ud800", "x" * 201])
async def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    async with tracker(tmp_path) as told:
        with pytest.raises(RecordInvalid, match="it is no name"):
            await told.grafted(name, ["Qm1"])
        with pytest.raises(RecordInvalid):
            await told.deployed(name, "QmA", network="test")


async def test_an_allocation_is_opened_and_closed(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        opened_at = Moment(epoch=3, block=30, transaction="0xa")
        opened = await told.allocation_opened(
            "0xAA", indexer="0xBB", deployment="QmA", tokens=10**22, at=opened_at
        )
        assert (opened.id, opened.indexer, opened.state) == ("0xaa", "0xbb", AllocationState.ACTIVE)
        closed_at = Moment(epoch=5, block=50, transaction="0xb")
        closed = await told.allocation_closed("0xAA", at=closed_at, poi="0x1", rewards=2 * 10**21)
        assert await told.all(Allocation, state=AllocationState.ACTIVE) == []
        assert await told.all(Allocation, deployment="QmA") == [closed]
        assert closed == Allocation(
            id="0xaa",
            indexer="0xbb",
            deployment="QmA",
            tokens=10**22,
            opened=opened_at,
            closed=closed_at,
            poi="0x1",
            rewards=2 * 10**21,
            state=AllocationState.CLOSED,
        )
        with pytest.raises(RecordNotFound, match='the allocation "0xab"'):
            await told.allocation_closed("0xab", at=closed_at, poi=None, rewards=None)


async def test_a_transaction_is_remembered_as_it_went(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        sent = await told.sent(receipt(1), sender="0xAA", to="0xBB", what="Staking.allocate")
        assert sent == Transaction(
            hash="0xab1",
            sender="0xaa",
            to="0xbb",
            what="Staking.allocate",
            block=BlockAt(number=5, hash="0x5"),
            succeeded=True,
            gas_used=21_000,
            recorded_at=sent.recorded_at,
        )
        failed = await told.sent(receipt(2, succeeded=False), sender="0xaa", to=None, what="x")
        assert await told.all(Transaction, succeeded=False) == [failed]
        assert await told.sent(receipt(1), sender="0xaa", to="0xbb", what="y") != sent
        assert [t.what for t in await told.all(Transaction)] == ["y", "x"]


async def test_records_are_forgotten_one_by_one_or_by_their_kind(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        for name in ("one", "two", "three"):
            await told.grafted(name, ["Qm1"])
        assert await told.forget("graft-chain", "two") == 1
        with pytest.raises(RecordNotFound, match='the graft-chain "tree"') as caught:
            await told.forget("graft-chain", "tree")
        assert caught.value.hint == 'did you mean "three"?'
        assert await told.forget("graft-chain") == 2
        assert await told.forget("graft-chain") == 0
        with pytest.raises(RecordInvalid) as invalid:
            await told.forget("graft-chains")
        assert "graft-chain" in str(invalid.value.hint)


async def test_a_chain_that_begins_anew_leaves_kept_queries_and_a_note(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        await told.deployed("a", "QmA", network="test")
        await told.sent(receipt(1), sender="0xaa", to=None, what="x")
        assert await told.begin_anew("because") == 2
        assert await told.begin_anew("because") == 0
        assert (await told.all(Deployment), await told.all(Transaction)) == ([], [])
        (note,) = await told.all(Note)
        assert (note.name, note.text, note.count) == ("reset", "because", 2)
