"""A PostgreSQL server: its databases, roles and extensions, and statements on them.

Everything is committed at once. Databases that are made here are what graph-node needs: UTF-8, in
the order and classes of characters of C.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio

from graph_test_daemon.errors import Unreachable

from .catalog import (
    DatabaseInfo,
    Extension,
    Role,
    counted_rows,
    listed_databases,
    listed_extensions,
    listed_roles,
)
from .connection import Address, identifier, literal, perform
from .errors import DatabaseInUse
from .rows import QueryResult
from .statements import executed, queried

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

__all__ = ["Database"]

T = TypeVar("T")

_TEMPLATE = "template0"
_COMES_UP = re.compile("starting up|recovery|not yet accepting|refused", re.IGNORECASE)
_LOOK_AGAIN_S = 0.03
_ENDING_S = 0.3
_SESSIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = $1 AND backend_type = 'client backend'
"""
_END_SESSIONS = """
    SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
    WHERE datname = %s AND pid <> pg_backend_pid()
"""


class Database:
    """A server, by the address of one of its databases.

    Args:
        address: a URL, or what it says.
        timeout_s: how long a statement may take unless said otherwise.
    """

    def __init__(self, address: str | Address, *, timeout_s: float = 60.0) -> None:
        self.address = Address.parse(address) if isinstance(address, str) else address
        self._timeout_s = timeout_s

    def on(self, database: str) -> Self:
        """Return another database of the same server."""
        return type(self)(self.address.of(database), timeout_s=self._timeout_s)

    async def run(
        self,
        work: Callable[[psycopg.Connection], T],
        *,
        what: str,
        database: str | None = None,
        timeout_s: float | None = None,
    ) -> T:
        """Do something on a connection, in a thread; see `perform`."""
        return await perform(
            self.address.of(database),
            work,
            what=what,
            timeout_s=self._timeout_s if timeout_s is None else timeout_s,
            home=self.address.database,
        )

    async def wait_ready(self, *, timeout_s: float = 60.0) -> None:
        """Return once the server answers; its port is open before it does.

        Raises:
            Unreachable: it does not within that time, or refuses.
        """
        deadline = anyio.current_time() + timeout_s
        while True:
            try:
                await self.query("SELECT 1")
            except Unreachable as error:
                if anyio.current_time() > deadline or not _COMES_UP.search(str(error)):
                    raise
            else:
                return
            await anyio.sleep(_LOOK_AGAIN_S)

    # ── statements ───────────────────────────────────────────────────────────────────────────────

    async def query(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        *,
        database: str | None = None,
        limit: int = 1000,
        timeout_s: float | None = None,
    ) -> QueryResult:
        """Run one statement and return its rows.

        Args:
            sql: the statement; `$1` is the first parameter.
            parameters: in order.
            database: of the server; None: the address's.
            limit: rows that are returned; the statement runs to its end all the same.
            timeout_s: how long it may take.

        Raises:
            DatabaseError: the server refuses it, or it takes too long.
        """
        return await self.run(
            lambda connection: queried(connection, sql, parameters, limit),
            what="run the query",
            database=database,
            timeout_s=timeout_s,
        )

    async def execute(
        self, script: str, *, database: str | None = None, timeout_s: float | None = None
    ) -> list[str]:
        """Run statements, and return how the server calls what each has done.

        All are one transaction, unless the script says otherwise.
        """
        return await self.run(
            lambda connection: executed(connection, script),
            what="run the script",
            database=database,
            timeout_s=timeout_s,
        )

    async def perform_all(self, what: str, *statements: str, database: str | None = None) -> None:
        """Run statements one by one, each its own transaction."""

        def work(connection: psycopg.Connection) -> None:
            for statement in statements:
                connection.execute(statement.encode())

        await self.run(work, what=what, database=database)

    # ── databases ────────────────────────────────────────────────────────────────────────────────

    async def databases(self) -> list[DatabaseInfo]:
        """Return the databases, by name, without the server's own templates."""
        return await self.run(listed_databases, what="list the databases")

    async def exists(self, name: str) -> bool:
        """Tell whether there is a database of that name."""
        asked = "SELECT 1 FROM pg_database WHERE datname = $1"
        return bool((await self.query(asked, [name])).rows)

    async def create(
        self, name: str, *, owner: str | None = None, template: str | None = None
    ) -> None:
        """Create a database.

        Args:
            name: of the new one.
            owner: its role; None: who creates it.
            template: a database to copy, which must have no sessions; None: an empty one.

        Raises:
            DatabaseMissing: the template is not there.
            DatabaseInUse: the template has sessions.
            DatabaseError: there is one of that name, or the server refuses.
        """
        what = f'create the database "{name}"'
        if template is not None:
            await self.without_sessions(template, what=what)
        words = [f"CREATE DATABASE {identifier(name)} TEMPLATE {identifier(template or _TEMPLATE)}"]
        if template is None:
            words.append("ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
        if owner is not None:
            words.append(f"OWNER {identifier(owner)}")
        await self.perform_all(what, " ".join(words))

    async def drop(self, name: str, *, missing_ok: bool = False, force: bool = True) -> None:
        """Drop a database.

        Args:
            name: of it.
            missing_ok: there may be none.
            force: end its sessions first.

        Raises:
            DatabaseMissing: there is none.
            DatabaseInUse: it has sessions, without `force`.
        """
        quoted = identifier(name)
        statements = [f"DROP DATABASE {'IF EXISTS ' * missing_ok}{quoted}{' WITH (FORCE)' * force}"]
        asked = "SELECT datistemplate FROM pg_database WHERE datname = $1"
        if (await self.query(asked, [name])).value():
            statements.insert(0, f"ALTER DATABASE {quoted} IS_TEMPLATE false")
        what = f'drop the database "{name}"'
        if not force:
            await self.without_sessions(name, what=what)
        await self.perform_all(what, *statements)

    async def rename(self, name: str, to: str) -> None:
        """Give a database another name; it must have no sessions."""
        statement = f"ALTER DATABASE {identifier(name)} RENAME TO {identifier(to)}"
        await self.perform_all(f'rename the database "{name}"', statement)

    async def reset(self, name: str, *, template: str | None = None) -> None:
        """Drop a database with its sessions and create it anew, with the same owner.

        Args:
            name: of it; one that is not there is created.
            template: a database to copy; None: an empty one.
        """
        owner = await self.owner(name)
        await self.drop(name, missing_ok=True)
        await self.create(name, owner=owner, template=template)

    async def give(self, name: str, owner: str) -> None:
        """Make a database another role's."""
        statement = f"ALTER DATABASE {identifier(name)} OWNER TO {identifier(owner)}"
        await self.perform_all(f'give the database "{name}" to "{owner}"', statement)

    async def owner(self, name: str) -> str | None:
        """Return the role whose a database is; None where there is none of that name."""
        asked = "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1"
        owner = (await self.query(asked, [name])).value()
        return None if owner is None else str(owner)

    async def mark_template(self, name: str, *, is_template: bool = True) -> None:
        """Make a database a template, which takes no connections any more; or no longer one."""
        quoted = identifier(name)
        await self.perform_all(
            f'make "{name}" a template',
            f"ALTER DATABASE {quoted} IS_TEMPLATE {str(is_template).lower()}",
            f"ALTER DATABASE {quoted} ALLOW_CONNECTIONS {str(not is_template).lower()}",
        )
        if is_template:
            await self.end_sessions(name)

    async def allow_connections(self, name: str, allowed: bool) -> None:
        """Let sessions begin, or not; those that are there stay."""
        verb = "open" if allowed else "close"
        statement = f"ALTER DATABASE {identifier(name)} ALLOW_CONNECTIONS {str(allowed).lower()}"
        await self.perform_all(f'{verb} the database "{name}"', statement)

    @asynccontextmanager
    async def closed(self, name: str) -> AsyncIterator[None]:
        """Keep a database without sessions: end those it has, and let none begin meanwhile."""
        asked = "SELECT datallowconn FROM pg_database WHERE datname = $1"
        was_open = (await self.query(asked, [name])).value()
        if was_open:
            await self.allow_connections(name, allowed=False)
        try:
            await self.end_sessions(name)
            yield
        finally:
            if was_open:
                with anyio.CancelScope(shield=True):  # it has limits of its own
                    await self.allow_connections(name, allowed=True)

    async def without_sessions(self, name: str, *, what: str) -> None:
        """Return if a database has no sessions; such as are just ending are waited for.

        The server itself would wait for five seconds.

        Raises:
            DatabaseInUse: it has.
        """
        deadline = anyio.current_time() + _ENDING_S
        while sessions := (await self.query(_SESSIONS, [name])).value():
            if anyio.current_time() > deadline:
                raise DatabaseInUse(what=what, name=name, sessions=sessions)
            await anyio.sleep(_LOOK_AGAIN_S)

    async def end_sessions(self, name: str) -> int:
        """End the sessions of a database, wait until they are gone, and return how many."""
        found = await self.run(
            lambda connection: connection.execute(_END_SESSIONS, [name]).fetchone(),
            what=f'end the sessions of "{name}"',
        )
        return int(found[0]) if found else 0

    # ── roles and extensions ─────────────────────────────────────────────────────────────────────

    async def roles(self) -> list[Role]:
        """Return the roles, by name, without the server's own."""
        return await self.run(listed_roles, what="list the roles")

    async def create_role(
        self, name: str, *, superuser: bool = False, password: str | None = None
    ) -> None:
        """Create a role that may log in."""
        words = [f"CREATE ROLE {identifier(name)} LOGIN"]
        if superuser:
            words.append("SUPERUSER")
        if password is not None:
            words.append(f"PASSWORD {literal(password)}")
        await self.perform_all(f'create the role "{name}"', " ".join(words))

    async def extensions(self, database: str | None = None) -> list[Extension]:
        """Return the extensions that the server has, and which a database has installed."""
        return await self.run(listed_extensions, what="list the extensions", database=database)

    async def create_extensions(self, *names: str, database: str | None = None) -> None:
        """Install extensions and what they need into a database, unless they are there."""
        quoted = (identifier(name) for name in names)
        await self.perform_all(
            f"install {', '.join(names)}",
            *(f"CREATE EXTENSION IF NOT EXISTS {name} CASCADE" for name in quoted),
            database=database,
        )

    # ── what is in one ───────────────────────────────────────────────────────────────────────────

    async def table_counts(self, database: str | None = None) -> dict[str, int]:
        """Return the number of rows of each table, `schema.table` → rows, counted one by one."""
        return await self.run(counted_rows, what="count rows", database=database)
