"""The audit log: who changed what, and who was refused; one JSON object a line, in private files.

A line is written at once and whole, which takes some millionths of a second. That the disk is full
is told once in the daemon's log, and holds up nothing.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.clock import Clock

from .principal import Principal

__all__ = ["AuditEntry", "AuditLog", "read_audit"]

logger = logging.getLogger(__name__)

_MAX_BYTES = 4 * 1024 * 1024
_OLD_FILES = 3
_LONGEST_TEXT = 200
_MOST_ITEMS = 50
_DEEPEST = 4
_HIDDEN = frozenset({"env", "data", "input", "parameters", "token"})
"""Parameters that may hold secrets, or be large: only their size is told."""
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was asked, or tried.

    Attributes:
        who: None: somebody who could not log in.
        address: of whom is not known.
        what: a method, or `login`.
        params: of the method; what may be secret or is large is left out when it is written.
        result: `ok`, or the kind of the error.
        message: of the error.
    """

    what: str
    result: str
    who: Principal | None = None
    address: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""


class AuditLog:
    """Writes entries to a file that is replaced by a new one when it is large.

    Args:
        path: of the newest file; older ones have a number behind.
        clock: says when.
        masked: replaces known secrets in JSON values.
        max_bytes: of one file.
        old_files: how many are kept beside the newest.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        masked: Callable[[Any], Any] = lambda value: value,
        max_bytes: int = _MAX_BYTES,
        old_files: int = _OLD_FILES,
    ) -> None:
        self._path = path
        self._clock = clock
        self._masked = masked
        self._max_bytes = max_bytes
        self._old_files = old_files
        self._file: int | None = None
        self._size = 0
        self._is_failing = False

    def write(self, entry: AuditEntry) -> None:
        """Write an entry; where it cannot be written, that is logged once."""
        line = json.dumps(self._document(entry), separators=(",", ":")).encode() + b"\n"
        try:
            self._append(line)
        except OSError as error:
            if not self._is_failing:
                logger.error("Cannot write the audit log %s: %s", self._path, error.strerror)
            self._is_failing = True
            self.close()
        else:
            self._is_failing = False

    def close(self) -> None:
        """Close the file; the next entry opens it again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _document(self, entry: AuditEntry) -> dict[str, Any]:
        who = entry.who
        document: dict[str, Any] = {
            "version": _VERSION,
            "at": self._clock.now().isoformat(timespec="milliseconds"),
            "who": who.name if who else None,
            "role": who.role.value if who else None,
            "how": who.how if who else None,
            "address": (who.address if who else entry.address) or None,
            "what": entry.what,
            "params": _cut(self._masked(_pruned(entry.params))),
            "result": entry.result,
        }
        if entry.message:
            # Masked before it is cut: half a secret is not found.
            document["message"] = _cut(self._masked(entry.message))
        return document

    def _append(self, line: bytes) -> None:
        if self._file is not None and self._size + len(line) > self._max_bytes:
            self._rotate()
        if self._file is None:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o600)
            self._size = os.fstat(self._file).st_size
            if self._size and os.pread(self._file, 1, self._size - 1) != b"\n":
                # A full disk, or the end of the machine, has cut the last one short.
                line = b"\n" + line
        written = os.write(self._file, line)
        self._size += written
        if written < len(line):
            raise OSError(errno.ENOSPC, "the disk is full")

    def _rotate(self) -> None:
        self.close()
        for number in range(self._old_files, 0, -1):
            older = _numbered(self._path, number - 1)
            if older.exists():
                older.replace(_numbered(self._path, number))


def read_audit(path: Path, *, tail: int | None = None) -> Iterator[dict[str, Any]]:
    """Return the entries that are kept, oldest first; lines that were cut short are left out.

    Args:
        path: of the newest file.
        tail: only this many last ones.

    Raises:
        OSError: a file cannot be read.
    """
    return iter(_entries(path)) if tail is None else iter(deque(_entries(path), maxlen=tail))


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    for number in range(_OLD_FILES, -1, -1):
        try:
            with _numbered(path, number).open("rb") as file:
                yield from _documents(file)
        except FileNotFoundError:
            continue


def _documents(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict):
            yield document


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}") if number else path


def _pruned(value: Any, depth: int = _DEEPEST) -> Any:
    """Return parameters without what may be a secret, and not too many or too deep."""
    match value:
        case Mapping() | list() | tuple() if not depth:
            return _size(value)
        case Mapping():
            return {
                key: _size(item) if key in _HIDDEN else _pruned(item, depth - 1)
                for key, item in list(value.items())[:_MOST_ITEMS]
            }
        case list() | tuple():
            return [_pruned(item, depth - 1) for item in value[:_MOST_ITEMS]]
        case _:
            return value


def _cut(value: Any) -> Any:
    """Return pruned parameters with no long text."""
    match value:
        case Mapping():
            return {_cut(key): _cut(item) for key, item in value.items()}
        case list():
            return [_cut(item) for item in value]
        case str() if len(value) > _LONGEST_TEXT:
            return f"{value[:_LONGEST_TEXT]}…"
        case _:
            return value


def _size(value: Any) -> str | None:
    match value:
        case None:
            return None
        case str():
            return f"<{len(value)} characters>"
        case Mapping() | list() | tuple():
            return f"<{len(value)} items>"
        case _:
            return "<hidden>"
