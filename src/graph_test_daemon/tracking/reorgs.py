"""What a reorg has done to transactions and allocations that are remembered.

An allocation is as the transactions have it that opened and closed it. What a closing brought is in
its events, which contracts read: one that comes back is told anew by whoever can; see `Remembering`
of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from graph_test_daemon.chain import Block, Receipt

from .records import (
    Allocation,
    AllocationState,
    BlockAt,
    Moment,
    Transaction,
    TransactionState,
)

__all__ = ["Blocks", "after_reorg", "allocations_after_reorg"]


class Blocks(Protocol):
    """What knows blocks and receipts: a chain."""

    async def block(self, at: int | str = "latest") -> Block | None:
        """Return a block; None: there is none."""

    async def receipt(self, transaction: str) -> Receipt | None:
        """Return the receipt of a transaction; None while it is in no block."""


async def after_reorg(chain: Blocks, transactions: Sequence[Transaction]) -> list[Transaction]:
    """Return those transactions about which something else is so now, as it is now.

    One whose block is still the chain's is not asked for.
    """
    hashes: dict[int, str | None] = {}
    changed = []
    for before in transactions:
        height = before.block.number
        if height not in hashes:
            block = await chain.block(height)
            hashes[height] = None if block is None else block.hash
        is_in_place = hashes[height] == before.block.hash
        if is_in_place and before.state is TransactionState.INCLUDED:
            continue
        now = _as_in(before, await chain.receipt(before.hash))
        if now != before:
            changed.append(now)
    return changed


def _as_in(before: Transaction, receipt: Receipt | None) -> Transaction:
    if receipt is None:
        return replace(before, state=TransactionState.DROPPED)
    block = BlockAt(number=receipt.block_number, hash=receipt.block_hash)
    return replace(
        before,
        block=block,
        succeeded=receipt.succeeded,
        gas_used=receipt.gas_used,
        state=TransactionState.INCLUDED,
        moved=before.moved + (block != before.block),
    )


async def allocations_after_reorg(
    chain: Blocks, allocations: Sequence[Allocation]
) -> list[Allocation]:
    """Return those allocations about which something else is so now, as it is now."""
    now = [await _allocation(chain, before) for before in allocations]
    return [after for before, after in zip(allocations, now, strict=True) if after != before]


async def _allocation(chain: Blocks, before: Allocation) -> Allocation:
    opened = await _moment(chain, before.opened)
    if opened is None:
        return _reopened(before, AllocationState.UNDONE)
    closed = None if before.closed is None else await _moment(chain, before.closed)
    if closed is None:
        return _reopened(replace(before, opened=opened), AllocationState.ACTIVE)
    return replace(before, opened=opened, closed=closed)


def _reopened(before: Allocation, state: AllocationState) -> Allocation:
    return replace(before, state=state, closed=None, poi=None, rewards=None)


async def _moment(chain: Blocks, before: Moment) -> Moment | None:
    """Return when it is on the chain now; None: it did not happen."""
    receipt = await chain.receipt(before.transaction)
    if receipt is None or not receipt.succeeded:
        return None
    return replace(before, block=receipt.block_number)
