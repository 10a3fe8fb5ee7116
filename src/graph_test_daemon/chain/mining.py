"""Blocks on demand, how blocks come about by themselves, and the chain's clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from .blocks import Block, number_of, quantity
from .errors import ChainRefused, ChainWaitTimeout
from .reading import Reading

__all__ = ["CHUNK", "Comparator", "Mining", "MiningMode", "compare"]

CHUNK = 200
"""So many blocks are mined with one request; about 0.2 s, or 0.5 s with an interval."""

Comparator = Literal["==", "!=", "<", "<=", ">", ">="]

Heard = Callable[[Block, int], Awaitable[None]]
"""Is told the newest block after each request, and how many blocks it mined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningMode:
    """How blocks come about.

    Attributes:
        automine: each transaction gets a block at once.
        interval_s: a block comes every so many seconds; 0: none does.
    """

    automine: bool
    interval_s: int


class Mining(Reading):
    """The part of a chain that mines and tells the time; of test nodes only."""

    # ── blocks ───────────────────────────────────────────────────────────────────────────────────

    async def mine(
        self, count: int = 1, *, interval_s: int | None = None, heard: Heard | None = None
    ) -> Block:
        """Mine blocks; return the newest.

        Args:
            count: how many; none leaves the chain as it is.
            interval_s: seconds between the blocks' timestamps; None: by the chain's clock.
            heard: is told of each part, as it is mined.
        """
        if count < 0:
            raise ChainRefused(f"cannot mine {count} blocks")
        head = await self.head()
        async for head, size in self._mined(count, interval_s):
            if heard is not None:
                await heard(head, size)
        return head

    async def mine_until_block(
        self, number: int, *, interval_s: int | None = None, heard: Heard | None = None
    ) -> Block:
        """Mine until the chain has a height; it may have it already. Return the newest block."""
        missing = max(0, number - await self.block_number())
        return await self.mine(missing, interval_s=interval_s, heard=heard)

    async def mine_until(
        self,
        condition: Callable[[], Awaitable[bool]],
        *,
        at_most: int = 1000,
        what: str = "the condition",
        heard: Heard | None = None,
    ) -> Block:
        """Mine block by block until a condition holds; return the newest block.

        Args:
            condition: is asked before the first block and after each.
            at_most: so many blocks.
            what: is waited for, in the message.
            heard: is told of each block.

        Raises:
            ChainWaitTimeout: it does not hold after so many blocks.
        """
        for _ in range(at_most):
            if await condition():
                return await self.head()
            await self.mine(heard=heard)
        if await condition():
            return await self.head()
        height = await self.block_number()
        raise ChainWaitTimeout(what=what, limit=f"{at_most} blocks", height=height)

    async def mine_until_call(
        self,
        to: str,
        data: bytes,
        comparator: Comparator,
        value: int,
        *,
        at_most: int = 1000,
        heard: Heard | None = None,
    ) -> Block:
        """Mine block by block until a contract answers a number that compares; see `mine_until`.

        Raises:
            Reverted: the contract refuses the call.
            ChainWaitTimeout: it does not answer so after so many blocks.
        """
        last: list[int] = []

        async def holds() -> bool:
            answer = await self.call(to, data)
            if not answer:
                raise ChainRefused(
                    f"cannot compare what {to} answers: it answers nothing",
                    hint="is a contract with this method deployed there?",
                )
            last[:] = [int.from_bytes(answer[:32], "big")]
            return compare(last[0], comparator, value)

        try:
            return await self.mine_until(holds, at_most=at_most, heard=heard)
        except ChainWaitTimeout as error:
            what = f"{to} to answer {comparator} {value} (it answers {last[0]})"
            raise ChainWaitTimeout(
                what=what, limit=f"{at_most} blocks", height=error.height
            ) from error

    async def _mined(self, count: int, interval_s: int | None) -> AsyncIterator[tuple[Block, int]]:
        while count > 0:
            size = min(count, CHUNK)
            params: list[Any] = [quantity(size)]
            if interval_s is not None:
                params.append(quantity(interval_s))
            await self._test_call("anvil_mine", params)
            count -= size
            yield await self.head(), size

    # ── how blocks come about ────────────────────────────────────────────────────────────────────

    async def mining_mode(self) -> MiningMode:
        """Return how blocks come about now."""
        automine, interval = await self._test_batch(
            [("anvil_getAutomine", []), ("anvil_getIntervalMining", [])]
        )
        return MiningMode(automine=bool(automine), interval_s=interval or 0)

    async def set_mining_mode(self, mode: MiningMode) -> None:
        """Have blocks come about so; automine and an interval exclude one another."""
        if mode.automine and mode.interval_s:
            raise ChainRefused(
                "cannot mine both with each transaction and at an interval",
                hint="choose one of them",
            )
        if mode.interval_s < 0:
            raise ChainRefused(f"cannot mine every {mode.interval_s} s")
        await self._test_call("evm_setIntervalMining", [mode.interval_s])
        if mode.automine:
            await self._test_call("evm_setAutomine", [True])

    # ── time ─────────────────────────────────────────────────────────────────────────────────────

    async def time(self) -> int:
        """Return what the chain's clock shows, in seconds since the epoch."""
        pending = await self.rpc.call("eth_getBlockByNumber", ["pending", False])
        return number_of(pending["timestamp"])

    async def increase_time(self, seconds: int) -> int:
        """Set the chain's clock forward; return by how much it is ahead in all, in seconds.

        Blocks have the new time from the next one on.
        """
        if seconds < 0:
            raise ChainRefused(f"cannot set the chain's clock back by {-seconds} s")
        return _int(await self._test_call("evm_increaseTime", [seconds]))

    async def set_next_timestamp(self, timestamp: int) -> None:
        """Choose the next block's timestamp; the clock goes on from there.

        Raises:
            ChainRefused: it is before the newest block's.
        """
        await self._check_not_back(timestamp)
        await self._test_call("evm_setNextBlockTimestamp", [timestamp])

    async def set_time(self, timestamp: int) -> None:
        """Set the chain's clock, in seconds since the epoch.

        Raises:
            ChainRefused: it is before the newest block's timestamp.
        """
        await self._check_not_back(timestamp)
        await self._test_call("evm_setTime", [timestamp])

    async def _check_not_back(self, timestamp: int) -> None:
        newest = await self.head()
        if timestamp < newest.timestamp:
            raise ChainRefused(
                f"cannot set the time to {timestamp}: block {newest.number} is of"
                f" {newest.timestamp}, and time on a chain does not go back"
            )


def compare(found: int, comparator: Comparator, value: int) -> bool:
    """Tell whether two numbers compare so."""
    return {
        "==": found == value,
        "!=": found != value,
        "<": found < value,
        "<=": found <= value,
        ">": found > value,
        ">=": found >= value,
    }[comparator]


def _int(answer: Any) -> int:
    return number_of(answer) if isinstance(answer, str) else int(answer)
