"""What a reorg has done to transactions that are remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from graph_test_daemon.chain import Block, Receipt

from .records import BlockAt, Transaction, TransactionState

__all__ = ["Blocks", "after_reorg"]


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
