"""One stream read from an offset on: blocks become chunks of whole lines with one time each.

Work per line is done only where a pattern asks for it. Everything here blocks for as long as the
disk takes and is called in worker threads.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from harness.patterns import Pattern

from .chunk import CHUNK_BYTES, LINE_BYTES, Chunk
from .stream import Block, LogStream

__all__ = ["Selection", "StreamReader"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which lines are wanted: written in a span of time, and matched by a pattern."""

    grep: Pattern | None = None
    since: datetime | None = None
    until: datetime | None = None

    def has(self, at: datetime) -> bool:
        """Tell whether a time is in the span."""
        return (self.since is None or at >= self.since) and (self.until is None or at <= self.until)


class StreamReader:
    """Reads one stream forwards.

    Attributes:
        offset: of the next byte to read.
    """

    def __init__(
        self, stream: LogStream, *, offset: int, selection: Selection, block_bytes: int
    ) -> None:
        self.offset = offset
        self._stream = stream
        self._selection = selection
        self._block_bytes = block_bytes
        self._marks = stream.marks()
        self._generation = stream.generation
        self._skipped = 0
        # Inside a line too long for one block: whether its rest is wanted. None: at a line's start.
        self._rest: bool | None = None

    def drop_since(self) -> None:
        """Take what comes whatever its time: the clock may go back while somebody follows."""
        self._selection = replace(self._selection, since=None)

    def step(self, *, end: int | None, unfinished: bool) -> tuple[list[Chunk], bool]:
        """Read one block.

        What was dropped before it could be read is told at once, without text where none is wanted.

        Args:
            end: read nothing from this offset on; None: up to what is there.
            unfinished: take a last line without newline too.

        Returns:
            The wanted chunks in it, and whether there may be more to read now.
        """
        chunks, has_more = self._step(end=end, unfinished=unfinished)
        if self._skipped and not chunks:
            chunks = [self._loss()]
        return chunks, has_more

    def _step(self, *, end: int | None, unfinished: bool) -> tuple[list[Chunk], bool]:
        if self._generation != self._stream.generation:
            self._generation = self._stream.generation
            self.offset, self._rest = 0, None
        grep = self._selection.grep
        block = self._read(self._block_bytes, end)
        data = block.data
        if self._rest is not None:
            return self._continued(block)
        length = data.rfind(b"\n") + 1
        is_full = len(data) == self._block_bytes
        if not length and is_full and grep is not None:
            block = self._read(LINE_BYTES, end)
            data = block.data
            length = data.rfind(b"\n") + 1
            is_full = len(data) == LINE_BYTES
        if length:
            chunks = list(self._chunks(block, data[:length]))
            self._advance(block, length)
            return chunks, block.has_more or (unfinished and length < len(data))
        if not is_full and (not data or block.has_more or not unfinished):
            # Nothing, the beginning of a line, or a block partly dropped while it was read.
            return [], block.has_more
        self._rest = grep is None or grep.is_in(data)
        chunks = list(self._whole(block, data)) if self._rest else []
        if grep is None:
            self._rest = None
        self._advance(block, len(data))
        return chunks, block.has_more

    def _read(self, limit: int, end: int | None) -> Block:
        block = self._stream.block(self._marks, self.offset, limit, end)
        if block.begin > self.offset:
            self._skipped += block.begin - self.offset
            self.offset = block.begin
            self._rest = None
        return block

    def _advance(self, block: Block, length: int) -> None:
        self.offset = block.begin + length

    def _continued(self, block: Block) -> tuple[list[Chunk], bool]:
        """Read on inside a long line, to its end and not beyond."""
        length = block.data.find(b"\n") + 1
        piece = block.data[:length] if length else block.data
        chunks = list(self._whole(block, piece)) if self._rest and piece else []
        if length:
            self._rest = None
        self._advance(block, len(piece))
        return chunks, block.has_more or length < len(block.data)

    def _whole(self, block: Block, data: bytes) -> Iterator[Chunk]:
        """Yield a piece of one line, with the time of its last byte."""
        at = self._time(self._after(block.begin + len(data) - 1), block.tail_ns)
        if self._selection.has(at):
            yield from self._cut(at, data, block.begin)

    def _chunks(self, block: Block, data: bytes) -> Iterator[Chunk]:
        """Yield whole lines, cut where their time changes; a line's time is that of its end."""
        offsets, begin = self._marks.offsets, block.begin
        size, position = len(data), 0
        mark = self._after(begin)
        while position < size:
            cut = size
            if mark < len(offsets) and offsets[mark] - begin < size:
                cut = data.rfind(b"\n", position, max(position, offsets[mark] - begin)) + 1
            if cut > position:
                at = self._time(mark, block.tail_ns)
                if self._selection.has(at):
                    lines = data if cut - position == size else data[position:cut]
                    yield from self._matching(at, lines, begin + position)
                position = cut
            mark += 1

    def _matching(self, at: datetime, lines: bytes, begin: int) -> Iterator[Chunk]:
        grep = self._selection.grep
        if grep is None:
            yield from self._cut(at, lines, begin)
            return
        wanted = grep.lines_in(lines)
        if wanted:
            text = b"\n".join(wanted) + b"\n"
            yield from self._cut(at, text, begin + len(lines) - len(text))

    def _cut(self, at: datetime, text: bytes, begin: int) -> Iterator[Chunk]:
        for position in range(0, len(text), CHUNK_BYTES):
            part = text if len(text) <= CHUNK_BYTES else text[position : position + CHUNK_BYTES]
            skipped, self._skipped = self._skipped, 0
            yield Chunk(
                unit=self._stream.unit,
                stream=self._stream.name,
                at=at,
                text=part,
                end=begin + position + len(part),
                skipped=skipped,
            )

    def _loss(self) -> Chunk:
        """Tell what was dropped, with the time of the last byte before the offset."""
        skipped, self._skipped = self._skipped, 0
        mark = self._after(max(0, self.offset - 1))
        return Chunk(
            unit=self._stream.unit,
            stream=self._stream.name,
            at=self._time(mark, self._stream.now_ns()),
            text=b"",
            end=self.offset,
            skipped=skipped,
        )

    def _after(self, offset: int) -> int:
        """Return the number of the first mark after a byte: the time it was written by."""
        return bisect_right(self._marks.offsets, offset)

    def _time(self, mark: int, tail_ns: int) -> datetime:
        """Return the time of a mark, or that of the newest bytes when they have none yet."""
        times = self._marks.times
        time_ns = times[mark] if mark < len(times) else tail_ns
        return datetime.fromtimestamp(time_ns // 1_000 / 1_000_000, UTC)
