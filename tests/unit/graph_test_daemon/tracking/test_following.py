"""What is remembered follows a reorg, and so do those who are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from graph_test_daemon.chain import Chain, Receipt
from graph_test_daemon.graph_node import GraphNode
from graph_test_daemon.tracking import Allocation, AllocationState, Moment, Tracker, Transaction
from graph_test_daemon.tracking.actions import TrackedActions
from harness.actions import Call, Service

from .test_reorgs import ACTIVE, CLOSED, Blocks
from .test_tracker import receipt, tracker

UNDONE = replace(ACTIVE, state=AllocationState.UNDONE)
BOTH = Blocks({1: "0x1", 2: "0x2"}, {"a": 1, "b": 2})
OPENED = Blocks({1: "0x1"}, {"a": 1})
NOTHING = Blocks({}, {})


class Following(TrackedActions):
    """Follows a chain that is written down."""

    name = "following"

    def __init__(self, tracker: Tracker, chain: Blocks) -> None:
        super().__init__(cast("Service", None))
        self._tracker = tracker
        self._blocks = chain

    @property
    def node(self) -> GraphNode:
        raise AssertionError

    @property
    def chain(self) -> Chain:
        return cast("Chain", self._blocks)


class Busy(Blocks):
    """A chain that something else is done on as soon as a receipt is asked for."""

    def __init__(self, before: Blocks, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__(before.blocks, before.transactions)
        self._meanwhile = meanwhile

    async def receipt(self, transaction: str) -> Receipt | None:
        await self._meanwhile()
        return await super().receipt(transaction)


async def put(told: Tracker, record: Allocation) -> None:
    await told.journal.do(lambda records: records.put(record))


@pytest.mark.parametrize(
    ("before", "chain", "event"),
    [
        pytest.param(CLOSED, BOTH, None, id="nothing"),
        pytest.param(CLOSED, OPENED, ("allocation-undone", "active"), id="a closing is undone"),
        pytest.param(CLOSED, NOTHING, ("allocation-undone", "undone"), id="both are undone"),
        pytest.param(ACTIVE, NOTHING, ("allocation-undone", "undone"), id="an opening is undone"),
        pytest.param(UNDONE, OPENED, ("allocation-restored", "active"), id="an opening is back"),
        pytest.param(ACTIVE, Blocks({3: "0x3"}, {"a": 3}), None, id="an opening has moved"),
    ],
)
async def test_it_is_told_what_was_undone_and_what_came_back(
    tmp_path: Path, before: Allocation, chain: Blocks, event: tuple[str, str] | None
) -> None:
    sent: list[Any] = []

    async def send(told: Any) -> None:
        sent.append((told.name, told.data))

    async with tracker(tmp_path) as told:
        await put(told, before)
        events = Following.declared()["follow-reorg"].events
        await Following(told, chain).follow_reorg(Call("follow-reorg", events, send))
    expected = [] if event is None else [(event[0], {"allocation": "0xa", "state": event[1]})]
    assert sent == expected


async def test_an_allocation_is_returned_as_it_was_and_as_it_is(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        await put(told, CLOSED)
        assert await told.follow_allocations(OPENED) == [(CLOSED, ACTIVE)]
        assert await told.follow_allocations(OPENED) == []


async def test_an_allocation_that_is_closed_meanwhile_stays_closed(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        at = Moment(epoch=9, block=9, transaction="c")

        async def close() -> None:
            await told.allocation_closed("0xa", at=at, poi="0x2", rewards=1)

        await put(told, ACTIVE)
        moved = Blocks({3: "0x3"}, {"a": 3})
        assert await told.follow_allocations(Busy(moved, close)) == []
        (found,) = await told.all(Allocation)
        assert (found.state, found.closed) == (AllocationState.CLOSED, at)


async def test_a_transaction_that_is_told_anew_meanwhile_stays_so(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:

        async def send() -> None:
            await told.sent(receipt(1, block=7), sender="0xa", to=None, what="x")

        await told.sent(receipt(1), sender="0xa", to=None, what="x")
        assert await told.follow_reorg(Busy(NOTHING, send)) == []
        (found,) = await told.all(Transaction)
        assert found.block.number == 7


async def test_what_is_forgotten_meanwhile_stays_forgotten(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        await put(told, CLOSED)
        busy = Busy(NOTHING, lambda: told.journal.do(lambda r: r.delete(Allocation, "0xa")))
        assert await told.follow_allocations(busy) == []
        assert await told.all(Allocation) == []
