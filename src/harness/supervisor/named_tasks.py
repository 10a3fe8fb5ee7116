"""Tasks known by name: at most one of a name counts, and each can be cancelled and waited for."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable

import anyio
import anyio.abc

__all__ = ["NamedTasks", "is_cancelled"]

logger = logging.getLogger(__name__)


class NamedTasks:
    """The tasks of one unit, run in a group that belongs to somebody else.

    Args:
        group: where they run.
        owner: whose they are, as `project/unit`.
        on_defect: told the name of a task that ended with an error which nobody expected.
    """

    def __init__(
        self, group: anyio.abc.TaskGroup, *, owner: str, on_defect: Callable[[str], None]
    ) -> None:
        self._group = group
        self._owner = owner
        self._on_defect = on_defect
        self._scopes: dict[str, anyio.CancelScope] = {}
        self._ended: dict[str, anyio.Event] = {}

    def begin(self, name: str, work: Callable[[], Awaitable[object]]) -> anyio.Event:
        """Start a task, and cancel the one of that name; return the event of its end."""
        self.cancel(name)
        scope, ended = anyio.CancelScope(), anyio.Event()
        self._scopes[name], self._ended[name] = scope, ended
        self._group.start_soon(
            self._guarded, name, work, scope, ended, name=f"{self._owner} {name}"
        )
        return ended

    def cancel(self, name: str) -> None:
        """Cancel the task of that name, if there is one."""
        scope = self._scopes.get(name)
        if scope is not None:
            scope.cancel()

    async def end(self, name: str) -> None:
        """Cancel the task of that name and wait until it has ended."""
        ended = self._ended.get(name)
        self.cancel(name)
        if ended is not None:
            await ended.wait()

    async def aclose(self) -> None:
        """Cancel all and wait until they have ended."""
        for name in tuple(self._scopes):
            self.cancel(name)
        for ended in tuple(self._ended.values()):
            await ended.wait()

    async def _guarded(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        scope: anyio.CancelScope,
        ended: anyio.Event,
    ) -> None:
        try:
            with scope:
                await work()
        except Exception:
            # The unit's guard (style: errors): a defect in one unit must not end the others.
            service = self._owner.rpartition("/")[2]
            logger.exception("Cannot %s %s", name, self._owner, extra={"service": service})
            if not scope.cancel_called:
                self._on_defect(name)
        finally:
            ended.set()
            if self._scopes.get(name) is scope:
                del self._scopes[name], self._ended[name]


def is_cancelled() -> bool:
    """Tell whether the running task was cancelled, though it has not noticed yet."""
    return anyio.current_effective_deadline() == -math.inf
