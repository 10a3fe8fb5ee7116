"""When bytes were written, and where a stream's kept part begins: a small file beside each log.

The file is a header of 32 bytes and then marks of 16: (offset, time) means "at that time all bytes
before the offset had been written". Numbers are in the machine's own byte order: the file never
leaves it. It is never synced; whatever is torn or missing only makes times coarser, because the
bytes themselves are in the log. Marks are thinned with age, so the file stays below 70 KiB.
"""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

__all__ = ["HEADER_BYTES", "MARK", "MAX_MARKS", "Marks", "pack_header", "thinned", "write_index"]

HEADER_BYTES = 32
MARK = struct.Struct("=QQ")
MAX_MARKS = 4_096
_KEPT_FINE = 1_024  # the newest marks, never thinned
_KEPT_COARSE = 1_024  # at most this many before them
_FIRST_GRAIN_NS = 1_000_000
_HEADER = struct.Struct("=4sHHQQ")
_MAGIC = b"hlix"
_VERSION = 1


def pack_header(start: int, epoch: int) -> bytes:
    """Return the header: the offset of the first kept byte, and the number of this rewrite."""
    fields = _HEADER.pack(_MAGIC, _VERSION, 0, start, epoch)
    return (fields + struct.pack("=I", zlib.crc32(fields))).ljust(HEADER_BYTES, b"\0")


def _unpack_header(data: bytes) -> tuple[int, int] | None:
    """Return (start, epoch), or None when the header is torn, foreign or of another version."""
    if len(data) < HEADER_BYTES:
        return None
    fields = data[: _HEADER.size]
    magic, version, _, start, epoch = _HEADER.unpack(fields)
    (checksum,) = struct.unpack_from("=I", data, _HEADER.size)
    if magic != _MAGIC or version != _VERSION or checksum != zlib.crc32(fields):
        return None
    return start, epoch


def _times() -> array[int]:
    return array("Q")


@dataclass(slots=True, kw_only=True)
class Marks:
    """A reader's view of one index, read on as the file grows.

    Attributes:
        path: the index file; it may be missing.
        start: offset of the first kept byte, or None when no readable header says it.
        epoch: number of the rewrite that was read.
        offsets: of the marks, growing.
        times: of the marks, nanoseconds since 1970; they go back where the clock did.
        is_whole: False when marks were torn or out of order, and ignored.
    """

    path: Path
    start: int | None = None
    epoch: int = 0
    offsets: array[int] = field(default_factory=_times)
    times: array[int] = field(default_factory=_times)
    is_whole: bool = True

    def refresh(self) -> None:
        """Read what was added since the last time; all of it when the file was rewritten."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._forget(None, 0)
            return
        try:
            header = _unpack_header(os.pread(descriptor, HEADER_BYTES, 0))
            if header is None:
                self._forget(None, 0)
                return
            if header[1] != self.epoch:
                self._forget(*header)
            self.start = header[0]
            position = HEADER_BYTES + MARK.size * len(self.offsets)
            data = os.pread(descriptor, MARK.size * 2 * MAX_MARKS, position)
        finally:
            os.close(descriptor)
        self._add(data)

    def _forget(self, start: int | None, epoch: int) -> None:
        self.start, self.epoch, self.is_whole = start, epoch, True
        self.offsets, self.times = _times(), _times()

    def _add(self, data: bytes) -> None:
        """Take marks up to the first that cannot be true."""
        whole = len(data) // MARK.size * MARK.size
        self.is_whole = whole == len(data)
        last = self.offsets[-1] if self.offsets else -1
        for offset, time_ns in MARK.iter_unpack(data[:whole]):
            if offset <= last:
                self.is_whole = False
                return
            self.offsets.append(offset)
            self.times.append(time_ns)
            last = offset

    def drop_after(self, size: int) -> None:
        """Forget marks beyond the log's size: they are of a file that was cut since."""
        keep = bisect_right(self.offsets, size)
        if keep < len(self.offsets):
            self.is_whole = False
            del self.offsets[keep:], self.times[keep:]

    def first_since(self, since_ns: int) -> int:
        """Return an offset before which nothing was written at or after `since_ns`."""
        for number, time_ns in enumerate(self.times):
            if time_ns >= since_ns:
                return self.offsets[number - 1] if number else 0
        return self.offsets[-1] if self.offsets else 0

    def last_until(self, until_ns: int) -> int:
        """Return an offset after whose line no mark is at or before `until_ns`."""
        for number in range(len(self.times) - 1, -1, -1):
            if self.times[number] <= until_ns:
                return self.offsets[number]
        return 0


def thinned(marks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the marks with the older ones coarser, at most half of `MAX_MARKS`.

    Of marks that fall into the same grain of time the last stays: it is the bound that holds for
    the bytes of all.
    """
    old, fine = marks[:-_KEPT_FINE], marks[-_KEPT_FINE:]
    grain = _FIRST_GRAIN_NS
    while len(old) > _KEPT_COARSE:
        grain *= 2
        kept = [
            mark for mark, following in pairwise(old) if mark[1] // grain != following[1] // grain
        ]
        old = [*kept, old[-1]]
    return old + fine


def write_index(path: Path, *, start: int, epoch: int, marks: list[tuple[int, int]]) -> None:
    """Replace the index at once; a reader sees the old one or the new one.

    Raises:
        OSError: it cannot be written; the old one stays.
    """
    draft = path.with_suffix(".idx.new")
    body = b"".join(MARK.pack(*mark) for mark in marks)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, pack_header(start, epoch) + body)
    except OSError:
        os.unlink(draft)
        raise
    finally:
        os.close(descriptor)
    os.replace(draft, path)
