"""Output of units."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from .connection import Connection
from .subscription import WINDOW_BYTES, Items

if TYPE_CHECKING:
    from .results import LogChunk

__all__ = ["Logs"]


class Logs:
    """Methods `logs.*`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def read(
        self,
        *,
        project: str,
        units: Sequence[str] = (),
        tail: int | None = None,
        since: str | None = None,
        until: str | None = None,
        grep: str | None = None,
        stream: Literal["stdout", "stderr"] | None = None,
        follow: bool = False,
        unfinished: bool = False,
        while_up: bool = False,
        offsets: Mapping[str, Mapping[str, int]] | None = None,
    ) -> AsyncIterator[AsyncIterator[LogChunk]]:
        """Read output while the context is open.

        Args:
            project: name.
            units: names; empty: all.
            tail: this many last lines of each unit; None: all that is kept.
            since: ISO 8601.
            until: ISO 8601.
            grep: regular expression; only lines it is found in.
            stream: None: both.
            follow: go on with what comes; nothing is missed that is written once the context is
                open.
            unfinished: when following, the beginning of a line comes before its end does.
            while_up: when following, end when all units have ended and none is to start again.
            offsets: where to go on, unit → stream → `end` of the last chunk that was got.

        Yields:
            An iteration over chunks {subscription, unit, stream, at, text, end}, and `skipped`
            where so many bytes before the text were taken by the log's cap before they could be
            read; it ends with the output; when following only as `while_up` says. Bytes that are no
            UTF-8 are lone surrogates in `text`: write it with the error handler `surrogateescape`.
        """
        params = {
            "project": project,
            "units": list(units),
            "tail": tail,
            "since": since,
            "until": until,
            "grep": grep,
            "stream": stream,
            "follow": follow,
            "unfinished": unfinished,
            "while_up": while_up,
            "offsets": offsets or {},
        }
        async with self._connection.subscribe(
            "logs.read", params, window=WINDOW_BYTES
        ) as subscription:
            yield Items(subscription, _chunk)


def _chunk(method: str, params: Any) -> LogChunk | None:
    return None if method == "logs.end" else params
