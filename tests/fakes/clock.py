"""A clock that stands still until a test moves it."""

from __future__ import annotations

import heapq
import itertools
from datetime import UTC, datetime, timedelta

import anyio
from anyio import lowlevel

__all__ = ["FakeClock"]

_PASSES = 50


class FakeClock:
    """Implements `harness.clock.Clock`; `sleep` returns only when the test lets time pass.

    `advance` wakes whoever is due and returns at once. `run_for` goes from one sleeper to the
    next, so that what a woken task then sleeps for is on time too. `sleepers` waits until tasks
    have gone to sleep.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._elapsed_s = 0.0
        self._waiting: list[tuple[float, int, anyio.Event]] = []
        self._order = itertools.count()
        self._changed = anyio.Event()

    def now(self) -> datetime:
        """Return the wall-clock time this clock shows."""
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        """Return the seconds the test has let pass."""
        return self._elapsed_s

    async def sleep(self, delay_s: float) -> None:
        """Return once the test has let `delay_s` seconds pass."""
        if delay_s < 0:
            raise ValueError("delay_s must not be negative")
        if delay_s == 0:
            await lowlevel.checkpoint()
            return
        entry = (self._elapsed_s + delay_s, next(self._order), anyio.Event())
        heapq.heappush(self._waiting, entry)
        self._notify()
        try:
            await entry[2].wait()
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)

    def advance(self, delay_s: float) -> None:
        """Let `delay_s` seconds pass and wake every sleeper that is due, earliest first."""
        # Rounded, so that three steps of 0.1 s reach a sleeper of 0.3 s.
        self._elapsed_s = round(self._elapsed_s + delay_s, 9)
        while self._waiting and self._waiting[0][0] <= self._elapsed_s + 1e-9:
            heapq.heappop(self._waiting)[2].set()

    async def run_for(self, delay_s: float) -> None:
        """Let `delay_s` seconds pass in steps from sleeper to sleeper.

        After each step every task that does no real I/O runs until it waits again.
        """
        end = self._elapsed_s + delay_s
        await self.settle()
        while self._waiting and self._waiting[0][0] <= end + 1e-9:
            self.advance(max(self._waiting[0][0] - self._elapsed_s, 0.0))
            await self.settle()
        self.advance(max(end - self._elapsed_s, 0.0))
        await self.settle()

    async def settle(self) -> None:
        """Let other tasks run until they wait for time or for I/O."""
        for _ in range(_PASSES):
            await lowlevel.checkpoint()

    async def sleepers(self, count: int = 1) -> tuple[float, ...]:
        """Wait until `count` tasks sleep; return the seconds each has left, shortest first."""
        while len(self._waiting) < count:
            await self._changed.wait()
        return tuple(due - self._elapsed_s for due, _, _ in sorted(self._waiting)[:count])

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
