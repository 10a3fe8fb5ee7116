"""Blocks and time on a real chain."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from graph_test_daemon.chain import Block, Chain, MiningMode
from graph_test_daemon.chain.errors import ChainRefused, ChainWaitTimeout
from graph_test_daemon.errors import RpcFault

# Returns the block's number for every call: NUMBER PUSH1 0 MSTORE PUSH1 32 PUSH1 0 RETURN.
HEIGHT = bytes.fromhex("4360005260206000f3")
AT = "0x00000000000000000000000000000000000000aa"


@pytest.fixture
async def chain(chain_url: str) -> AsyncIterator[Chain]:
    chain = Chain(chain_url)
    yield chain
    await chain.aclose()


async def test_many_blocks_are_told_of_in_parts(chain: Chain) -> None:
    heard: list[tuple[int, int]] = []

    async def hear(block: Block, count: int) -> None:
        heard.append((block.number, count))

    newest = await chain.mine(450, heard=hear)
    assert heard == [(200, 200), (400, 200), (450, 50)]
    assert newest.number == 450 == await chain.block_number()
    assert await chain.mine(0) == newest


async def test_interval_is_between_the_blocks_timestamps(chain: Chain) -> None:
    await chain.mine(3, interval_s=12)
    first, *others = await chain.blocks(1, 3)
    assert [block.timestamp - first.timestamp for block in others] == [12, 24]


async def test_mining_until_a_block_that_is_there_mines_none(chain: Chain) -> None:
    assert (await chain.mine_until_block(5)).number == 5
    assert (await chain.mine_until_block(3)).number == 5


async def test_mining_until_a_contract_answers(chain: Chain) -> None:
    await chain.set_code(AT, HEIGHT)
    assert (await chain.mine_until_call(AT, b"", ">=", 7)).number == 7
    assert (await chain.mine_until_call(AT, b"", "==", 7)).number == 7
    with pytest.raises(ChainWaitTimeout, match=r"answers 10\).*not within 3 blocks.*is at 10"):
        await chain.mine_until_call(AT, b"", "<", 7, at_most=3)
    with pytest.raises(ChainRefused, match="answers nothing"):
        await chain.mine_until_call("0x" + "b" * 40, b"", "==", 7)


async def test_mining_until_python_says_so(chain: Chain) -> None:
    async def is_three() -> bool:
        return await chain.block_number() == 3

    assert (await chain.mine_until(is_three)).number == 3


async def test_waiting_for_a_block_sees_it_come_and_says_why_not(chain: Chain) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(chain.mine)
        assert (await chain.wait_for_block(1)).number == 1
    with pytest.raises(ChainWaitTimeout, match=r"block 9.*0.1 s; the chain is at 1") as caught:
        await chain.wait_for_block(9, timeout_s=0.1)
    assert "automine" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "mode",
    [
        MiningMode(automine=True, interval_s=0),
        MiningMode(automine=False, interval_s=60),
        MiningMode(automine=False, interval_s=0),
    ],
)
async def test_mining_mode_is_as_set_whatever_it_was(chain: Chain, mode: MiningMode) -> None:
    for before in (
        MiningMode(automine=True, interval_s=0),
        MiningMode(automine=False, interval_s=50),
        MiningMode(automine=False, interval_s=0),
    ):
        await chain.set_mining_mode(before)
        await chain.set_mining_mode(mode)
        assert await chain.mining_mode() == mode


async def test_both_modes_at_once_are_refused(chain: Chain) -> None:
    with pytest.raises(ChainRefused, match="both"):
        await chain.set_mining_mode(MiningMode(automine=True, interval_s=1))


async def test_time_goes_forward_only(chain: Chain) -> None:
    before = await chain.head()
    await chain.increase_time(1000)
    later = await chain.mine()
    assert 1000 <= later.timestamp - before.timestamp < 1010
    await chain.set_next_timestamp(later.timestamp + 500)
    assert (await chain.mine()).timestamp == later.timestamp + 500
    await chain.set_time(later.timestamp + 1000)
    newest = await chain.mine()
    assert 1000 <= newest.timestamp - later.timestamp < 1010
    for change in (chain.set_time, chain.set_next_timestamp):
        with pytest.raises(ChainRefused, match="does not go back"):
            await change(newest.timestamp - 1)
    with pytest.raises(ChainRefused):
        await chain.increase_time(-1)


async def test_accounts_have_what_is_set(chain: Chain) -> None:
    await chain.set_balance(AT, 10**18)
    await chain.set_code(AT, HEIGHT)
    await chain.set_storage(AT, 3, 2**255)
    await chain.set_nonce(AT, 7)
    assert await chain.balance(AT) == 10**18
    assert await chain.code(AT) == HEIGHT
    assert await chain.storage(AT, 3) == (2**255).to_bytes(32, "big")
    assert await chain.nonce(AT) == 7


async def test_impersonated_account_sends_until_it_is_not(chain: Chain) -> None:
    await chain.set_balance(AT, 10**18)
    await chain.impersonate(AT)
    receipt = await chain.send(sender=AT, to=AT, value=1)
    assert receipt.succeeded
    await chain.stop_impersonating(AT)
    with pytest.raises(RpcFault, match="No Signer"):
        await chain.submit(sender=AT, to=AT, value=1)
