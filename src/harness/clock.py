"""Time, injected: whoever waits or stamps receives a `Clock`, so tests decide what time it is.

Two scales, never mixed: `now` is an aware UTC datetime for people and files, `monotonic` is
seconds for deadlines and is not disturbed when the machine's clock jumps.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

import anyio

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Source of time for everything that waits or stamps."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow, from an arbitrary start."""

    async def sleep(self, delay_s: float) -> None:
        """Return after `delay_s` seconds of this clock."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the event loop's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Return after `delay_s` seconds."""
        await anyio.sleep(delay_s)
