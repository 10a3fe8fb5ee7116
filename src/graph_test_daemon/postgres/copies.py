"""Copies of databases, kept on their server beside them: made and put back in a tenth of a second.

A copy is a database that takes no connections. What it is a copy of, under which name and for whom,
says its comment, so that names may be as long as anyone wants and nothing is kept elsewhere.

Of the two ways of copying, through the log (WAL_LOG) and by files (FILE_COPY), the latter is the
quicker one from a few megabytes on: 110 against 130 ms with 18 MB.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .client import Database
from .connection import identifier, literal
from .errors import DatabaseMissing

if TYPE_CHECKING:
    import psycopg

__all__ = ["Copies", "Copy"]

_MARK = "graph-test-daemon-copy"
_VERSION = 1
_CHOOSES = 150000  # server_version_num of the first server that lets choose how to copy
_HALF = ".half"
_HASH_LENGTH = 8
_LIST = """
    SELECT datname, shobj_description(oid, 'pg_database'), pg_database_size(oid)
    FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy.

    Attributes:
        name: as it is called by whoever made it.
        of: the database that it is a copy of.
        scope: whose it is; names are unique within it.
        owner: the role whose the database was.
        created_at: ISO time, UTC.
        size_bytes: on disk.
        stored_as: name of the database that it is.
    """

    name: str
    of: str
    scope: str
    owner: str
    created_at: str
    size_bytes: int
    stored_as: str


class Copies:
    """The copies on one server that belong to one scope.

    Args:
        server: where they are.
        scope: whose they are, such as a service of a project; those of others are not seen.
    """

    def __init__(self, server: Database, *, scope: str) -> None:
        self._server = server
        self._scope = scope
        scope_hash = hashlib.sha256(scope.encode()).hexdigest()[:_HASH_LENGTH]
        self._prefix = f"copy-{scope_hash}-"

    async def taken(self, of: str | None = None) -> Sequence[Copy]:
        """Return the copies, oldest first; of one database, or of all."""
        found = [copy for _, copy in await self._stored() if copy and copy.name != _HALF]
        found = [copy for copy in found if of in (None, copy.of)]
        return sorted(found, key=lambda copy: (copy.created_at, copy.name))

    async def take(self, of: str, name: str, *, terminate: bool = False) -> Copy:
        """Copy a database under a name; an older copy of that name goes once this one is there.

        Args:
            of: the database.
            name: of the copy.
            terminate: end its sessions, and let none begin meanwhile.

        Raises:
            DatabaseMissing: there is no such database.
            DatabaseInUse: it has sessions, without `terminate`.
        """
        infos = {info.name: info for info in await self._server.databases()}
        if of not in infos:
            raise DatabaseMissing.of(what=f'copy the database "{of}"', name=of, known=infos)
        older = [copy for copy in await self.taken(of) if copy.name == name]
        made = Copy(
            name=name,
            of=of,
            scope=self._scope,
            owner=infos[of].owner,
            created_at=datetime.now(UTC).isoformat(),
            size_bytes=infos[of].size_bytes,
            stored_as=self._new_name(),
        )
        if terminate:
            async with self._server.closed(of):
                await self._copy(of, made)
        else:
            await self._server.without_sessions(of, what=f'copy the database "{of}"')
            await self._copy(of, made)
        for copy in older:
            await self.remove(copy)
        return made

    async def put_back(self, copy: Copy, *, takes_connections: bool = True) -> None:
        """Put a copy in the place of the database that it was made of, whose sessions end.

        The new one is whole before the present one goes.

        Args:
            copy: that stays.
            takes_connections: whether the database does, afterwards.
        """
        new = replace(copy, name=_HALF, stored_as=self._new_name())
        opened = str(takes_connections).lower()
        for stored_as, half in await self._stored():  # a killed one has left it
            if half and half.name == _HALF and half.of == copy.of:
                await self._server.drop(stored_as, missing_ok=True)
        await self._copy(copy.stored_as, new)
        await self._server.drop(copy.of, missing_ok=True)
        await self._server.rename(new.stored_as, copy.of)
        await self._server.perform_all(
            f'open the database "{copy.of}"',
            f"COMMENT ON DATABASE {identifier(copy.of)} IS NULL",
            f"ALTER DATABASE {identifier(copy.of)} ALLOW_CONNECTIONS {opened}",
        )

    async def remove(self, copy: Copy) -> None:
        """Drop a copy."""
        await self._server.drop(copy.stored_as, missing_ok=True)

    async def keep_only(self, names: Collection[str]) -> None:
        """Drop all copies but those of some names, and what killed ones have left half-made."""
        for stored_as, copy in await self._stored():
            if copy is None or copy.name not in names:
                await self._server.drop(stored_as, missing_ok=True)

    def _new_name(self) -> str:
        return f"{self._prefix}{secrets.token_hex(_HASH_LENGTH)}"

    async def _stored(self) -> list[tuple[str, Copy | None]]:
        rows = await self._server.run(
            lambda connection: connection.execute(_LIST, [self._prefix]).fetchall(),
            what="list the copies",
        )
        return [(name, _read(name, comment, size)) for name, comment, size in rows]

    async def _copy(self, source: str, made: Copy) -> None:
        """Make a database that takes no connections and says what it is."""

        def work(connection: psycopg.Connection) -> None:
            words = [f"CREATE DATABASE {identifier(made.stored_as)}"]
            words.append(f"TEMPLATE {identifier(source)} OWNER {identifier(made.owner)}")
            words.append("ALLOW_CONNECTIONS false")
            if connection.info.server_version >= _CHOOSES:
                words.append("STRATEGY FILE_COPY")
            connection.execute(" ".join(words).encode())
            note = literal(json.dumps({_MARK: _VERSION, **asdict(made)}))
            told = f"COMMENT ON DATABASE {identifier(made.stored_as)} IS {note}"
            connection.execute(told.encode())

        await self._server.run(work, what=f'copy the database "{made.of}"')


def _read(stored_as: str, comment: str | None, size_bytes: int) -> Copy | None:
    """Return what the comment of a database tells; None where it is none of ours."""
    try:
        told = json.loads(comment or "")
        if told.pop(_MARK) != _VERSION:
            return None
        return replace(Copy(**told), stored_as=stored_as, size_bytes=size_bytes)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
