"""Transactions of a real chain are followed through its reorgs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from graph_test_daemon.chain import Chain
from graph_test_daemon.tracking import Tracker, Transaction, TransactionState

pytestmark = pytest.mark.timeout(60)


@asynccontextmanager
async def followed(url: str, directory: Path) -> AsyncIterator[tuple[Chain, Tracker]]:
    chain, tracker = Chain(url), Tracker(directory)
    try:
        yield chain, tracker
    finally:
        await chain.aclose()
        await tracker.aclose()


async def test_a_reorg_drops_and_moves_transactions(chain_url: str, tmp_path: Path) -> None:
    async with followed(chain_url, tmp_path / "tracking") as (chain, tracker):
        sender, receiver = (await chain.accounts())[:2]

        async def sent(what: str) -> Transaction:
            receipt = await chain.send(sender=sender, to=receiver, value=1)
            return await tracker.sent(receipt, sender=sender, to=receiver, what=what)

        stays = await sent("stays")
        moves = await sent("moves")
        goes = await sent("goes")
        assert await tracker.follow_reorg(chain) == []

        raw = await chain.rpc.call("eth_getRawTransactionByHash", [moves.hash])
        await chain.rpc.call("anvil_reorg", [2, [[raw, 1]]])
        changed = {record.what: record for record in await tracker.follow_reorg(chain)}

        assert changed.keys() == {"moves", "goes"}
        assert changed["goes"].state is TransactionState.DROPPED
        assert changed["goes"].block == goes.block
        again = await chain.receipt(moves.hash)
        assert again is not None
        assert changed["moves"].block.hash == again.block_hash != moves.block.hash
        assert (changed["moves"].state, changed["moves"].moved) == (TransactionState.INCLUDED, 1)

        assert await tracker.all(Transaction, state=TransactionState.DROPPED) == [changed["goes"]]
        assert (await tracker.all(Transaction))[0] == stays
        assert await tracker.follow_reorg(chain) == []


async def test_a_chain_that_is_reverted_drops_what_came_since(
    chain_url: str, tmp_path: Path
) -> None:
    async with followed(chain_url, tmp_path / "tracking") as (chain, tracker):
        sender = (await chain.accounts())[0]
        saved = await chain.rpc.call("evm_snapshot")
        receipt = await chain.send(sender=sender, to=sender, value=1)
        sent = await tracker.sent(receipt, sender=sender, to=sender, what="x")
        raw = await chain.rpc.call("eth_getRawTransactionByHash", [sent.hash])
        assert await chain.rpc.call("evm_revert", [saved])
        (dropped,) = await tracker.follow_reorg(chain, since=sent.block.number)
        assert dropped.state is TransactionState.DROPPED
        assert await tracker.follow_reorg(chain, since=sent.block.number + 1) == []
        # The same transaction again is in a later block, and is found there.
        await chain.rpc.call("anvil_mine", [3])
        assert await chain.rpc.call("eth_sendRawTransaction", [raw]) == sent.hash
        await chain.mined(sent.hash)
        (back,) = await tracker.follow_reorg(chain, since=sent.block.number + 4)
        assert (back.state, back.moved) == (TransactionState.INCLUDED, 1)
        assert back.block.number == sent.block.number + 3
