"""When a daemon of a test run ends by itself: nobody is connected, and there is no project.

Told when that may have become so; counts no time otherwise, and polls nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio

__all__ = ["IdleEnd"]


class IdleEnd:
    """Waits until there has been nothing to do for some time.

    Args:
        after_s: how long.
        is_idle: tells whether there is nothing to do now.
    """

    def __init__(self, *, after_s: float, is_idle: Callable[[], bool]) -> None:
        self._after_s = after_s
        self._is_idle = is_idle
        self._changed = anyio.Event()

    def look_again(self) -> None:
        """Take note that something has ended; time begins anew."""
        self._changed.set()

    async def wait(self) -> None:
        """Return once nothing has been there for so long."""
        while True:
            self._changed = anyio.Event()
            if not self._is_idle():
                await self._changed.wait()
                continue
            with anyio.move_on_after(self._after_s):
                await self._changed.wait()
            # Whoever is there now is noticed when it has left.
            if not self._changed.is_set() and self._is_idle():
                return
