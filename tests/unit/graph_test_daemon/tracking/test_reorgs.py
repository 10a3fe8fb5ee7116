"""What is told of transactions after a reorg."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from graph_test_daemon.chain import Block, Receipt
from graph_test_daemon.tracking import (
    Allocation,
    AllocationState,
    BlockAt,
    Moment,
    Transaction,
    TransactionState,
)
from graph_test_daemon.tracking.reorgs import after_reorg, allocations_after_reorg


class Blocks:
    """A chain as it is written down: height → hash, transaction → height."""

    def __init__(self, blocks: dict[int, str], transactions: dict[str, int]) -> None:
        self.blocks = blocks
        self.transactions = transactions
        self.asked: list[int | str] = []

    async def block(self, at: int | str = "latest") -> Block | None:
        self.asked.append(at)
        assert isinstance(at, int)
        if at not in self.blocks:
            return None
        return Block(number=at, hash=self.blocks[at], parent_hash="0x", timestamp=at)

    async def receipt(self, transaction: str) -> Receipt | None:
        self.asked.append(transaction)
        if transaction not in self.transactions:
            return None
        height = self.transactions[transaction]
        return Receipt(
            transaction=transaction,
            block_number=height,
            block_hash=self.blocks[height],
            succeeded=True,
            gas_used=1,
            contract=None,
            logs=(),
        )


def sent(name: str, height: int, block: str) -> Transaction:
    return Transaction(
        hash=name,
        sender="0xa",
        to=None,
        what="x",
        block=BlockAt(number=height, hash=block),
        succeeded=True,
        gas_used=1,
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


A, B, C = sent("a", 1, "0x1"), sent("b", 2, "0x2"), sent("c", 2, "0x2")


async def test_nothing_is_told_of_what_has_not_changed() -> None:
    chain = Blocks({1: "0x1", 2: "0x2"}, {"a": 1, "b": 2, "c": 2})
    assert await after_reorg(chain, [A, B, C]) == []
    # One look a block is enough.
    assert chain.asked == [1, 2]


async def test_one_may_be_dropped_and_another_one_moved() -> None:
    chain = Blocks({1: "0x1", 2: "0x2b", 3: "0x3b"}, {"a": 1, "c": 3})
    moved = replace(C, block=BlockAt(number=3, hash="0x3b"), moved=1)
    dropped = replace(B, state=TransactionState.DROPPED)
    assert await after_reorg(chain, [A, B, C]) == [dropped, moved]


async def test_a_shorter_chain_drops_what_was_above_it() -> None:
    chain = Blocks({1: "0x1"}, {"a": 1})
    found = await after_reorg(chain, [A, B])
    assert [(t.hash, t.state) for t in found] == [("b", TransactionState.DROPPED)]


async def test_one_in_another_block_of_the_same_height_has_moved() -> None:
    chain = Blocks({2: "0x2b"}, {"b": 2})
    (found,) = await after_reorg(chain, [B])
    assert (found.block.hash, found.moved) == ("0x2b", 1)


async def test_a_dropped_one_may_come_back() -> None:
    gone = replace(B, state=TransactionState.DROPPED)
    assert await after_reorg(Blocks({2: "0x2b"}, {}), [gone]) == []
    (back,) = await after_reorg(Blocks({2: "0x2b", 3: "0x3"}, {"b": 3}), [gone])
    assert (back.state, back.moved) == (TransactionState.INCLUDED, 1)
    # The old chain has become the chain again.
    (same,) = await after_reorg(Blocks({2: "0x2"}, {"b": 2}), [gone])
    assert same == B


CLOSED = Allocation(
    id="0xa",
    indexer="0xi",
    deployment="QmA",
    tokens=5,
    opened=Moment(epoch=1, block=1, transaction="a"),
    closed=Moment(epoch=2, block=2, transaction="b"),
    poi="0x1",
    rewards=7,
    state=AllocationState.CLOSED,
)
ACTIVE = replace(CLOSED, closed=None, poi=None, rewards=None, state=AllocationState.ACTIVE)


async def test_an_allocation_whose_closing_is_undone_is_open_again() -> None:
    same = Blocks({1: "0x1", 2: "0x2"}, {"a": 1, "b": 2})
    assert await allocations_after_reorg(same, [CLOSED]) == []
    assert await allocations_after_reorg(Blocks({1: "0x1"}, {"a": 1}), [CLOSED]) == [ACTIVE]


async def test_an_allocation_whose_opening_is_undone_is_no_more() -> None:
    undone = replace(ACTIVE, state=AllocationState.UNDONE)
    assert await allocations_after_reorg(Blocks({}, {}), [CLOSED, ACTIVE]) == [undone, undone]
    assert await allocations_after_reorg(Blocks({}, {}), [undone]) == []
    # Its transaction is in the chain again.
    assert await allocations_after_reorg(Blocks({1: "0x1"}, {"a": 1}), [undone]) == [ACTIVE]


async def test_an_allocation_follows_its_transactions_into_other_blocks() -> None:
    (moved,) = await allocations_after_reorg(
        Blocks({3: "0x3", 4: "0x4"}, {"a": 3, "b": 4}), [CLOSED]
    )
    assert moved.closed is not None
    assert (moved.opened.block, moved.closed.block, moved.rewards) == (3, 4, 7)
