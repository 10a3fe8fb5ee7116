"""Output of units."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskStatus

from harness.daemon.dispatcher import Handler
from harness.errors import InvalidParameters
from harness.logs import STREAMS, Chunk, merge
from harness.patterns import Pattern, PatternError, compile_pattern
from harness.protocol import SubscriptionRef

if TYPE_CHECKING:
    from harness.daemon.channel import Channel
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import ReadLogsParams

__all__ = ["handlers", "pieces"]

_PIECE_BYTES = 64 * 1024
"""At most so much in one notification: a whole one fits into a socket's buffer."""


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `logs.*`."""

    async def read(params: ReadLogsParams, call: Call) -> SubscriptionRef:
        project = wiring.stacks.project(params.project)
        names = params.units or tuple(status.name for status in project.statuses())
        reader = merge(
            [project.log(name) for name in names],
            follow=params.follow,
            tail=params.tail,
            since=_moment(params.since, "since"),
            until=_moment(params.until, "until"),
            grep=_pattern(params.grep),
            streams=STREAMS if params.stream is None else (params.stream,),
            offsets=params.offsets,
            unfinished=params.unfinished,
        )

        async def finish() -> None:
            await project.until_over(names)
            reader.finish()

        async def tell_live(channel: Channel) -> None:
            await reader.is_live.wait()
            await channel.notify("logs.position", {"offsets": reader.offsets})

        async def run(channel: Channel, status: TaskStatus[None]) -> None:
            # Before the answer: what is written after that is not missed.
            await reader.locate()
            status.started()
            async with anyio.create_task_group() as tasks:
                if params.while_up:
                    tasks.start_soon(finish)
                if params.positions:
                    await channel.notify("logs.position", {"offsets": reader.offsets})
                    tasks.start_soon(tell_live, channel)
                async for chunk in reader:
                    await _send(channel, chunk)
                tasks.cancel_scope.cancel()
            await channel.notify("logs.end", {})

        return SubscriptionRef(subscription=await call.open_channel(run, window=params.window))

    return {"logs.read": read}


async def _send(channel: Channel, chunk: Chunk) -> None:
    facts = {"unit": chunk.unit, "stream": chunk.stream, "at": chunk.at.isoformat()}
    lost = {"skipped": chunk.skipped} if chunk.skipped else {}
    left = len(chunk.text)
    for piece in pieces(chunk.text):
        left -= len(piece)
        text = piece.decode("utf-8", "surrogateescape")
        end = None if left else chunk.end
        await channel.notify("logs.chunk", {**facts, "text": text, **lost, "end": end})
        lost = {}


def pieces(text: bytes) -> Iterator[bytes]:
    """Cut text into pieces for one notification each, after a newline where there is one."""
    start = 0
    while len(text) - start > _PIECE_BYTES:
        end = text.rfind(b"\n", start, start + _PIECE_BYTES) + 1 or start + _PIECE_BYTES
        yield text[start:end]
        start = end
    yield text[start:] if start else text


def _moment(text: str | None, name: str) -> datetime | None:
    """Read ISO 8601; without an offset it is UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidParameters(f"cannot call logs.read: {name}: {error}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _pattern(text: str | None) -> Pattern | None:
    if text is None:
        return None
    try:
        return compile_pattern(text)
    except PatternError as error:
        raise InvalidParameters(f"cannot search for {text}: it {error}", hint=error.hint) from error
