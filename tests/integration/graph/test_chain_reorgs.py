"""Reorganisations of a real chain."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from graph_test_daemon.chain import Chain, MiningMode, RawTransaction
from graph_test_daemon.chain.errors import ReorgRefused

AT = "0x00000000000000000000000000000000000000aa"


@pytest.fixture
async def chain(chain_url: str) -> AsyncIterator[Chain]:
    chain = Chain(chain_url)
    await chain.mine(2)
    yield chain
    await chain.aclose()


async def payments(chain: Chain, count: int = 3) -> list[str]:
    sender, *_ = await chain.accounts()
    sent = [await chain.send(sender=sender, to=AT, value=at + 1) for at in range(count)]
    return [receipt.transaction for receipt in sent]


async def test_blocks_are_replaced_and_transactions_dropped(chain: Chain) -> None:
    sent = await payments(chain)
    old = await chain.blocks(3, 5)
    done = await chain.reorg(3)
    new = await chain.blocks(3, 5)
    assert done.common == 2
    assert [(block.number, block.old, block.new) for block in done.blocks] == [
        (a.number, a.hash, b.hash) for a, b in zip(old, new, strict=True)
    ]
    assert {block.old for block in done.blocks}.isdisjoint(block.new for block in done.blocks)
    assert done.dropped == tuple(sent)
    assert done.included == ()
    assert await chain.balance(AT) == 0
    assert new[0].parent_hash == (await chain.blocks(2, 2))[0].hash


async def test_empty_blocks_are_replaced_by_others(chain: Chain) -> None:
    await chain.mine(5)
    miner = (await chain.rpc.call("eth_getBlockByNumber", ["latest", False]))["miner"]
    for _ in range(3):
        done = await chain.reorg(2)
        assert {block.old for block in done.blocks}.isdisjoint(block.new for block in done.blocks)
    await chain.mine()
    assert (await chain.rpc.call("eth_getBlockByNumber", ["latest", False]))["miner"] == miner


async def test_chosen_transactions_are_in_the_block_of_their_height(chain: Chain) -> None:
    sent = await payments(chain)
    done = await chain.reorg(3, include=[sent[1], sent[0]])
    assert done.dropped == (sent[2],)
    assert [block.transactions for block in await chain.blocks(3, 5)] == [
        (sent[0],),
        (sent[1],),
        (),
    ]
    assert await chain.balance(AT) == 3


async def test_several_of_one_block_keep_their_order(chain: Chain) -> None:
    first, second, *_ = await chain.accounts()
    await chain.set_mining_mode(MiningMode(automine=False, interval_s=0))
    for sender in (first, second, first, second, first):
        await chain.submit(sender=sender, to=AT, value=1)
    sent = (await chain.mine()).transactions
    done = await chain.reorg(1, include=sent)
    assert done.included == sent
    assert done.dropped == ()


async def test_raw_transactions_are_where_they_are_wanted(chain: Chain) -> None:
    (sent,) = await payments(chain, 1)
    raw = await chain.rpc.call("eth_getRawTransactionByHash", [sent])
    await chain.mine(2)
    done = await chain.reorg(3, raw=[RawTransaction(data=raw, offset=2)])
    assert done.included == (sent,)
    assert (await chain.head()).transactions == (sent,)


@pytest.mark.parametrize("still", [True, False], ids=["impersonated still", "not any more"])
async def test_transactions_of_impersonated_senders_are_included(chain: Chain, still: bool) -> None:
    await chain.set_balance(AT, 10**18)
    await chain.impersonate(AT)
    for _ in range(2):
        await chain.send(sender=AT, to=AT, value=1)
    blocks = await chain.blocks(3, 4)
    if not still:
        await chain.stop_impersonating(AT)
    done = await chain.reorg(2, include=[name for b in blocks for name in b.transactions])
    assert len(done.included) == 2
    assert await chain.nonce(AT) == 2


async def test_what_cannot_be_is_refused_before_anything_changes(chain: Chain) -> None:
    sent = await payments(chain)
    head = await chain.head()
    with pytest.raises(ReorgRefused, match=r"last 6 blocks of 5.*there are 5") as caught:
        await chain.reorg(6)
    assert (caught.value.depth, caught.value.height) == (6, 5)
    with pytest.raises(ReorgRefused, match="at least one"):
        await chain.reorg(0)
    with pytest.raises(ReorgRefused, match="none of the blocks to replace"):
        await chain.reorg(1, include=[sent[0]])
    with pytest.raises(ReorgRefused, match="cannot be without those"):
        await chain.reorg(3, include=[sent[1]])
    raw = await chain.rpc.call("eth_getRawTransactionByHash", [sent[0]])
    with pytest.raises(ReorgRefused, match="depth-1"):
        await chain.reorg(2, raw=[RawTransaction(data=raw, offset=2)])
    with pytest.raises(ReorgRefused, match="decode"):
        await chain.reorg(2, raw=[RawTransaction(data="0x1234")])
    with pytest.raises(ReorgRefused):
        await chain.rollback(6)
    assert await chain.head() == head


async def test_raw_transaction_that_cannot_run_is_told(chain: Chain) -> None:
    sent = await payments(chain)
    raw = await chain.rpc.call("eth_getRawTransactionByHash", [sent[1]])
    with pytest.raises(ReorgRefused, match="blocks were replaced, but"):
        await chain.reorg(3, raw=[RawTransaction(data=raw)])


async def test_rolling_back_removes_blocks(chain: Chain) -> None:
    await payments(chain)
    assert (await chain.rollback(2)).number == 3
    assert await chain.balance(AT) == 1
    assert await chain.block(4) is None
