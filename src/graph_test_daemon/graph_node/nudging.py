"""Blocks that are mined where nothing moves: without one graph-node notices nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio

from graph_test_daemon.chain import Chain

__all__ = ["Nudges"]


@dataclass(slots=True)
class Nudges:
    """Mines a block when nothing has moved for a while, and no more than help.

    Waits that go on side by side share one, so that ten of them do not mine ten blocks at once.

    Attributes:
        chain: where.
        at_most: so many in vain; a graph-node that stands still after them needs something else.
        after_s: how long nothing has to have moved, and between two of them.
        renewed: one that moves something is not in vain.
        count: how many were mined.
    """

    chain: Chain
    at_most: int = 10
    after_s: float = 1.0
    renewed: bool = True
    count: int = 0
    _left: int = field(init=False)
    _last_at: float = field(init=False, default_factory=anyio.current_time)

    def __post_init__(self) -> None:
        self._left = self.at_most

    def moved(self) -> None:
        """Take note that something has moved."""
        if self.renewed:
            self._left = self.at_most

    async def nudge(self, *, still_for_s: float) -> None:
        """Mine a block if it is time, and there may be one.

        Args:
            still_for_s: how long nothing has moved.
        """
        now = anyio.current_time()
        if not self._left or min(still_for_s, now - self._last_at) < self.after_s:
            return
        self._left, self._last_at = self._left - 1, now
        await self.chain.rpc.call("evm_mine")
        self.count += 1
