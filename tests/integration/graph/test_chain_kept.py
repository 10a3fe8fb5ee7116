"""A chain between two runs of anvil, through the launcher."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from graph_test_daemon.chain import Block, Chain
from graph_test_daemon.chain.errors import ReorgRefused

from .conftest import running_chain

pytestmark = pytest.mark.timeout(60)


@asynccontextmanager
async def run(directory: Path, *arguments: str) -> AsyncIterator[Chain]:
    """Run it until the block is left, which ends it as a service is ended."""
    with running_chain(directory, *arguments) as url:
        chain = Chain(url)
        try:
            yield chain
        finally:
            await chain.aclose()


async def blocks(chain: Chain) -> list[Block]:
    """Return all blocks, which are one chain that goes forward in time."""
    found = await chain.blocks(0, await chain.block_number())
    for before, after in pairwise(found):
        assert after.parent_hash == before.hash
        assert after.timestamp >= before.timestamp
    return found


async def test_it_is_the_same_chain_after_any_number_of_runs(tmp_path: Path) -> None:
    async with run(tmp_path) as chain:
        await chain.mine(2)
        known = await blocks(chain)
    for number in range(6):
        async with run(tmp_path) as chain:
            assert await blocks(chain) == known
            if number == 2:  # which is a reset, and the state laid over it
                await chain.restore(await chain.save())
            await chain.mine(1)
            known = await blocks(chain)


async def test_a_chain_that_was_loaded_is_kept_with_its_own_first_block(tmp_path: Path) -> None:
    async with run(tmp_path / "other") as chain:
        await chain.mine(3)
        dump, loaded = await chain.dump(), await blocks(chain)
    async with run(tmp_path / "own") as chain:
        await chain.load(dump)
        assert await blocks(chain) == loaded
    for _ in range(4):
        async with run(tmp_path / "own") as chain:
            assert await blocks(chain) == loaded


async def test_it_goes_back_no_further_than_to_where_it_went_on(tmp_path: Path) -> None:
    async with run(tmp_path) as chain:
        await chain.mine(5)
    async with run(tmp_path) as chain:
        await chain.mine(3)
        before = await chain.head()
        for going_back in (chain.reorg(4), chain.rollback(4)):
            with pytest.raises(ReorgRefused, match="the state before them is not there"):
                await going_back
        assert await chain.head() == before
        done = await chain.reorg(3)
        assert done.common == 5
        assert (await chain.rollback(3)).number == 5


async def test_with_the_states_of_its_blocks_it_goes_back_further(tmp_path: Path) -> None:
    history = "--preserve-historical-states"
    async with run(tmp_path, history) as chain:
        await chain.mine(5)
    async with run(tmp_path, history) as chain:
        assert (await chain.reorg(4)).common == 1


async def test_a_fork_that_a_call_made_is_left_behind(tmp_path: Path) -> None:
    async with run(tmp_path / "other") as other, run(tmp_path / "own") as chain:
        await other.mine(7)
        await chain.reset(fork_url=other.rpc.url)
        assert await chain.block_number() == 7
    async with run(tmp_path / "own") as chain:
        assert await chain.block_number() == 0
