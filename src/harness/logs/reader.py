"""Iterators over the output of one or several units: first what is there, then what comes.

What is there is merged by time; what comes is handed out in the order it is noticed. Readers pull:
a slow one reads the files later, and nobody waits for it. They hold no descriptor and no task, so
one that is dropped half-way needs no closing.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Self

import anyio
from anyio import to_thread

from harness.patterns import Pattern

from .chunk import CHUNK_BYTES, LINE_BYTES, STREAMS, Chunk
from .lane import Lane, Span
from .pieces import Selection
from .stream import LogStream

if TYPE_CHECKING:
    from .unit_log import UnitLog

__all__ = ["LineReader", "LogReader", "merge"]

_ALL_BLOCKS_BYTES = 8 * 1024 * 1024
_SMALLEST_BLOCK = 16 * 1024


def merge(
    logs: Iterable[UnitLog],
    *,
    follow: bool = False,
    tail: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    grep: Pattern | None = None,
    streams: Sequence[str] = STREAMS,
    offsets: Mapping[str, Mapping[str, int]] | None = None,
    unfinished: bool = False,
) -> LogReader:
    """Read several units' output as one.

    Args:
        logs: whose output.
        follow: go on with what comes, for ever; False: end with what is there now.
        tail: only the last so many lines of each unit, of those the other conditions leave; of
            what has no offset.
        since: only lines written at or after this time.
        until: only lines written at or before this time.
        grep: only lines it is found in; of a line it sees the first MiB.
        streams: which streams.
        offsets: where to start, unit → stream → offset, such as the `end` of the last chunk got.
        unfinished: when following, hand out the beginning of a line before its end comes.
    """
    return LogReader(
        [log.streams[name] for log in logs for name in streams],
        selection=Selection(grep=grep, since=since, until=until),
        is_following=follow,
        tail=tail,
        offsets=offsets or {},
        takes_unfinished=unfinished,
    )


class LogReader:
    """Async iterator of chunks; made by `merge` and by `UnitLog`.

    A cancelled `anext` loses nothing: the next one goes on.

    Attributes:
        is_live: set once a reader that follows has handed out what was there.
        offsets: unit → stream → where it begins, once that is located, and where what was there
            ended, once it is live.
    """

    def __init__(
        self,
        streams: Sequence[LogStream],
        *,
        selection: Selection,
        is_following: bool,
        tail: int | None,
        offsets: Mapping[str, Mapping[str, int]],
        takes_unfinished: bool,
    ) -> None:
        block_bytes = max(_SMALLEST_BLOCK, _ALL_BLOCKS_BYTES // max(1, len(streams)))
        block_bytes = min(CHUNK_BYTES, block_bytes)
        self._lanes = [Lane(s, selection=selection, block_bytes=block_bytes) for s in streams]
        self._selection = selection
        self._is_following = is_following
        self._tail = tail
        self.offsets = offsets
        self.is_live = anyio.Event()
        self._takes_unfinished = takes_unfinished
        self._spans: list[Span] | None = None
        self._begun: frozenset[str] = frozenset()
        self._is_open = False
        self._is_finishing = False
        self._heads: list[tuple[datetime, int]] = []
        self._unfilled: set[int] = set()
        self._to_skip: dict[str, int] = {}
        self._ready: dict[Lane, None] = {}
        self._growth = anyio.Event()
        if is_following:
            for stream in streams:
                stream.listeners.add(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        if not self._is_open:
            await self._open()
        if not self.is_live.is_set():
            chunk = await self._next_by_time()
            if chunk is not None:
                return chunk
            if not self._is_following:
                raise StopAsyncIteration
            self._go_live()
        return await self._next_live()

    async def locate(self) -> None:
        """Find where reading starts and what is there now; else the first `anext` does.

        Whatever is written after this is handed out by a reader that follows.
        """
        if self._spans is None:
            spans = await to_thread.run_sync(self._find_spans)
            self._begun = frozenset(self.offsets)
            self.offsets = self._by_stream([span.begin for span in spans])
            self._spans = spans

    def finish(self) -> None:
        """End a reader that follows once it has handed out what is there now."""
        self._is_finishing = True
        self._takes_unfinished = True
        if self.is_live.is_set():
            self._go_live()
        self._growth.set()

    def grown(self, stream: LogStream) -> None:
        """Take note that there is more to read."""
        for lane in self._lanes:
            if lane.stream is stream:
                self._ready[lane] = None
        self._growth.set()

    # ── what is there, by time ───────────────────────────────────────────────────────────────────

    async def _open(self) -> None:
        await self.locate()
        spans = self._spans or []
        self._to_skip = await self._lines_before_tail(spans)
        await to_thread.run_sync(self._open_lanes, spans)
        self._is_open = True

    def _find_spans(self) -> list[Span]:
        # A pattern leaves an unknown part of the last lines: with one, all are counted.
        tail = self._tail if self._selection.grep is None or self._tail == 0 else None
        return [
            lane.span(
                offset=(offset := self.offsets.get(lane.stream.unit, {}).get(lane.stream.name)),
                tail=tail if offset is None else None,
                is_final=not self._is_following,
            )
            for lane in self._lanes
        ]

    def _by_stream(self, offsets: list[int]) -> Mapping[str, Mapping[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for lane, offset in zip(self._lanes, offsets, strict=True):
            found.setdefault(lane.stream.unit, {})[lane.stream.name] = offset
        return found

    def _open_lanes(self, spans: list[Span]) -> None:
        for lane, span in zip(self._lanes, spans, strict=True):
            lane.open(span)
        self._unfilled = set(range(len(self._lanes)))

    async def _lines_before_tail(self, spans: list[Span]) -> dict[str, int]:
        """Count, in a first pass, the lines of each unit that come before its last ones.

        One stream without a pattern needs none: its tail was found from its end.
        """
        by_unit: dict[str, list[int]] = {}
        for number, lane in enumerate(self._lanes):
            if lane.stream.unit not in self._begun:
                by_unit.setdefault(lane.stream.unit, []).append(number)
        to_skip: dict[str, int] = {}
        if not self._tail:
            return to_skip
        for unit, numbers in by_unit.items():
            if len(numbers) == 1 and self._selection.grep is None:
                continue
            first_pass = LogReader(
                [self._lanes[number].stream for number in numbers],
                selection=self._selection,
                is_following=False,
                tail=None,
                offsets={},
                takes_unfinished=False,
            )
            lines = await first_pass._count([spans[number] for number in numbers])
            to_skip[unit] = max(0, lines - self._tail)
        return to_skip

    async def _count(self, spans: list[Span]) -> int:
        await to_thread.run_sync(self._open_lanes, spans)
        lines = 0
        unfinished: dict[str, bool] = {}
        while (chunk := await self._next_by_time()) is not None:
            lines += chunk.text.count(b"\n")
            if chunk.text:  # a loss has none, and begins no line
                unfinished[chunk.stream] = not chunk.text.endswith(b"\n")
        return lines + sum(unfinished.values())

    async def _next_by_time(self) -> Chunk | None:
        while True:
            while self._unfilled:
                await to_thread.run_sync(self._fill)
            if not self._heads:
                return None
            _, number = heapq.heappop(self._heads)
            lane = self._lanes[number]
            chunk = self._without_skipped(lane.queue.popleft())
            if lane.queue:
                heapq.heappush(self._heads, (lane.queue[0].at, number))
            elif not lane.is_done:
                self._unfilled.add(number)
            if chunk is not None:
                return chunk

    def _fill(self) -> None:
        """Read on in the lanes that have nothing to hand out; in a worker thread."""
        for number in list(self._unfilled):
            lane = self._lanes[number]
            lane.fill()
            if lane.queue or lane.is_done:
                self._unfilled.discard(number)
            if lane.queue:
                heapq.heappush(self._heads, (lane.queue[0].at, number))

    def _without_skipped(self, chunk: Chunk) -> Chunk | None:
        """Take from a chunk the lines that come before the unit's tail."""
        left = self._to_skip.get(chunk.unit, 0)
        if not left:
            return chunk
        lines = chunk.text.count(b"\n")
        self._to_skip[chunk.unit] = max(0, left - lines)
        if lines <= left:
            return None
        position = 0
        for _ in range(left):
            position = chunk.text.index(b"\n", position) + 1
        return replace(chunk, text=chunk.text[position:])

    # ── what comes, as it comes ──────────────────────────────────────────────────────────────────

    def _go_live(self) -> None:
        if not self.is_live.is_set():
            self.offsets = self._by_stream([lane.offset for lane in self._lanes])
            self.is_live.set()
        for lane in self._lanes:
            lane.go_live(takes_unfinished=self._takes_unfinished)
            self._ready[lane] = None

    async def _next_live(self) -> Chunk:
        while True:
            while self._ready:
                lane = next(iter(self._ready))
                # Out first, and back behind the others while it has more: growth noticed while it
                # is read puts it back too.
                del self._ready[lane]
                if not lane.queue:
                    await self._refill(lane)
                if lane.queue:
                    self._ready[lane] = None
                    return lane.queue.popleft()
            if self._is_finishing:
                raise StopAsyncIteration
            self._growth = anyio.Event()
            await self._growth.wait()

    async def _refill(self, lane: Lane) -> None:
        try:
            await to_thread.run_sync(lane.fill)
        except BaseException:
            self._ready[lane] = None
            raise
        if not lane.is_done:
            self._ready[lane] = None


class LineReader:
    """Async iterator of (stream, line without its newline), live; made by `UnitLog.lines_since`.

    Only finished lines are handed out; of a longer line the first MiB, and of a line whose rest was
    dropped from the disk what had been read of it.
    """

    def __init__(self, chunks: LogReader) -> None:
        self._chunks = chunks
        self._lines: deque[tuple[str, bytes]] = deque()
        self._begun: dict[str, bytearray] = {}

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[str, bytes]:
        while not self._lines:
            self._take(await anext(self._chunks))
        return self._lines.popleft()

    def _take(self, chunk: Chunk) -> None:
        begun = self._begun.setdefault(chunk.stream, bytearray())
        if chunk.skipped and begun:
            # What comes next belongs to another line.
            self._lines.append((chunk.stream, bytes(begun)))
            begun.clear()
        *whole, rest = chunk.text.split(b"\n")
        for line in whole:
            begun += line[: LINE_BYTES - len(begun)]
            self._lines.append((chunk.stream, bytes(begun)))
            begun.clear()
        begun += rest[: LINE_BYTES - len(begun)]
