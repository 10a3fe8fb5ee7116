"""The daemon's side of one stream: marks its growth, and gives its oldest bytes back to the disk.

Everything here blocks for as long as the disk takes and is called in worker threads, one at a time.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from time import monotonic

from .index import MARK, MAX_MARKS, Marks, pack_header, thinned, write_index
from .kernel import punch_hole
from .notice import CapRefused, LogNotice, LogsDropped
from .pace import LONGEST_WAIT_S, Pace
from .stream import LogStream, largest_block, line_start, recovered_start

__all__ = ["StreamKeeper"]

_PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EINTR)
_ROOM_BYTES = 64 * 1024
_PROBE_BYTES = 1 << 30
_LOW_WATER = 0.75  # of the cap: so much is left when it is reached, to drop seldom
_HIGH_WATER = 1.25  # of the cap: what it may grow to, at the pace seen, before it is looked at


class StreamKeeper:
    """Keeps one stream's index and size.

    Attributes:
        stream: what it keeps.
        size: of the log when it was last looked at.
        start: offset of the first kept byte.
        device: the file system it is on.
        is_gone: the log was deleted; nothing more can be done for it.
        due_at: monotonic moment by which it should be looked at again if it keeps its pace; counts
            only while it is not watched.
        is_fast: it could pass its cap before the next round of looks at slow ones.
    """

    def __init__(self, stream: LogStream, *, max_bytes: int) -> None:
        self.stream = stream
        self.size = 0
        self.start = 0
        self.device = 0
        self.is_gone = False
        self.due_at = 0.0
        self.is_fast = False
        self._pace = Pace()
        self._max_bytes = max_bytes
        self._generation = stream.generation
        self._is_prepared = False
        self._is_refused = False
        self._is_probed = False
        self._punched = 0
        self._epoch = 0
        self._marks = 0
        self._last = 0

    def wake(self) -> None:
        """Its watch fired: what it did before says nothing about how fast it grows now."""
        self._pace.forget()
        self.is_fast, self.due_at = True, 0.0

    def is_over(self) -> bool:
        """Look at the log's size alone; tell whether it is over its cap."""
        try:
            size = os.stat(self.stream.path).st_size
        except OSError:
            # Whoever looks at the whole of it finds out what that means.
            self.is_fast, self.due_at = False, _next_round(monotonic())
            return False
        self._note(size)
        return size - self.start > self._max_bytes and not self._is_refused

    def _note(self, size: int) -> None:
        now = monotonic()
        self._pace.note(now, size)
        room = int(self._max_bytes * _HIGH_WATER) - (size - self.start)
        wait_s = LONGEST_WAIT_S if self._is_refused else self._pace.wait_s(room)
        self.is_fast = wait_s < LONGEST_WAIT_S
        # All slow ones come due together, so that one glance does for many.
        self.due_at = now + wait_s if self.is_fast else _next_round(now)

    @property
    def kept_bytes(self) -> int:
        """How many bytes of the stream are on disk."""
        return self.size - self.start

    @property
    def directory(self) -> Path:
        """Where the stream's files are."""
        return self.stream.path.parent

    def observe(self) -> tuple[bool, OSError | None]:
        """Look at the log and mark its growth.

        Returns:
            Whether it changed since the last look, and why the mark could not be written, if so.
        """
        try:
            if not self._is_prepared:
                self._prepare()
                return True, None
            return self._look(), None
        except FileNotFoundError:
            self.is_gone = True
            return False, None
        except OSError as error:
            # What is in the index now is not known; mend it at the next look.
            self._is_prepared = False
            return True, error

    def _prepare(self) -> None:
        """Create what is missing, mend the index, and date what was written unwatched."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self.stream.path, flags, 0o600)
        try:
            status = os.fstat(descriptor)
            marks = self.stream.marks()
            start = recovered_start(descriptor) if marks.start is None else marks.start
        finally:
            os.close(descriptor)
        known = marks.start is not None and start <= status.st_size
        marks.drop_after(status.st_size)
        self.size, self.device = status.st_size, status.st_dev
        self.start = start if start <= status.st_size else 0
        if known and marks.is_whole:
            self._epoch, self._marks = marks.epoch, len(marks.offsets)
        elif status.st_size or os.path.lexists(self.stream.index_path):
            self._rewrite(marks)
        # Else the index is made with the first output; many services never print anything.
        self._last = marks.offsets[-1] if marks.offsets else 0
        self._is_prepared = True
        self._punched = 0
        self._note(self.size)
        self._mark(status)

    def _look(self) -> bool:
        status = os.stat(self.stream.path)
        if status.st_size < self.size or self._generation != self.stream.generation:
            self._start_over()
        self._note(status.st_size)
        if status.st_size == self.size:
            return False
        self.size = status.st_size
        self._mark(status)
        return True

    def _start_over(self) -> None:
        """The log was emptied: offsets count from 0 again."""
        if self._generation == self.stream.generation:
            self.stream.generation += 1
        self._generation = self.stream.generation
        self.size = self.start = self._last = self._punched = 0
        self._rewrite(Marks(path=self.stream.index_path))

    def _mark(self, status: os.stat_result) -> None:
        """Note when the bytes so far had been written.

        The file's own time is when its last write happened, so it is nearer to the truth than the
        time of looking, unless it lies in the future.
        """
        if status.st_size <= self._last:
            return
        mark = MARK.pack(status.st_size, min(status.st_mtime_ns, self.stream.now_ns()))
        path, flags = self.stream.index_path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            self._rewrite(Marks(path=path))
            descriptor = os.open(path, flags, 0o600)
        try:
            written = os.write(descriptor, mark)
        finally:
            os.close(descriptor)
        self._marks += 1
        self._last = status.st_size
        if written < MARK.size or self._marks >= MAX_MARKS:
            self._rewrite(self.stream.marks())

    def _rewrite(self, marks: Marks) -> None:
        """Replace the index, without marks of dropped bytes and with old marks thinned."""
        kept = [
            pair for pair in zip(marks.offsets, marks.times, strict=True) if pair[0] > self.start
        ]
        kept = thinned(kept)
        self._epoch = int.from_bytes(os.urandom(8))
        write_index(self.stream.index_path, start=self.start, epoch=self._epoch, marks=kept)
        self._marks = len(kept)

    def trim(self) -> LogNotice | None:
        """Drop the oldest bytes if the stream is over its cap."""
        if self.kept_bytes <= self._max_bytes:
            return None
        return self.drop_to(int(self._max_bytes * _LOW_WATER), cause="cap")

    def drop_to(self, kept_bytes: int, *, cause: str) -> LogNotice | None:
        """Drop the oldest whole lines until about `kept_bytes` are left.

        Returns:
            What was dropped, or that it cannot be done (once); None when there is nothing to tell.
        """
        if self._is_refused:
            return None
        stream = self.stream
        try:
            descriptor = os.open(stream.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        before = self.start
        try:
            start = line_start(descriptor, self.size - kept_bytes, self.size)
            if start <= before:
                return None
            # The start moves first: a reader, or a crash in between, never takes zeros for output.
            if not self._is_probed:
                # Far behind the end, where nothing is: a refusal must not come after the start
                # moved, because readers would have skipped what then stays.
                probe = self.size + _PROBE_BYTES
                punch_hole(descriptor, probe, probe + 4096)
                self._is_probed = True
            self._move_start(descriptor, start)
            # Behind the hole that is there, so that it costs what is freed and not what there was.
            punch_hole(descriptor, self._punched, start)
            self._punched = start - start % largest_block(descriptor)
        except OSError as error:
            if self._is_probed:
                self._restore_start(before)
            if error.errno in _PASSING:
                return None
            self._is_refused = True
            return CapRefused(
                directory=self.directory,
                unit=stream.unit,
                stream=stream.name,
                cause=str(error.strerror),
            )
        finally:
            os.close(descriptor)
        self._note(self.size)
        return LogsDropped(
            directory=self.directory,
            unit=stream.unit,
            stream=stream.name,
            size_bytes=start - before,
            cause=cause,
        )

    def _move_start(self, descriptor: int, start: int) -> None:
        try:
            self._write_start(start)
        except OSError as error:
            if error.errno not in _PASSING:
                raise
            # A full disk, and no index yet: its room comes from the log's first bytes. Without a
            # header readers take the end of the hole for the start.
            self.stream.index_path.unlink(missing_ok=True)
            punch_hole(descriptor, 0, min(start, _ROOM_BYTES))
            self._write_start(start)

    def _write_start(self, start: int) -> None:
        descriptor = os.open(self.stream.index_path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(descriptor, pack_header(start, self._epoch), 0)
        finally:
            os.close(descriptor)
        self.start = start

    def _restore_start(self, start: int) -> None:
        try:
            self._write_start(start)
        except OSError:
            self.start = start


def _next_round(now: float) -> float:
    return (now // LONGEST_WAIT_S + 1) * LONGEST_WAIT_S
