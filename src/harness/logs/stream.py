"""One stream's file: its bounds, its blocks and its last lines.

Everything here blocks for as long as the disk takes and is called in worker threads. No descriptor
stays open between calls: hundreds of streams cost none, and nobody has to close anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from harness.clock import Clock

from .chunk import LINE_BYTES
from .index import Marks
from .kernel import first_data

__all__ = ["Block", "Listener", "LogStream", "largest_block", "line_start", "recovered_start"]

_SCAN_BYTES = 64 * 1024
_COMMON_BLOCK_BYTES = 64 * 1024  # no file system of a disk has larger ones


class Listener(Protocol):
    """Who wants to know that a stream grew; called in the event loop, must not block."""

    def grown(self, stream: LogStream) -> None:
        """Take note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Bytes read in one go.

    Attributes:
        begin: offset of the first byte; later than asked when bytes before it were dropped.
        data: the bytes.
        has_more: there were bytes after it, up to the end that was asked for.
        tail_ns: time of bytes after the last mark.
    """

    begin: int
    data: bytes
    has_more: bool
    tail_ns: int


class LogStream:
    """A stream's log and index.

    Attributes:
        generation: grows when the log was emptied, so that offsets count from 0 again.
        listeners: told when it grew, as long as they are alive.
    """

    def __init__(self, directory: Path, *, unit: str, name: str, clock: Clock) -> None:
        self.unit = unit
        self.name = name
        self.path = directory / f"{name}.log"
        self._file = str(self.path)  # a path makes its text anew each time, which shows
        self.index_path = directory / f"{name}.idx"
        self.generation = 0
        self.listeners: WeakSet[Listener] = WeakSet()
        self._clock = clock

    def now_ns(self) -> int:
        """Return the time, nanoseconds since 1970."""
        return int(self._clock.now().timestamp() * 1_000_000) * 1_000

    def marks(self) -> Marks:
        """Return a view of the index, read."""
        marks = Marks(path=self.index_path)
        marks.refresh()
        return marks

    def size(self) -> int:
        """Return the offset after the newest byte; 0 when there is no log."""
        try:
            return os.stat(self._file).st_size
        except FileNotFoundError:
            return 0

    def bounds(self, marks: Marks) -> tuple[int, int]:
        """Return the offsets of the first kept byte and after the newest."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return 0, 0
        try:
            size = os.fstat(descriptor).st_size
            start = recovered_start(descriptor) if marks.start is None else marks.start
        finally:
            os.close(descriptor)
        return min(start, size), size

    def block(self, marks: Marks, offset: int, limit: int, end: int | None) -> Block:
        """Read up to `limit` kept bytes from `offset` on, none of them at or after `end`.

        What is dropped from the disk while it is read is noticed: the start in the index is moved
        before the bytes are, so bytes before the start as it is after reading are not used.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return Block(begin=offset, data=b"", has_more=False, tail_ns=0)
        try:
            status = os.fstat(descriptor)
            stop = status.st_size if end is None else min(end, status.st_size)
            begin = min(max(offset, marks.start or 0), max(offset, stop))
            while True:
                data = os.pread(descriptor, max(0, min(limit, stop - begin)), begin)
                marks.refresh()
                start = recovered_start(descriptor) if marks.start is None else marks.start
                start = min(start, stop)
                if start <= begin:
                    break
                data, begin = data[start - begin :], start
                if data:
                    break
                if begin >= stop:
                    break
        finally:
            os.close(descriptor)
        tail_ns = min(status.st_mtime_ns, self.now_ns())
        has_more = begin + len(data) < stop
        return Block(begin=begin, data=data, has_more=has_more, tail_ns=tail_ns)

    def line_end(self, *, start: int, end: int) -> int:
        """Return the offset after the last newline before `end`; `end` when none is in reach."""
        if end <= start:
            return end
        with self.path.open("rb", buffering=0) as file:
            position = end
            while position > max(start, end - LINE_BYTES):
                begin = max(start, position - _SCAN_BYTES)
                found = os.pread(file.fileno(), position - begin, begin).rfind(b"\n")
                if found >= 0:
                    return begin + found + 1
                position = begin
        return end if position > start else start

    def tail_offset(self, lines: int, *, start: int, end: int) -> int:
        """Return the offset of the last `lines` lines before `end`, read backwards from there."""
        if lines <= 0 or end <= start:
            return end
        with self.path.open("rb", buffering=0) as file:
            descriptor = file.fileno()
            # A newline at the very end closes the last line; it separates nothing.
            position = end - 1 if os.pread(descriptor, 1, end - 1) == b"\n" else end
            left = lines
            while position > start:
                begin = max(start, position - _SCAN_BYTES)
                data = os.pread(descriptor, position - begin, begin)
                found = data.count(b"\n")
                if found >= left:
                    cut = len(data)
                    for _ in range(left):
                        cut = data.rfind(b"\n", 0, cut)
                    return begin + cut + 1
                left -= found
                position = begin
        return start

    def announce(self) -> None:
        """Tell the listeners that there is more to read; in the event loop only."""
        for listener in list(self.listeners):
            listener.grown(self)


def recovered_start(descriptor: int) -> int:
    """Return the first kept offset of a log whose index is lost.

    The hole at its head ends with a block whose first part is zeros too.
    """
    begin = first_data(descriptor)
    if begin == 0:
        return 0
    head = os.pread(descriptor, largest_block(descriptor), begin)
    return begin + len(head) - len(head.lstrip(b"\0"))


def largest_block(descriptor: int) -> int:
    """Return how large a block of the file may be: a hole gives back no part of one.

    So many bytes of zeros can also be left of a hole's end.
    """
    return max(_COMMON_BLOCK_BYTES, os.fstat(descriptor).st_blksize)


def line_start(descriptor: int, offset: int, size: int) -> int:
    """Return where the first line at or after `offset` begins; `offset` when none is in reach."""
    position = offset - 1
    while 0 <= position < min(size, offset + LINE_BYTES):
        data = os.pread(descriptor, min(_SCAN_BYTES, size - position), position)
        found = data.find(b"\n")
        if found >= 0:
            return position + found + 1
        position += max(1, len(data))
    return max(0, offset)
