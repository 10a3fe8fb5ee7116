"""What goes wrong with databases, one class for each thing a caller would do differently.

    GraphError
    └─ DatabaseError (what, cause, sqlstate)
       ├─ DatabaseMissing (name)
       ├─ DatabaseInUse (name, sessions)
       └─ BackupMissing (name)

A server that does not answer is `Unreachable`, as elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from graph_test_daemon.errors import GraphError
from harness.suggestions import did_you_mean

__all__ = ["BackupMissing", "DatabaseError", "DatabaseInUse", "DatabaseMissing"]


class DatabaseError(GraphError):
    """PostgreSQL refused something.

    Attributes:
        what: was to be done.
        cause: in the server's words.
        sqlstate: its code of five characters, or None.
        position: of the fault in the statement, counted from 1, or None.
    """

    kind = "database-error"
    facts = ("what", "cause")

    def __init__(
        self,
        *,
        what: str,
        cause: str,
        sqlstate: str | None = None,
        position: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.cause = cause
        self.sqlstate = sqlstate
        self.position = position
        where = f" at character {position}" if position else ""
        super().__init__(
            f"cannot {what}: {cause}{where}",
            hint=hint,
            details={"sqlstate": sqlstate, "cause": cause, "position": position},
        )


class DatabaseMissing(DatabaseError):
    """There is no database of that name.

    Attributes:
        name: of the database.
    """

    kind = "database-missing"
    facts = ("what", "name")

    def __init__(self, *, what: str, name: str, hint: str | None = None) -> None:
        self.name = name
        super().__init__(
            what=what, cause=f'there is no database "{name}"', sqlstate="3D000", hint=hint
        )

    @classmethod
    def of(cls, *, what: str, name: str, known: Iterable[str]) -> Self:
        """Return it with a hint: the name that is the closest, or all there are."""
        return cls(what=what, name=name, hint=did_you_mean(name, sorted(known)))


class DatabaseInUse(DatabaseError):
    """A database has sessions, and would have to have none.

    Attributes:
        name: of the database.
        sessions: how many there are.
    """

    kind = "database-in-use"
    facts = ("what", "name")

    def __init__(self, *, what: str, name: str, sessions: int, hint: str | None = None) -> None:
        self.name = name
        self.sessions = sessions
        super().__init__(
            what=what,
            cause=f'"{name}" is in use by {sessions} session{"s" * (sessions != 1)}',
            sqlstate="55006",
            hint=hint or "end them first: ask for terminate",
        )


class BackupMissing(DatabaseError):
    """There is no backup of that name.

    Attributes:
        name: of the backup.
    """

    kind = "backup-missing"
    facts = ("what", "name")

    def __init__(self, *, what: str, name: str, hint: str | None = None) -> None:
        self.name = name
        super().__init__(what=what, cause="there is none of that name", hint=hint)

    @classmethod
    def of(cls, *, what: str, name: str, known: Iterable[str]) -> Self:
        """Return it with a hint: the name that is the closest, or all there are."""
        return cls(what=what, name=name, hint=did_you_mean(name, sorted(known)))
