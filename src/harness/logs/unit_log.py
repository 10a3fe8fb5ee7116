"""One unit's output: two streams in a directory, shared by all runs of the unit.

Offsets only grow, whatever is dropped from the disk, until the log is cleared.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import anyio
from anyio import to_thread

from harness.clock import Clock
from harness.patterns import Pattern

from .chunk import CHUNK_BYTES, STREAMS, Chunk
from .pieces import Selection, StreamReader
from .reader import LineReader, LogReader, merge
from .stream import LogStream

__all__ = ["UnitLog"]

_GLANCE_BYTES = 256 * 1024  # how far back `last_lines` looks in each stream


class UnitLog:
    """Reads what one unit wrote; making one touches no file.

    Args:
        directory: where `stdout.log` and `stderr.log` are or will be.
        unit: the unit's name, for chunks and notices.
        max_bytes: what a watcher keeps of each stream on disk.
        clock: says what time it is when bytes are dated.

    Attributes:
        streams: stream name → its files.
        limiter: serialises with the watcher that watches this log; None when none does.
    """

    def __init__(self, directory: Path, *, unit: str, max_bytes: int, clock: Clock) -> None:
        self.directory = directory
        self.unit = unit
        self.max_bytes = max_bytes
        self.limiter: anyio.CapacityLimiter | None = None
        self.streams = {
            name: LogStream(directory, unit=unit, name=name, clock=clock) for name in STREAMS
        }

    def read(
        self,
        *,
        tail: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        grep: Pattern | None = None,
        streams: Sequence[str] = STREAMS,
    ) -> LogReader:
        """Read what is there now, by time; a last line without newline included.

        The arguments are those of `merge`.
        """
        return merge([self], tail=tail, since=since, until=until, grep=grep, streams=streams)

    def follow(
        self,
        *,
        tail: int | None = None,
        since: datetime | None = None,
        grep: Pattern | None = None,
        streams: Sequence[str] = STREAMS,
        offsets: Mapping[str, int] | None = None,
        unfinished: bool = False,
    ) -> LogReader:
        """Read what is there, then what comes, over all runs; no line is lost or doubled.

        It is woken by the watcher that watches this log. The arguments are those of `merge`, with
        `offsets` from stream to offset.
        """
        return merge(
            [self],
            follow=True,
            tail=tail,
            since=since,
            grep=grep,
            streams=streams,
            offsets={self.unit: offsets or {}},
            unfinished=unfinished,
        )

    def lines_since(self, offsets: Mapping[str, int]) -> LineReader:
        """Follow single lines from the offsets on; a stream without one is read from its start."""
        return LineReader(self.follow(streams=STREAMS, offsets=offsets))

    async def offsets(self) -> dict[str, int]:
        """Return stream → the offset after its newest byte, to follow from there later."""
        return await to_thread.run_sync(
            lambda: {name: stream.size() for name, stream in self.streams.items()}
        )

    def last_lines(self, count: int, *, since: Mapping[str, int] | None = None) -> list[str]:
        """Return the last lines of both streams, oldest first, as text without newlines.

        `since` is stream → offset: nothing before it counts.

        Blocks for one short read of each stream; looks at no more than their last 256 KiB. Bytes
        that are not UTF-8 are replaced.
        """
        chunks = [
            chunk
            for name, stream in self.streams.items()
            for chunk in _last(stream, count, (since or {}).get(name, 0))
        ]
        chunks.sort(key=lambda chunk: chunk.at)
        lines = [line for c in chunks for line in c.text.removesuffix(b"\n").split(b"\n")]
        return [line.decode("utf-8", "replace").rstrip("\r") for line in lines[-count:]]

    async def clear(self) -> None:
        """Drop all output; offsets count from 0 again. The unit should not be running."""
        await to_thread.run_sync(self._empty, limiter=self.limiter)
        for stream in self.streams.values():
            stream.announce()

    def _empty(self) -> None:
        for stream in self.streams.values():
            if stream.path.exists():
                os.truncate(stream.path, 0)
            stream.index_path.unlink(missing_ok=True)
            stream.generation += 1


def _last(stream: LogStream, lines: int, since: int) -> list[Chunk]:
    start, end = stream.bounds(stream.marks())
    start = min(max(start, end - _GLANCE_BYTES, since), end)
    reader = StreamReader(
        stream,
        offset=stream.tail_offset(lines, start=start, end=end),
        selection=Selection(),
        block_bytes=CHUNK_BYTES,
    )
    chunks: list[Chunk] = []
    has_more = lines > 0
    while has_more:
        found, has_more = reader.step(end=end, unfinished=True)
        chunks += [chunk for chunk in found if chunk.text]
    return chunks
