"""Going back, on a real chain: snapshots, dumps, exact restores, resets and forks."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from graph_test_daemon.chain import Chain, MiningMode, SavedChain
from graph_test_daemon.chain.errors import ChainRefused, SnapshotGone
from graph_test_daemon.errors import RpcFault
from graph_test_daemon.tools import tools_dir

from .conftest import running_chain

AT = "0x00000000000000000000000000000000000000aa"
LATER = "0x00000000000000000000000000000000000000bb"


@pytest.fixture
async def chain(chain_url: str) -> AsyncIterator[Chain]:
    chain = Chain(chain_url)
    yield chain
    await chain.aclose()


@dataclass(frozen=True)
class Seen:
    """What the chain says of itself."""

    genesis: str
    head: str
    height: int
    balances: tuple[int, ...]
    nonces: tuple[int, ...]
    next_fee: str
    chain_id: int


async def seen(chain: Chain) -> Seen:
    genesis, head = await chain.block(0), await chain.head()
    assert genesis is not None
    accounts = [AT, LATER, *(await chain.accounts())[:2]]
    pending = await chain.rpc.call("eth_getBlockByNumber", ["pending", False])
    return Seen(
        genesis=genesis.hash,
        head=head.hash,
        height=head.number,
        balances=tuple([await chain.balance(account) for account in accounts]),
        nonces=tuple([await chain.nonce(account) for account in accounts]),
        next_fee=pending["baseFeePerGas"],
        chain_id=await chain.chain_id(),
    )


async def with_past(chain: Chain) -> str:
    """Give a chain some blocks, a clock that is ahead, and a transaction; return its hash."""
    sender, *_ = await chain.accounts()
    await chain.mine(3)
    receipt = await chain.send(sender=sender, to=AT, value=5)
    await chain.increase_time(5000)
    await chain.mine(2)
    return receipt.transaction


async def change(chain: Chain) -> str:
    """Change whatever can be; return a transaction's hash."""
    sender, *_ = await chain.accounts()
    await chain.set_balance(LATER, 99)
    receipt = await chain.send(sender=sender, to=AT, value=7)
    await chain.increase_time(100)
    await chain.mine(4)
    await chain.snapshot()
    await chain.rpc.call("anvil_setNextBlockBaseFeePerGas", ["0x77"])
    await chain.set_mining_mode(MiningMode(automine=False, interval_s=0))
    await chain.submit(sender=sender, to=AT, value=1)
    await chain.set_mining_mode(MiningMode(automine=False, interval_s=100))
    await chain.rpc.call("anvil_setChainId", [99])
    return receipt.transaction


async def test_reverting_uses_up_the_snapshot_and_later_ones(chain: Chain) -> None:
    first = await chain.snapshot()
    await chain.mine(3)
    second = await chain.snapshot()
    assert (first.number, second.number) == (0, 3)
    assert (await chain.revert(first.id)).hash == first.hash
    for gone in (first, second):
        with pytest.raises(SnapshotGone) as caught:
            await chain.revert(gone.id)
        assert "new one" in (caught.value.hint or "")
    assert await chain.block_number() == 0
    earlier, later = await chain.snapshot(), await chain.snapshot()
    await chain.mine()
    for kept in (later, earlier):
        assert (await chain.revert(kept.id)).hash == first.hash
    assert (await chain.mine()).number == 1


async def test_restoring_in_the_same_run_is_exact_and_keeps_older_states(chain: Chain) -> None:
    old = await with_past(chain)
    before = await seen(chain)
    saved = await chain.save()
    for _ in range(2):  # it may be restored again
        gone = await change(chain)
        saved = await chain.restore(saved)
        assert await seen(chain) == before
        assert await chain.receipt(gone) is None
        assert await chain.receipt(old) is not None
        assert await chain.block(before.height + 1) is None
        assert await chain.rpc.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}
        assert [await chain.balance(AT, block=at) for at in (3, 4)] == [0, 5]
        head = await chain.head()
        assert 0 <= (await chain.mine()).timestamp - head.timestamp < 15
        await chain.set_mining_mode(MiningMode(automine=True, interval_s=0))


async def test_a_chain_of_another_number_is_not_restored(chain: Chain, tmp_path: Path) -> None:
    saved = await chain.save()
    (tmp_path / "other").mkdir()
    with running_chain(tmp_path / "other", "--chain-id", "77") as url:
        other = Chain(url)
        await with_past(other)
        before = await seen(other)
        with pytest.raises(ChainRefused, match="31337, and this one 77"):
            await other.restore(saved)
        assert await seen(other) == before
        await other.aclose()


async def test_restoring_in_another_run_is_exact(chain: Chain, tmp_path: Path) -> None:
    old = await with_past(chain)
    before = await seen(chain)
    saved = SavedChain.read((await chain.save()).written())
    (tmp_path / "other").mkdir()
    with running_chain(tmp_path / "other") as url:
        other = Chain(url)
        await with_past(other)
        await other.set_balance(LATER, 99)
        stale = await other.snapshot()
        saved = await other.restore(saved)
        assert await seen(other) == before
        assert await other.receipt(old) is not None
        head = await other.head()
        assert 0 <= (await other.mine()).timestamp - head.timestamp < 15
        with pytest.raises(SnapshotGone):
            await other.revert(stale.id)
        gone = await change(other)
        await other.restore(saved)
        await other.revert((await other.snapshot()).id)
        assert await seen(other) == before
        assert await other.receipt(gone) is None
        await other.aclose()


async def test_loading_a_dump_leaves_nothing_of_the_present(chain: Chain) -> None:
    old = await with_past(chain)
    before = await seen(chain)
    dump = await chain.dump(history=True)
    sender, *_ = await chain.accounts()
    await chain.set_balance(LATER, 99)
    gone = await chain.send(sender=sender, to=AT, value=7)
    stale = await chain.snapshot()
    assert (await chain.load(dump)).hash == before.head
    assert await seen(chain) == before
    assert await chain.receipt(gone.transaction) is None
    assert await chain.receipt(old) is not None
    assert [await chain.balance(AT, block=at) for at in (3, 4)] == [0, 5]
    head = await chain.head()
    assert (await chain.mine()).timestamp >= head.timestamp
    with pytest.raises(SnapshotGone):
        await chain.revert(stale.id)


async def test_what_is_no_dump_leaves_the_chain_as_it_is(chain: Chain) -> None:
    await with_past(chain)
    before = await seen(chain)
    with pytest.raises(RpcFault, match="decode state dump"):
        await chain.load("0x1234")
    assert await seen(chain) == before


async def test_large_states_are_taken(chain: Chain) -> None:
    for at in range(60):  # random, so that it does not compress
        await chain.set_code(f"0x{at + 4096:040x}", os.urandom(20_000))
    dump = await chain.dump()
    assert len(dump) > 2_100_000
    assert (await chain.load(dump)).number == 0


async def test_what_is_no_saved_chain_is_refused() -> None:
    for text in ("", "{}", '{"version": 2}', '{"version": 1}', "[]"):
        with pytest.raises(ChainRefused):
            SavedChain.read(text)


async def test_resetting_begins_again(chain: Chain) -> None:
    await with_past(chain)
    stale = await chain.snapshot()
    assert (await chain.reset()).number == 0
    assert await chain.balance(AT) == 0
    with pytest.raises(SnapshotGone):
        await chain.revert(stale.id)
    assert (await chain.mine()).number == 1


async def test_a_fork_has_what_the_other_chain_had(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_past(chain)
    monkeypatch.setenv("GRAPH_TEST_TOOLS", str(tools_dir()))  # which is in the home otherwise
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "fork").mkdir()
    with running_chain(tmp_path / "fork") as url:
        fork = Chain(url)
        assert (await fork.reset(fork_url=chain.rpc.url)).number == 6
        assert await fork.balance(AT) == 5
        assert (await fork.reset(fork_url=chain.rpc.url, fork_block=3)).number == 3
        assert await fork.balance(AT) == 0
        with pytest.raises(ChainRefused, match="no chain to fork"):
            await fork.reset(fork_block=3)
        await fork.aclose()
    assert not (tmp_path / "home").exists()
