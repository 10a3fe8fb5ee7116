"""Epochs: which one it is, and the way to the next one.

An epoch is a number of blocks. On a chain that mines every transaction by itself each transaction
is a block of an epoch, so that short epochs pass while one works.
Source: EpochManager of contracts 7.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anyio

from graph_test_daemon.contracts.protocol import Protocol

from .accounts import Participants
from .errors import EpochNotReached, TransactionPending
from .sending import Tell, nothing_told, send

__all__ = ["Epoch", "EpochAdvanced", "EpochLengthChanged", "Epochs"]

_MINED_AT_ONCE = 500
_LOOK_AGAIN_S = 0.1
_GAS = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """The present epoch.

    Attributes:
        number: of it.
        length: in blocks.
        block: the newest one.
        start_block: its first one.
        blocks_since_start: from the first to the newest one.
        blocks_to_next: that are missing until the next one begins.
        last_run: the last one whose bookkeeping was done.
    """

    number: int
    length: int
    block: int
    start_block: int
    blocks_since_start: int
    blocks_to_next: int
    last_run: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochAdvanced:
    """Another epoch has begun.

    Attributes:
        from_epoch: that it was.
        to_epoch: that it is.
        block: first one of it.
        run: its bookkeeping is done.
    """

    from_epoch: int
    to_epoch: int
    block: int
    run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochLengthChanged:
    """Epochs have another length, the present one, too; in blocks."""

    epoch: int
    old_length: int
    length: int


class Epochs:
    """The epochs of one deployment.

    Args:
        protocol: the contracts.
        participants: the accounts.
    """

    def __init__(self, protocol: Protocol, participants: Participants) -> None:
        self._chain = protocol.chain
        self._protocol = protocol
        self._who = participants

    async def now(self) -> Epoch:
        """Return the present epoch."""
        block = await self._chain.block_number()
        length = await self._asked("epochLength", block)
        updated_epoch = await self._asked("lastLengthUpdateEpoch", block)
        updated_block = await self._asked("lastLengthUpdateBlock", block)
        epochs, since = divmod(block - updated_block, length)
        return Epoch(
            number=updated_epoch + epochs,
            length=length,
            block=block,
            start_block=block - since,
            blocks_since_start=since,
            blocks_to_next=length - since,
            last_run=await self._asked("lastRunEpoch", block),
        )

    async def advance(
        self, count: int = 1, *, run: bool = True, tell: Tell = nothing_told
    ) -> Epoch:
        """Mine until so many more epochs have begun, one after the other.

        Who follows epochs, such as an indexer's agent, must see each of them. The transaction of
        the bookkeeping is the first one of the epoch's first block.

        Args:
            count: of epochs.
            run: do each epoch's bookkeeping.
            tell: is awaited with EpochAdvanced of each.
        """
        now = await self.now()
        return await self.advance_to(now.number + count, run=run, tell=tell)

    async def advance_to(self, epoch: int, *, run: bool = True, tell: Tell = nothing_told) -> Epoch:
        """Mine until an epoch has begun; see `advance`. Nothing is done when it has already."""
        now = await self.now()
        while now.number < epoch:
            before = now.number
            await self.mine(now.blocks_to_next - run)
            if run:
                await self._run()
            now = await self.now()
            if now.number > before:  # the length may have been changed meanwhile
                done = run and now.last_run == now.number
                await tell(
                    EpochAdvanced(
                        from_epoch=before, to_epoch=now.number, block=now.start_block, run=done
                    )
                )
        return now

    async def set_length(self, length: int) -> EpochLengthChanged:
        """Give epochs another length, as the governor.

        Raises:
            Reverted: it is the present one, or not above 0.
        """
        before = await self.now()
        governor = await self._protocol.controller.call("governor")
        sender = await self._who.sender(governor)
        await send(self._protocol.epoch_manager, "setEpochLength", length, sender=sender)
        return EpochLengthChanged(epoch=before.number, old_length=before.length, length=length)

    async def wait_for(self, epoch: int, *, timeout_s: float = 60.0) -> Epoch:
        """Return when an epoch has begun, on a chain that others mine.

        Raises:
            EpochNotReached: it has not.
        """
        with anyio.move_on_after(timeout_s):
            while (now := await self.now()).number < epoch:  # noqa: ASYNC110 - HTTP
                await anyio.sleep(_LOOK_AGAIN_S)
            return now
        now = await self.now()
        missing = now.blocks_to_next + (epoch - now.number - 1) * now.length
        raise EpochNotReached(epoch=epoch, at=now.number, blocks=missing, timeout_s=timeout_s)

    async def mine(self, blocks: int) -> None:
        """Mine blocks; between some hundreds of them it can be cancelled."""
        while blocks > 0:
            at_once = min(blocks, _MINED_AT_ONCE)
            await self._chain.rpc.call("anvil_mine", [at_once])
            blocks -= at_once

    async def mine_until(self, block: int) -> None:
        """Mine until the chain has a block."""
        await self.mine(block - await self._chain.block_number())

    async def _run(self) -> None:
        """Do the bookkeeping, in the next block.

        The gas is given: an estimate would be one of the old epoch, which refuses.
        """
        manager = self._protocol.epoch_manager
        (account, *_) = await self._chain.accounts()
        message = {
            "from": account,
            "to": manager.address,
            "data": f"0x{manager.abi.function('runEpoch').encode(()).hex()}",
            "gas": hex(_GAS),
        }
        transaction = await self._chain.rpc.call("eth_sendTransaction", [message])
        if not await self._chain.rpc.call("anvil_getAutomine"):
            await self.mine(1)
        try:
            await self._chain.mined(transaction)
        except TimeoutError as error:
            raise TransactionPending(what="do the bookkeeping of the epoch") from error

    async def _asked(self, function: str, block: int) -> Any:
        return await self._protocol.epoch_manager.call(function, block=block)
