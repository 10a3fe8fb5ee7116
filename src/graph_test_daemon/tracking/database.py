"""Records in one SQLite database: opening it, and what can be done inside a transaction.

All of it blocks, and belongs to one thread at a time. Every change is a transaction in the
write-ahead log, so that a process that is killed leaves all of it or nothing. The log is not
flushed at every commit: when the machine itself dies, the last changes may be missing, and what is
there is whole. A stack's records are worth no more, and its tests are quicker.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from .documents import KINDS, R, document_of, kind_of, record_of
from .errors import JournalTooNew
from .records import Note, Record

__all__ = ["KEPT", "Records", "opened", "transaction"]

KEPT: Mapping[type[Record], int] = dict.fromkeys(KINDS.values(), 10_000) | {Note: 100}
"""How many records of each kind are kept: the newest."""

_APPLICATION = 0x67746A31  # "gtj1": SQLite's mark of whose database it is
_LAYOUTS = (
    # Each brings a database to the next layout; a new one has the last of them.
    """
    CREATE TABLE record (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,
                         key TEXT NOT NULL, document TEXT NOT NULL, UNIQUE (kind, key));
    CREATE INDEX record_by_age ON record (kind, number);
    """,
)
_BUSY_S = 10.0


class Records:
    """The records, inside of one transaction.

    Args:
        db: the connection.
        now: when it is.
        kept: how many of each kind are kept.
    """

    def __init__(
        self, db: sqlite3.Connection, *, now: datetime, kept: Mapping[type[Record], int] = KEPT
    ) -> None:
        self._db = db
        self._kept = kept
        self.now = now

    def find(self, of: type[R], key: str) -> R | None:
        """Return one record, or None."""
        row = self._db.execute(
            "SELECT key, document FROM record WHERE kind = ? AND key = ?", (kind_of(of), key)
        ).fetchone()
        return None if row is None else self._read(of, *row)

    def all(self, of: type[R], **fields: object) -> list[R]:
        """Return the records of a kind whose fields have these values, oldest first.

        None stands for any value.
        """
        rows = self._db.execute(
            "SELECT key, document FROM record WHERE kind = ? ORDER BY number", (kind_of(of),)
        ).fetchall()
        wanted = {name: value for name, value in fields.items() if value is not None}
        found = (self._read(of, *row) for row in rows)
        return [
            record
            for record in found
            if record is not None
            and all(getattr(record, name) == value for name, value in wanted.items())
        ]

    def keys(self, of: type[Record]) -> list[str]:
        """Return what the records of a kind are called, oldest first."""
        rows = self._db.execute(
            "SELECT key FROM record WHERE kind = ? ORDER BY number", (kind_of(of),)
        )
        return [key for (key,) in rows]

    def put(self, record: Record, *, newest: bool = False) -> None:
        """Insert or replace a record; the oldest of its kind go when there are too many.

        Args:
            record: any.
            newest: one that is replaced counts as the newest again.
        """
        of = type(record)
        if newest:
            self.delete(of, record.key)
        self._db.execute(
            "INSERT INTO record (kind, key, document) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET document = excluded.document",
            (kind_of(of), record.key, document_of(record)),
        )
        self._trim(of)

    def delete(self, of: type[Record], key: str) -> bool:
        """Delete one record; tell whether there was one."""
        return (
            self._db.execute(
                "DELETE FROM record WHERE kind = ? AND key = ?", (kind_of(of), key)
            ).rowcount
            > 0
        )

    def note(self, name: str, text: str, *, count: int = 1) -> None:
        """Note what has become of records; counts of the same note add up."""
        before = self.find(Note, name)
        total = count + (0 if before is None else before.count)
        self.put(Note(name=name, text=text, count=total, noted_at=self.now), newest=True)

    # ── as a whole ───────────────────────────────────────────────────────────────────────────────

    def rows(self) -> list[tuple[int, str, str, str]]:
        """Return number, kind, key and document of every record, oldest first."""
        return self._db.execute(
            "SELECT number, kind, key, document FROM record ORDER BY number"
        ).fetchall()

    def replace_all(self, rows: list[tuple[int, str, str, str]]) -> None:
        """Have these records, as `rows` gives them, and no others."""
        self._db.execute("DELETE FROM record")
        self._db.executemany("INSERT INTO record VALUES (?, ?, ?, ?)", rows)

    def _read(self, of: type[R], key: str, document: str) -> R | None:
        """Return a record; one that cannot be read is taken out, and noted."""
        try:
            return record_of(of, document)
        except ValueError as error:
            kind = kind_of(of)
            self.delete(of, key)
            self.note(f"unreadable-{kind}", f"records that could not be read are gone: {error}")
            return None

    def _trim(self, of: type[Record]) -> None:
        kind = kind_of(of)
        gone = self._db.execute(
            "DELETE FROM record WHERE kind = ?1 AND number <= (SELECT number FROM record"
            " WHERE kind = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
            (kind, self._kept[of]),
        ).rowcount
        if gone and of is not Note:
            text = f"only the newest {self._kept[of]} of the kind {kind} are kept"
            self.note(f"trimmed-{kind}", text, count=gone)


def opened(path: Path) -> sqlite3.Connection:
    """Open a database, or make it.

    Raises:
        JournalTooNew: a newer version wrote it; nothing was changed.
        sqlite3.DatabaseError: it is damaged, or something else.
        OSError: the directory cannot be used.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size:
        _verify(path)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_S)
    try:
        path.chmod(0o600)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        with transaction(db):
            layout = _pragma(db, "user_version")
            for script in _LAYOUTS[layout:]:
                for statement in filter(str.strip, script.split(";")):
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(_LAYOUTS)}")
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Do all that is done inside, or nothing where it raises."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # A full disk may have ended the transaction already.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _verify(path: Path) -> None:
    """Look at a database that is there already, before anything is changed."""
    with closing(sqlite3.connect(path, timeout=_BUSY_S)) as db:
        layout = _pragma(db, "user_version")
        if layout and _pragma(db, "application_id") != _APPLICATION:
            raise sqlite3.DatabaseError("it is another program's database")
        if layout > len(_LAYOUTS):
            raise JournalTooNew(
                what=f"use {path}",
                cause=f"a newer version wrote it (layout {layout}, this one knows {len(_LAYOUTS)})",
            )
        has_tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if layout == 0 and has_tables:
            raise sqlite3.DatabaseError("it is another program's database")
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)


def _pragma(db: sqlite3.Connection, name: str) -> int:
    value: Any = db.execute(f"PRAGMA {name}").fetchone()[0]
    return int(value)
