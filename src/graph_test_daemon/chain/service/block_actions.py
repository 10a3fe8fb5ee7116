"""Actions on blocks, how they come about, epochs and time."""

from __future__ import annotations

from graph_test_daemon.chain.blocks import Block
from graph_test_daemon.chain.client import Chain
from graph_test_daemon.chain.epochs import Epoch, epoch, mine_until_epoch
from graph_test_daemon.chain.mining import Comparator, MiningMode
from harness.actions import Call, action

from .connected import LATEST, Connected, block_at, bytes_in, teller
from .events import BlockMined, TimeChanged

__all__ = ["BlockActions"]


class BlockActions(Connected):
    """Blocks and time."""

    # ── blocks ───────────────────────────────────────────────────────────────────────────────────

    @action(events=[BlockMined])
    async def mine(self, call: Call, *, blocks: int = 1, interval: int | None = None) -> Block:
        """Mine blocks; return the newest.

        Args:
            blocks: how many.
            interval: seconds between their timestamps; by the chain's clock unless given.
        """
        async with self._chain() as chain:
            return await chain.mine(blocks, interval_s=interval, heard=teller(call, blocks))

    @action(events=[BlockMined])
    async def mine_until_block(
        self, call: Call, *, number: int, interval: int | None = None
    ) -> Block:
        """Mine until the chain has a height; return the newest block.

        Args:
            number: the height; a chain that has it already stays as it is.
            interval: seconds between the blocks' timestamps; by the chain's clock unless given.
        """
        async with self._chain() as chain:
            missing = max(0, number - await chain.block_number())
            return await chain.mine(missing, interval_s=interval, heard=teller(call, missing))

    @action(events=[BlockMined])
    async def mine_until_epoch(self, call: Call, *, manager: str, epoch: int) -> Block:
        """Mine until an epoch of the protocol has begun, and no block more.

        Args:
            manager: address of the EpochManager.
            epoch: its number; one that has begun needs no block.
        """
        async with self._chain() as chain:
            return await mine_until_epoch(chain, manager, epoch, heard=teller(call))

    @action(events=[BlockMined])
    async def mine_until(
        self,
        call: Call,
        *,
        to: str,
        data: str,
        comparator: Comparator,
        value: int,
        at_most: int = 1000,
    ) -> Block:
        """Mine block by block until a contract answers a number that compares.

        Args:
            to: address of the contract.
            data: the encoded call, in hexadecimal; its first 32 bytes of answer are the number.
            comparator: how the answer is to compare with the value.
            value: the number.
            at_most: so many blocks.
        """
        async with self._chain() as chain:
            return await chain.mine_until_call(
                to, bytes_in(data), comparator, value, at_most=at_most, heard=teller(call)
            )

    @action()
    async def wait_for_block(self, *, number: int, within: float = 30.0) -> Block:
        """Wait until the chain has a height; nothing is mined.

        Args:
            number: the height.
            within: seconds.
        """
        async with self._chain() as chain:
            return await chain.wait_for_block(number, timeout_s=within)

    @action()
    async def block(self, *, at: int | str = LATEST) -> Block | None:
        """Return a block; nothing where there is none.

        Args:
            at: height, hash, or a name such as latest.
        """
        async with self._chain() as chain:
            return await chain.block(block_at(at))

    @action()
    async def epoch(self, *, manager: str) -> Epoch:
        """Tell where in the protocol's epochs the chain is.

        Args:
            manager: address of the EpochManager.
        """
        async with self._chain() as chain:
            return await epoch(chain, manager)

    @action()
    async def mining_mode(self) -> MiningMode:
        """Tell how blocks come about."""
        async with self._chain() as chain:
            return await chain.mining_mode()

    @action()
    async def set_mining_mode(self, *, automine: bool = False, interval: int = 0) -> MiningMode:
        """Choose how blocks come about: with each transaction, at an interval, or on demand.

        Args:
            automine: each transaction gets a block at once.
            interval: seconds; a block comes at each. With neither, blocks come on demand.
        """
        async with self._chain() as chain:
            await chain.set_mining_mode(MiningMode(automine=automine, interval_s=interval))
            return await chain.mining_mode()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────

    @action(events=[TimeChanged, BlockMined])
    async def increase_time(self, call: Call, *, seconds: int, mine: bool = True) -> Block:
        """Set the chain's clock forward; return the newest block.

        Args:
            seconds: by so many.
            mine: mine a block, so that contracts see the time.
        """
        async with self._chain() as chain:
            await chain.increase_time(seconds)
            return await self._told_time(call, chain, mine)

    @action(events=[TimeChanged, BlockMined])
    async def set_time(self, call: Call, *, timestamp: int, mine: bool = True) -> Block:
        """Set the chain's clock; return the newest block.

        Args:
            timestamp: seconds since the epoch; not before the newest block's.
            mine: mine a block, so that contracts see the time.
        """
        async with self._chain() as chain:
            await chain.set_time(timestamp)
            return await self._told_time(call, chain, mine)

    @action(events=[TimeChanged])
    async def set_next_timestamp(self, call: Call, *, timestamp: int) -> None:
        """Choose the next block's timestamp; the clock goes on from there.

        Args:
            timestamp: seconds since the epoch; not before the newest block's.
        """
        async with self._chain() as chain:
            await chain.set_next_timestamp(timestamp)
        await call.emit(TimeChanged(timestamp=timestamp))

    async def _told_time(self, call: Call, chain: Chain, mine: bool) -> Block:
        if mine:
            head = await chain.mine(heard=teller(call))
            await call.emit(TimeChanged(timestamp=head.timestamp))
            return head
        await call.emit(TimeChanged(timestamp=await chain.time()))
        return await chain.head()
