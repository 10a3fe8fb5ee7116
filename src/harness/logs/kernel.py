"""The three things of Linux that the standard library does not reach: inotify and hole punching.

Called through ctypes on the already loaded C library: it costs no dependency and starts no program
to find that library. Source: inotify(7), fallocate(2), lseek(2).
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import struct
from collections.abc import Callable
from pathlib import Path

__all__ = ["Inotify", "first_data", "punch_hole"]

_KEEP_SIZE = 0x01
_PUNCH_HOLE = 0x02
_MODIFY = 0x00000002
_ATTRIB = 0x00000004
_MOVED_TO = 0x00000080
_CREATE = 0x00000100
_DELETE_SELF = 0x00000400
_MOVE_SELF = 0x00000800
_APPEARANCE = _CREATE | _MOVED_TO | _DELETE_SELF
_ONESHOT = 0x80000000
_OVERFLOW = 0x00004000
_EVENT = struct.Struct("iIII")
_READ_BYTES = 64 * 1024


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@functools.cache
def _fallocate() -> Callable[[int, int, int, int], int]:
    # The variant with 64-bit offsets, where the C library has two.
    found = _libc().fallocate64 if hasattr(_libc(), "fallocate64") else _libc().fallocate
    found.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return found


@functools.cache
def _add_watch() -> Callable[[int, bytes, int], int]:
    found = _libc().inotify_add_watch
    found.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32]
    return found


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def punch_hole(descriptor: int, start: int, end: int) -> None:
    """Give the bytes from `start` to `end` back to the disk; the file keeps its size.

    Raises:
        OSError: EOPNOTSUPP where the file system cannot; others as the system says.
    """
    _checked(_fallocate()(descriptor, _PUNCH_HOLE | _KEEP_SIZE, start, end - start))


def first_data(descriptor: int) -> int:
    """Return where the first block that is no hole begins; the file's size when all is hole."""
    try:
        return os.lseek(descriptor, 0, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return os.fstat(descriptor).st_size
        return 0


class Inotify:
    """Watches that fire once: a file that grows all the time costs its writer nothing.

    A watch is armed, reports the first write after that, and is gone until it is armed again.
    """

    def __init__(self) -> None:
        self.descriptor = _checked(_libc().inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))

    def arm(self, path: Path, *, moves: bool = False) -> int:
        """Watch a file for its next write; return the watch's number.

        Args:
            path: of the file.
            moves: for its next move or removal, too.
        """
        # The removal of a file that somebody has open is a change of its number of links.
        mask = _MODIFY | _ONESHOT | (_MOVE_SELF | _ATTRIB if moves else 0)
        return _checked(_add_watch()(self.descriptor, os.fsencode(path), mask))

    def arm_directory(self, path: Path) -> int:
        """Watch a directory for the next file that appears in it; return the watch's number."""
        return _checked(_add_watch()(self.descriptor, os.fsencode(path), _APPEARANCE | _ONESHOT))

    def fired(self) -> list[int] | None:
        """Return the watches that fired, without waiting; None: too many, all may have."""
        numbers: list[int] = []
        while True:
            try:
                data = os.read(self.descriptor, _READ_BYTES)
            except BlockingIOError:
                return numbers
            position = 0
            while position < len(data):
                number, mask, _, name_bytes = _EVENT.unpack_from(data, position)
                position += _EVENT.size + name_bytes
                if mask & _OVERFLOW:
                    return None
                if mask & (_MODIFY | _MOVE_SELF | _ATTRIB | _APPEARANCE):
                    numbers.append(number)

    def close(self) -> None:
        """Drop all watches."""
        os.close(self.descriptor)
