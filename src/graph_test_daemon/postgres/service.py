"""`service_type: postgres`: typed actions of a PostgreSQL server, its setup and its snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread

from harness.actions import Call, ServiceType, action

from .catalog import DatabaseInfo, Extension, Role
from .client import Database
from .copies import Copies, Copy
from .dumps import dump_database, load_database
from .errors import BackupMissing, DatabaseError
from .rows import QueryResult
from .server import server_of
from .setting_up import check_suitable, set_up_server, what_is_missing
from .snapshots import ServerSnapshots
from .wanted import Wanted

__all__ = ["Postgres"]

_COPY_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCreated:
    """A database was created, from a template or empty."""

    name: str
    template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseDropped:
    """A database was dropped."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupTaken:
    """A database was copied under a name."""

    name: str
    database: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRestored:
    """A database is as it was when the backup was taken."""

    name: str
    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLoaded:
    """A database is what a file holds."""

    name: str
    file: str


class Postgres(ServiceType):
    """A PostgreSQL server."""

    name = "postgres"
    setup_timeout_s = 120.0

    # ── setup ────────────────────────────────────────────────────────────────────────────────────

    async def is_set_up(self) -> bool:
        """Tell whether the roles, databases and extensions of the labels are there."""
        server = await self._server()
        await server.wait_ready()
        return not await what_is_missing(server, self._wanted())

    async def set_up(self, call: Call) -> None:
        """Make what is not there."""
        await set_up_server(await self._server(), self._wanted(), call.progress)

    async def validate(self) -> None:
        """Connect, and look at the databases."""
        await check_suitable(await self._server(), self._wanted())

    # ── databases ────────────────────────────────────────────────────────────────────────────────

    @action()
    async def list_databases(self) -> list[DatabaseInfo]:
        """List the databases, with their sizes and sessions."""
        infos = await (await self._server()).databases()
        return [info for info in infos if not info.is_copy]

    @action(events=[DatabaseCreated], timeout_s=_COPY_S)
    async def create_database(
        self, call: Call, *, name: str, owner: str | None = None, template: str | None = None
    ) -> None:
        """Create a database as graph-node needs it, or a copy of a template.

        Args:
            name: of the database.
            owner: the role whose it is to be; the user's unless given.
            template: a database to copy.
        """
        await (await self._server()).create(name, owner=owner, template=template)
        await call.emit(DatabaseCreated(name=name, template=template))

    @action(events=[DatabaseDropped])
    async def drop_database(
        self, call: Call, *, name: str, force: bool = True, missing_ok: bool = False
    ) -> None:
        """Drop a database.

        Args:
            name: of the database.
            force: end its sessions first.
            missing_ok: there may be none.
        """
        await (await self._server()).drop(name, force=force, missing_ok=missing_ok)
        await call.emit(DatabaseDropped(name=name))

    @action(events=[DatabaseDropped, DatabaseCreated], timeout_s=_COPY_S)
    async def reset(
        self, call: Call, *, name: str | None = None, template: str | None = None
    ) -> None:
        """Drop a database with its sessions and create it anew; extensions of the labels come back.

        Args:
            name: of the database; the first of the label `databases` unless given.
            template: a database to copy; it is empty unless given.
        """
        server = await self._server()
        chosen = name or self._first()
        await server.reset(chosen, template=template)
        await call.emit(DatabaseDropped(name=chosen))
        await call.emit(DatabaseCreated(name=chosen, template=template))
        if template is None:
            await set_up_server(server, self._wanted(), call.progress)

    @action(events=[DatabaseCreated], timeout_s=_COPY_S)
    async def create_template(self, call: Call, *, name: str, of: str | None = None) -> None:
        """Make a template from a database: new databases are copies of it, ready in no time.

        Args:
            name: of the template; one of that name is replaced.
            of: the database to copy, whose sessions end; the first of the label `databases`
                unless given.
        """
        server = await self._server()
        source = of or self._first()
        async with server.closed(source):
            await server.reset(name, template=source)
        await server.mark_template(name)
        await call.emit(DatabaseCreated(name=name, template=source))

    # ── statements ───────────────────────────────────────────────────────────────────────────────

    @action()
    async def query(
        self,
        *,
        sql: str,
        parameters: list[Any] | None = None,
        database: str | None = None,
        limit: int = 1000,
        statement_timeout: float | None = None,
    ) -> QueryResult:
        """Run one statement and return its rows with the types of their columns.

        Args:
            sql: the statement; $1 is the first parameter.
            parameters: values for $1, $2 and so on.
            database: to ask; the first of the label `databases` unless given.
            limit: at most so many rows are returned.
            statement_timeout: seconds it may take.
        """
        return await (await self._server()).query(
            sql,
            parameters or (),
            database=database or self._first(),
            limit=limit,
            timeout_s=statement_timeout,
        )

    @action()
    async def execute(
        self,
        *,
        sql: str | None = None,
        path: str | None = None,
        database: str | None = None,
        statement_timeout: float | None = None,
    ) -> list[str]:
        """Run a script of statements, and return what the server says to each.

        Args:
            sql: the statements.
            path: of a file that holds them, in their place; relative to the stack file.
            database: to run it on; the first of the label `databases` unless given.
            statement_timeout: seconds each statement may take.
        """
        if (sql is None) == (path is None):
            raise DatabaseError(what="run the script", cause="give either sql or a path")
        script = sql if sql is not None else await self._read(path or "")
        server = await self._server()
        return await server.execute(
            script, database=database or self._first(), timeout_s=statement_timeout
        )

    @action()
    async def count_rows(self, *, database: str | None = None) -> dict[str, int]:
        """Count the rows of each table.

        Args:
            database: whose tables; the first of the label `databases` unless given.
        """
        return await (await self._server()).table_counts(database or self._first())

    # ── backups ──────────────────────────────────────────────────────────────────────────────────

    @action(events=[BackupTaken], timeout_s=_COPY_S)
    async def backup(
        self, call: Call, *, name: str, database: str | None = None, terminate: bool = True
    ) -> Copy:
        """Copy a database on its server, under a name; an older backup of that name is replaced.

        Args:
            name: of the backup.
            database: to copy; the first of the label `databases` unless given.
            terminate: end its sessions first; else it must have none.
        """
        copies = await self._backups()
        made = await copies.take(database or self._first(), name, terminate=terminate)
        taken = BackupTaken(name=name, database=made.of, size_bytes=made.size_bytes)
        await call.emit(taken)
        return made

    @action()
    async def list_backups(self) -> list[Copy]:
        """List the backups, oldest first."""
        return list(await (await self._backups()).taken())

    @action(events=[BackupRestored], timeout_s=_COPY_S)
    async def restore_backup(self, call: Call, *, name: str, database: str | None = None) -> None:
        """Put a backup in the place of its database, whose sessions end; the backup stays.

        Args:
            name: of the backup.
            database: that it was made of; needed where several have a backup of that name.
        """
        copy = await self._backup_named(name, database)
        await (await self._backups()).put_back(copy)
        await call.emit(BackupRestored(name=name, database=copy.of))

    @action()
    async def remove_backup(self, *, name: str, database: str | None = None) -> None:
        """Remove a backup.

        Args:
            name: of the backup.
            database: that it was made of; needed where several have a backup of that name.
        """
        await (await self._backups()).remove(await self._backup_named(name, database))

    @action(timeout_s=3600.0)
    async def dump(self, *, path: str, database: str | None = None) -> int:
        """Write a database into a file with pg_dump, and return the file's size in bytes.

        Args:
            path: of the file to write; relative to the stack file.
            database: to dump; the first of the label `databases` unless given.
        """
        file = self.service.directory / path
        return await dump_database(await self._server(), database or self._first(), file)

    @action(events=[DatabaseLoaded], timeout_s=3600.0)
    async def load(self, call: Call, *, path: str, database: str | None = None) -> None:
        """Put what `dump` wrote in the place of a database, whose sessions end.

        Args:
            path: of the file to read; relative to the stack file.
            database: to replace, or to create; the first of the label `databases` unless given.
        """
        file, name = self.service.directory / path, database or self._first()
        await load_database(await self._server(), name, file)
        await call.emit(DatabaseLoaded(name=name, file=str(file)))

    # ── roles, extensions, sessions ──────────────────────────────────────────────────────────────

    @action()
    async def list_roles(self) -> list[Role]:
        """List the roles, and what they may do."""
        return await (await self._server()).roles()

    @action()
    async def create_role(self, *, name: str, superuser: bool = False) -> None:
        """Create a role that may log in, without a password.

        Args:
            name: of the role.
            superuser: it may do everything.
        """
        await (await self._server()).create_role(name, superuser=superuser)

    @action()
    async def list_extensions(self, *, database: str | None = None) -> list[Extension]:
        """List the extensions that the server has, and which are installed in a database.

        Args:
            database: to look at; the first of the label `databases` unless given.
        """
        return await (await self._server()).extensions(database or self._first())

    @action()
    async def create_extension(self, *, name: str, database: str | None = None) -> None:
        """Install an extension, and what it needs, into a database.

        Args:
            name: of the extension.
            database: to install it into; the first of the label `databases` unless given.
        """
        await (await self._server()).create_extensions(name, database=database or self._first())

    @action()
    async def end_sessions(self, *, database: str | None = None) -> int:
        """End the sessions of a database, and return how many there were.

        Args:
            database: whose sessions; the first of the label `databases` unless given.
        """
        return await (await self._server()).end_sessions(database or self._first())

    # ── snapshots of the stack ───────────────────────────────────────────────────────────────────

    async def quiesce(self, call: Call) -> None:
        """Close the databases of the stack."""
        await (await self._snapshots()).close()

    async def resume(self, call: Call) -> None:
        """Open them."""
        await (await self._snapshots()).open()

    async def snapshot(self, call: Call, directory: Path) -> None:
        """Copy them on the server."""
        await (await self._snapshots()).take(directory)

    async def restore(self, call: Call, directory: Path) -> None:
        """Put the copies in their place."""
        await (await self._snapshots()).put_back(directory)

    # ── where it is ──────────────────────────────────────────────────────────────────────────────

    async def _server(self) -> Database:
        return await server_of(self.service)

    def _wanted(self) -> Wanted:
        return Wanted.read(self.service.labels)

    def _first(self) -> str:
        wanted = next(iter(self._wanted().databases), None)
        return wanted or self.service.labels.get("database", "postgres")

    async def _backups(self) -> Copies:
        server = await self._server()
        return Copies(server, scope=f"{self.service.project}/{self.service.name}")

    async def _backup_named(self, name: str, database: str | None) -> Copy:
        known = await (await self._backups()).taken(database)
        found = [copy for copy in known if copy.name == name]
        if len(found) == 1:
            return found[0]
        what = f'use the backup "{name}"'
        if found:
            of: Sequence[str] = sorted(copy.of for copy in found)
            raise DatabaseError(
                what=what, cause=f"there are several, of {', '.join(of)}", hint="name the database"
            )
        raise BackupMissing.of(what=what, name=name, known=[copy.name for copy in known])

    async def _snapshots(self) -> ServerSnapshots:
        return ServerSnapshots(await self._server(), list(self._wanted().databases))

    async def _read(self, path: str) -> str:
        file = self.service.directory / path
        try:
            return await to_thread.run_sync(lambda: file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise DatabaseError(what="run the script", cause=f"cannot read it: {error}") from error
