"""A stream being read by an iterator: where it starts, what was read and not yet handed out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from .chunk import Chunk
from .index import Marks
from .pieces import Selection, StreamReader
from .stream import LogStream

__all__ = ["Lane", "Span"]

_STEPS = 16  # blocks without a wanted line in a row, before somebody else gets the thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The part of a stream that is there.

    Attributes:
        begin: offset of its first byte.
        end: offset after its last.
        takes_unfinished: a last line without newline is part of it.
    """

    begin: int
    end: int
    takes_unfinished: bool


class Lane:
    """One stream of a reader.

    Attributes:
        stream: what is read.
        queue: chunks read and not yet handed out.
        is_done: nothing more will come before `end`.
    """

    def __init__(self, stream: LogStream, *, selection: Selection, block_bytes: int) -> None:
        self.stream = stream
        self.queue: deque[Chunk] = deque()
        self.is_done = False
        self._selection = selection
        self._block_bytes = block_bytes
        self._end: int | None = 0
        self._takes_unfinished = False

    @property
    def offset(self) -> int:
        """Where in the stream it will read on."""
        return self._reader.offset

    def span(self, *, offset: int | None, tail: int | None, is_final: bool) -> Span:
        """Find the part to read, up to what is there now.

        Args:
            offset: where to start; None: at the first kept byte.
            tail: start so many lines before the end, if that is later.
            is_final: nothing is read after it, so a last line without newline counts.
        """
        marks = self.stream.marks()
        start, size = self.stream.bounds(marks)
        end = size
        until = self._selection.until
        if until is not None:
            until_ns = int(until.timestamp() * 1_000_000) * 1_000 + 999
            if marks.times and marks.times[-1] > until_ns:
                end = marks.last_until(until_ns)
        takes_unfinished = is_final and end == size
        if not takes_unfinished:
            end = self.stream.line_end(start=start, end=end)
        begin = self._begin(marks, start) if offset is None or offset > size else offset
        if tail is not None:
            begin = max(begin, self.stream.tail_offset(tail, start=start, end=end))
        return Span(begin=begin, end=end, takes_unfinished=takes_unfinished)

    def open(self, span: Span) -> None:
        """Begin to read that part."""
        self._end = span.end
        self._takes_unfinished = span.takes_unfinished
        self._reader = StreamReader(
            self.stream,
            offset=span.begin,
            selection=self._selection,
            block_bytes=self._block_bytes,
        )

    def _begin(self, marks: Marks, start: int) -> int:
        if self._selection.since is None:
            return start
        since_ns = int(self._selection.since.timestamp() * 1_000_000) * 1_000
        offset = marks.first_since(since_ns)
        return self.stream.line_end(start=start, end=offset) if offset > start else start

    def go_live(self, *, takes_unfinished: bool) -> None:
        """From now on read whatever is there."""
        self._end = None
        self.is_done = False
        self._reader.drop_since()
        self._takes_unfinished = takes_unfinished

    def fill(self) -> None:
        """Read until there is a chunk to hand out, or nothing to read, or for long enough.

        The state is changed here, in the worker thread, so a caller cancelled meanwhile loses
        nothing.
        """
        for _ in range(_STEPS):
            chunks, has_more = self._reader.step(end=self._end, unfinished=self._takes_unfinished)
            self.queue.extend(chunks)
            self.is_done = not has_more
            if chunks or self.is_done:
                return
