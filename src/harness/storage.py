"""Durable, versioned records and the numbered event log, in one sqlite database with one owner.

Records are JSON documents in named collections; what they mean is their writers' business. Calls
are synchronous: one row in WAL mode costs tens of microseconds, less than a hop to a thread
(ADR-0008).
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, Self

from harness.errors import StorageError, StoreCorrupt, StoreFull, StoreLocked, StoreTooNew
from harness.model import Event, EventKind

__all__ = ["STORE_VERSION", "MemoryStore", "SqliteStore", "Store"]

STORE_VERSION = 1
"""Layout of the database; an older one is migrated, a newer one refused."""

_LARGEST = 2**63 - 1  # that SQLite takes
_KEPT_EVENTS = 100_000
_TRIM_EVERY = 1_000

# Made once; `json.dumps` with settings makes one for every call.
_encode = json.JSONEncoder(separators=(",", ":")).encode

_SCHEMA = """
CREATE TABLE record (collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
                     PRIMARY KEY (collection, key)) WITHOUT ROWID;
CREATE TABLE event (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, kind TEXT NOT NULL,
                    project TEXT, unit TEXT, data TEXT NOT NULL);
"""


class Store(Protocol):
    """Where records and events are kept."""

    def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        """Insert or replace one record."""

    def record(self, collection: str, key: str) -> dict[str, Any] | None:
        """Return one record, or None."""

    def records(self, collection: str) -> dict[str, dict[str, Any]]:
        """Return a collection, key → record, ordered by key."""

    def collections(self) -> list[str]:
        """Return the names of the collections that have records, in order."""

    def delete(self, collection: str, key: str) -> None:
        """Delete one record; nothing happens when there is none."""

    def append(self, event: Event) -> int:
        """Store an event under its number, or the next one if that is 0; return the number."""

    def events(
        self, *, after: int = 0, limit: int = 1_000, project: str | None = None
    ) -> list[Event]:
        """Return stored events with numbers above `after`, in order, at most `limit`."""

    def batch(self) -> AbstractContextManager[None]:
        """Write all that is put, deleted and appended inside with one commit; may be nested.

        What was written before an exception inside is kept.

        Raises:
            StorageError: at the end, the commit failed, and nothing of it is stored.
        """

    @property
    def last_number(self) -> int:
        """The number of the newest event ever stored, 0 if none."""

    @property
    def first_number(self) -> int:
        """The number of the oldest event still kept, or `last_number` + 1 if none is."""

    def close(self) -> None:
        """Release the store."""


class MemoryStore:
    """A store that forgets; the same contract suite runs over it and the sqlite one."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, str]] = {}
        self._events: list[Event] = []

    def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        """Insert or replace one record."""
        self._records.setdefault(collection, {})[key] = json.dumps(value)

    def record(self, collection: str, key: str) -> dict[str, Any] | None:
        """Return one record, or None."""
        text = self._records.get(collection, {}).get(key)
        return None if text is None else json.loads(text)

    def records(self, collection: str) -> dict[str, dict[str, Any]]:
        """Return a collection, key → record, ordered by key."""
        return {
            key: json.loads(text) for key, text in sorted(self._records.get(collection, {}).items())
        }

    def collections(self) -> list[str]:
        """Return the names of the collections that have records, in order."""
        return sorted(name for name, records in self._records.items() if records)

    def delete(self, collection: str, key: str) -> None:
        """Delete one record; nothing happens when there is none."""
        self._records.get(collection, {}).pop(key, None)

    def append(self, event: Event) -> int:
        """Store an event under its number, or the next one if that is 0; return the number."""
        number = event.number or self.last_number + 1
        self._events.append(_numbered(event, number))
        return number

    def events(
        self, *, after: int = 0, limit: int = 1_000, project: str | None = None
    ) -> list[Event]:
        """Return stored events with numbers above `after`, in order, at most `limit`."""
        chosen = (e for e in self._events if e.number > after and project in (None, e.project))
        return list(islice(chosen, limit))

    @property
    def last_number(self) -> int:
        """The number of the newest event ever stored, 0 if none."""
        return self._events[-1].number if self._events else 0

    @property
    def first_number(self) -> int:
        """The number of the oldest event still kept, or 1 if there is none."""
        return self._events[0].number if self._events else 1

    def batch(self) -> AbstractContextManager[None]:
        """Do nothing: every write is complete at once."""
        return nullcontext()

    def close(self) -> None:
        """Release the store."""


class SqliteStore:
    """The store of a daemon: `state.db` in `directory`, owned through a lock on `state.lock`.

    Args:
        directory: created 0700 when missing.
        kept_events: the event log is trimmed to about this many.

    Raises:
        StoreLocked: another process owns the directory.
        StoreCorrupt: the database is damaged.
        StoreTooNew: a newer version wrote it.
        StoreFull: there is no space to create it.
        StorageError: the directory cannot be used.
    """

    def __init__(self, directory: Path, *, kept_events: int = _KEPT_EVENTS) -> None:
        self.path = directory / "state.db"
        self._kept_events = kept_events
        self._unwritten: dict[tuple[str, str], str] = {}
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _lock(directory / "state.lock")
        except OSError as error:
            raise StorageError(
                f"cannot use the state directory {directory}: {error.strerror}"
            ) from error
        try:
            with self._mapped("open"):
                self._verify()
                self._db = self._open()
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _verify(self) -> None:
        """Look at a database that is there already, through a connection that cannot change it."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return
        with closing(sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            version = _layout(db)
            if version > STORE_VERSION:
                raise StoreTooNew(
                    f"cannot use the state database {self.path}: it was written by a newer version "
                    f"(layout {version}, this one knows {STORE_VERSION})",
                    hint="use the newer version, or another state directory; nothing was changed",
                )
            if version == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise sqlite3.DatabaseError("it is no state database of this program")
            verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            # First: the write-ahead log is made with the mode that the database has.
            os.chmod(self.path, 0o600)
            # One owner: without shared memory and file locks a commit costs a third less.
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if _layout(db) == 0:
                db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {STORE_VERSION}; COMMIT;")
        except BaseException:
            db.close()
            raise
        return db

    def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        """Insert or replace one record; in a batch only its last value is written, at the end."""
        text = _encode(value)
        if self._db.in_transaction:
            self._unwritten[collection, key] = text
            return
        # A full disk may have ended a batch: what it was to write is older than this.
        self._unwritten.pop((collection, key), None)
        with self._mapped("write"):
            self._write(collection, key, text)

    def _write(self, *row: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", row)

    def _write_out(self) -> None:
        """Write what a batch has put until now."""
        for key, text in tuple(self._unwritten.items()):
            self._write(*key, text)
            del self._unwritten[key]

    def record(self, collection: str, key: str) -> dict[str, Any] | None:
        """Return one record, or None."""
        with self._mapped("read"):
            self._write_out()
            row = self._db.execute(
                "SELECT value FROM record WHERE collection = ? AND key = ?", (collection, key)
            ).fetchone()
        return None if row is None else json.loads(row[0])

    def records(self, collection: str) -> dict[str, dict[str, Any]]:
        """Return a collection, key → record, ordered by key."""
        with self._mapped("read"):
            self._write_out()
            rows = self._db.execute(
                "SELECT key, value FROM record WHERE collection = ? ORDER BY key", (collection,)
            ).fetchall()
        return {key: json.loads(value) for key, value in rows}

    def collections(self) -> list[str]:
        """Return the names of the collections that have records, in order."""
        with self._mapped("read"):
            self._write_out()
            rows = self._db.execute("SELECT DISTINCT collection FROM record ORDER BY 1").fetchall()
        return [name for (name,) in rows]

    def delete(self, collection: str, key: str) -> None:
        """Delete one record; nothing happens when there is none."""
        self._unwritten.pop((collection, key), None)
        with self._mapped("write"):
            self._db.execute(
                "DELETE FROM record WHERE collection = ? AND key = ?", (collection, key)
            )

    def append(self, event: Event) -> int:
        """Store an event under its number, or the next one if that is 0; return the number."""
        with self._mapped("write"):
            cursor = self._db.execute(
                "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
                (
                    event.number or None,
                    event.at.isoformat(),
                    event.kind.value,
                    event.project,
                    event.unit,
                    _encode(event.data),
                ),
            )
            number = cursor.lastrowid or 0
            if number % _TRIM_EVERY == 0:
                self._db.execute(
                    "DELETE FROM event WHERE number <= ?", (number - self._kept_events,)
                )
        return number

    def events(
        self, *, after: int = 0, limit: int = 1_000, project: str | None = None
    ) -> list[Event]:
        """Return stored events with numbers above `after`, in order, at most `limit`."""
        with self._mapped("read"):
            rows = self._db.execute(
                "SELECT number, at, kind, project, unit, data FROM event "
                "WHERE number > ? AND (?2 IS NULL OR project = ?2) ORDER BY number LIMIT ?",
                (max(0, min(after, _LARGEST)), project, min(limit, _LARGEST)),
            ).fetchall()
        return [
            Event(
                number=number,
                at=datetime.fromisoformat(at).astimezone(UTC),
                kind=EventKind(kind),
                project=of_project,
                unit=unit,
                data=json.loads(data),
            )
            for number, at, kind, of_project, unit, data in rows
        ]

    @property
    def last_number(self) -> int:
        """The number of the newest event ever stored, 0 if none."""
        with self._mapped("read"):
            row = self._db.execute(
                "SELECT seq FROM sqlite_sequence WHERE name = 'event'"
            ).fetchone()
        return int(row[0]) if row else 0

    @property
    def first_number(self) -> int:
        """The number of the oldest event still kept, or `last_number` + 1 if none is."""
        with self._mapped("read"):
            row = self._db.execute("SELECT min(number) FROM event").fetchone()
        return self.last_number + 1 if row[0] is None else int(row[0])

    def close(self) -> None:
        """Close the database and release the lock."""
        self._db.close()
        os.close(self._lock)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Write all that is put, deleted and appended inside with one commit; may be nested."""
        if self._db.in_transaction:
            yield
            return
        with self._mapped("write"):
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            with self._mapped("write"):
                self._end_batch()

    def _end_batch(self) -> None:
        """Commit; nothing is left to do when a full disk ended the transaction already."""
        try:
            self._write_out()
            self._db.commit()
        except sqlite3.Error:
            self._unwritten.clear()
            self._db.rollback()
            raise

    @contextmanager
    def _mapped(self, verb: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise StoreFull(
                    f"cannot {verb} the state database {self.path}: the disk is full",
                    hint="free some space; the daemon goes on",
                ) from error
            raise StorageError(f"cannot {verb} the state database {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise StoreCorrupt(
                f"cannot {verb} the state database {self.path}: {error}",
                hint="nothing was changed or deleted; move the file away to start with an empty "
                "state, and end by hand what was running",
            ) from error


def _layout(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _lock(path: Path) -> int:
    """Lock `path` for this process and write its pid there, for whoever is refused."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise StoreLocked(
            f"cannot use the state directory {path.parent}: the daemon with pid {owner} owns it",
            hint="use that daemon, stop it, or name another state directory",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _numbered(event: Event, number: int) -> Event:
    return Event(
        number=number,
        at=event.at,
        kind=event.kind,
        project=event.project,
        unit=event.unit,
        data=json.loads(json.dumps(event.data)),
    )
