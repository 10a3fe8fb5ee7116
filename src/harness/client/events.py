"""Facts, numbered."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from .connection import Connection
from .subscription import WINDOW_BYTES, Items

if TYPE_CHECKING:
    from .results import EventRecord

__all__ = ["Events"]


class Events:
    """Methods `events.*`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(
        self, *, after: int = 0, limit: int = 1_000, project: str | None = None
    ) -> builtins.list[EventRecord]:
        """Return stored events with higher numbers than `after`, in order, at most `limit`."""
        params = {"after": after, "limit": limit, "project": project}
        result: builtins.list[EventRecord] = await self._connection.call("events.list", params)
        return result

    @asynccontextmanager
    async def subscribe(
        self, *, after: int | None = None, project: str | None = None
    ) -> AsyncIterator[AsyncIterator[EventRecord]]:
        """Follow events while the context is open.

        Args:
            after: stored events with higher numbers come first; None: only what happens from now
                on.
            project: None: of all projects and of the daemon.

        Yields:
            An endless iteration over events {number, at, kind, project, unit, data}; one of kind
            `gap` stands for some that were lost because they were not read in time.
        """
        params = {"after": after, "project": project}
        async with self._connection.subscribe(
            "events.subscribe", params, window=WINDOW_BYTES
        ) as subscription:
            yield Items(subscription, _event)


def _event(_: str, params: Mapping[str, Any]) -> EventRecord:
    event: EventRecord = params["event"]
    return event
