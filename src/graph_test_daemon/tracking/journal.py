"""The journal: records in a file of a directory, kept whatever becomes of the process.

What is done to it is a function that gets the `Records`, and runs in one transaction, in a thread
of its own and one at a time. A file that is damaged is put aside, and the journal goes on with an
empty one and a note. A file of a newer version is refused and left as it is.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from .database import KEPT, Records, opened, transaction
from .documents import KINDS, record_of
from .errors import JournalError, JournalTooNew
from .records import Record

__all__ = ["Journal"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FILE = "journal.db"
_EXPORT = "journal.jsonl"
_EXPORT_VERSION = 1
_BESIDE = ("", "-wal", "-shm")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """Records of one stack; the file is opened when it is first used.

    Args:
        directory: where the file is, made where it is not.
        now: tells the time.
        kept: how many records of each kind are kept.
    """

    def __init__(
        self,
        directory: Path,
        *,
        now: Callable[[], datetime] = _utc_now,
        kept: Mapping[type[Record], int] = KEPT,
    ) -> None:
        self.path = directory / _FILE
        self._now = now
        self._kept = kept
        self._db: sqlite3.Connection | None = None
        self._lock = anyio.Lock()

    async def aclose(self) -> None:
        """Close the file; it may be used again."""
        async with self._lock:
            await anyio.to_thread.run_sync(self._close)

    async def do(self, what: Callable[[Records], T]) -> T:
        """Run a function over the records, in one transaction; return what it returns.

        It is done as a whole, or not at all where it raises. It may be run twice, so it changes
        nothing else. Once begun it goes on to its end, although its caller is cancelled.

        Raises:
            JournalTooNew: a newer version wrote the file, or one of the records.
            JournalError: the file cannot be used, such as on a full disk.
        """
        async with self._lock:
            return await anyio.to_thread.run_sync(self._do, what)

    async def export_to(self, directory: Path) -> None:
        """Write all records into a directory, for `import_from`.

        Raises:
            JournalError: it cannot be written.
        """
        rows = await self.do(Records.rows)
        await anyio.to_thread.run_sync(_export, directory / _EXPORT, rows)

    async def import_from(self, directory: Path) -> None:
        """Have the records that `export_to` wrote, in place of all that are here.

        Raises:
            JournalTooNew: a newer version wrote them; nothing was changed.
            JournalError: they cannot be read; nothing was changed.
        """
        rows = await anyio.to_thread.run_sync(_exported, directory / _EXPORT)
        await self.do(lambda records: records.replace_all(rows))

    # ── in the thread ────────────────────────────────────────────────────────────────────────────

    def _do(self, what: Callable[[Records], T]) -> T:
        try:
            try:
                return self._transact(what)
            except sqlite3.DatabaseError as error:
                # Its subclasses tell of something else, such as a full disk: the file is whole.
                if type(error) is not sqlite3.DatabaseError:
                    raise
                self._put_aside(error)
                return self._transact(what)
        except (sqlite3.Error, OSError) as error:
            raise JournalError(what=f"use {self.path}", cause=str(error)) from error

    def _transact(self, what: Callable[[Records], T]) -> T:
        if not self.path.exists():
            self._close()  # what was written into a file that is gone would be lost
        if self._db is None:
            self._db = opened(self.path)
        with transaction(self._db):
            return what(Records(self._db, now=self._now(), kept=self._kept))

    def _put_aside(self, error: sqlite3.DatabaseError) -> None:
        """Keep a damaged file under another name, and begin with an empty one."""
        self._close()
        stem = f"{_FILE}.damaged-{self._now():%Y%m%dT%H%M%S}"
        aside, again = self.path.with_name(stem), 1
        while aside.exists():
            again += 1
            aside = self.path.with_name(f"{stem}-{again}")
        for end in _BESIDE:
            part = Path(f"{self.path}{end}")
            if part.exists():
                part.rename(f"{aside}{end}")
        logger.warning("Put the damaged journal aside as %s: %s", aside, error)
        text = f"the journal was damaged and begins anew; the old one is {aside}: {error}"
        self._transact(lambda records: records.note("damaged", text))

    def _close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()


def _export(path: Path, rows: list[tuple[int, str, str, str]]) -> None:
    """Write rows, a line each, below a line that says how many there are."""
    head = {"version": _EXPORT_VERSION, "records": len(rows)}
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(line)}\n" for line in (head, *rows))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise JournalError(what=f"write {path}", cause=error.strerror or str(error)) from error


def _exported(path: Path) -> list[tuple[int, str, str, str]]:
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        told = json.loads(head)
        if told["version"] > _EXPORT_VERSION:
            raise JournalTooNew(
                what=f"read {path}", cause=f"a newer version wrote it (layout {told['version']})"
            )
        rows = [_row(json.loads(line)) for line in lines]
        if len(rows) != told["records"]:
            raise ValueError(f"it has {len(rows)} of {told['records']} records")
    except OSError as error:
        raise JournalError(what=f"read {path}", cause=error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise JournalError(what=f"read {path}", cause=f"it is no journal: {error}") from error
    return rows


def _row(values: Any) -> tuple[int, str, str, str]:
    number, kind, key, document = values
    record = record_of(KINDS[kind], document)
    key.encode()  # what JSON can say and a database cannot
    if not isinstance(number, int) or not 0 < number < 2**63 or record.key != key:
        raise ValueError(f'record "{key}" is damaged')
    return number, kind, key, document
