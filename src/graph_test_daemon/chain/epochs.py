"""Epochs of the protocol as far as blocks make them: how many blocks are missing, exactly.

Source: EpochManager of the Graph's contracts; its currentEpoch is
`lastLengthUpdateEpoch + (block - lastLengthUpdateBlock) / epochLength`.
"""

from __future__ import annotations

from dataclasses import dataclass

from graph_test_daemon.errors import RpcFault

from .blocks import Block
from .errors import ChainRefused, ChainWaitTimeout
from .mining import Heard, Mining
from .reading import block_name, bytes_of

__all__ = ["Epoch", "blocks_until", "epoch", "mine_until_epoch"]

_CURRENT_EPOCH = "0x76671808"
_EPOCH_LENGTH = "0x57d775f8"
_SINCE_START = "0xd0cfa46e"  # currentEpochBlockSinceStart()
_ROUNDS = 3  # somebody may change the epochs' length meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """Where in its epochs a chain is.

    Attributes:
        number: of the epoch.
        length: of epochs, in blocks.
        since_start: so many blocks after the epoch's first one.
        block: the height that this is about.
    """

    number: int
    length: int
    since_start: int
    block: int


def blocks_until(now: Epoch, number: int) -> int:
    """Return how many blocks must be mined until an epoch begins; 0: it has begun."""
    missing = number - now.number
    return 0 if missing <= 0 else now.length - now.since_start + (missing - 1) * now.length


async def epoch(chain: Mining, manager: str) -> Epoch:
    """Return where in its epochs the chain is.

    Args:
        chain: to ask.
        manager: address of the EpochManager.

    Raises:
        ChainRefused: there is no EpochManager at that address.
    """
    height = await chain.block_number()
    at = block_name(height)
    asked = (_CURRENT_EPOCH, _EPOCH_LENGTH, _SINCE_START)
    try:
        answers = await chain.rpc.batch(
            [("eth_call", [{"to": manager, "data": data}, at]) for data in asked]
        )
    except RpcFault as fault:
        raise _no_manager(manager, fault.message) from fault
    if not all(len(bytes_of(answer)) == 32 for answer in answers):
        raise _no_manager(manager, "it does not answer")
    number, length, since_start = (int(answer, 16) for answer in answers)
    return Epoch(number=number, length=length, since_start=since_start, block=height)


async def mine_until_epoch(
    chain: Mining, manager: str, number: int, *, heard: Heard | None = None
) -> Block:
    """Mine until an epoch has begun, and no block more; return the newest block.

    Args:
        chain: to mine on.
        manager: address of the EpochManager.
        number: of the epoch; one that has begun needs no block.
        heard: is told of each part, as it is mined.

    Raises:
        ChainRefused: there is no EpochManager at that address.
        ChainWaitTimeout: the epochs' length changes faster than blocks are mined.
    """
    for _ in range(_ROUNDS):
        missing = blocks_until(await epoch(chain, manager), number)
        if missing == 0:
            return await chain.head()
        await chain.mine(missing, heard=heard)
    now = await epoch(chain, manager)
    if now.number >= number:
        return await chain.head()
    raise ChainWaitTimeout(
        what=f"epoch {number} (it is {now.number})", limit=f"{_ROUNDS} tries", height=now.block
    )


def _no_manager(manager: str, cause: str) -> ChainRefused:
    return ChainRefused(
        f"cannot tell the epoch: {manager} is no EpochManager: {cause}",
        hint="give the address of the EpochManager's proxy, as the address book has it",
    )
