"""What a server says that it has: databases, roles, extensions, tables and their rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from .connection import identifier

if TYPE_CHECKING:
    import psycopg

__all__ = [
    "DatabaseInfo",
    "Extension",
    "Role",
    "counted_rows",
    "listed_databases",
    "listed_extensions",
    "listed_roles",
]

_COPY = re.compile("copy-[0-9a-f]{8}-[0-9a-f]{16}")
_ALL_DATABASES = """
    SELECT datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype,
           datistemplate, datallowconn, coalesce(pg_database_size(oid), 0),
           (SELECT count(*) FROM pg_stat_activity WHERE datid = pg_database.oid)
    FROM pg_database WHERE datname NOT IN ('template0', 'template1') ORDER BY datname
"""
_ALL_ROLES = """
    SELECT rolname, rolsuper, rolcanlogin, rolcreatedb, rolcreaterole
    FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' ORDER BY rolname
"""
_ALL_EXTENSIONS = """
    SELECT name, default_version, installed_version, comment
    FROM pg_available_extensions ORDER BY name
"""
_ALL_TABLES = """
    SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname <> 'information_schema' AND NOT starts_with(schemaname, 'pg_') ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseInfo:
    """One database of a server.

    Attributes:
        name: of it.
        owner: the role whose it is.
        encoding: such as UTF8.
        collate: how texts are ordered; `ctype`: what is a letter.
        is_template: new ones may be copied from it by everybody.
        takes_connections: sessions may begin.
        size_bytes: on disk.
        sessions: that it has now.
    """

    name: str
    owner: str
    encoding: str
    collate: str
    ctype: str
    is_template: bool
    takes_connections: bool
    size_bytes: int
    sessions: int

    @property
    def is_copy(self) -> bool:
        """It is a backup, or belongs to a snapshot; see `Copies`."""
        return _COPY.fullmatch(self.name) is not None

    @property
    def suits_graph_node(self) -> bool:
        """Its encoding and locale are what graph-node asks for."""
        return (self.encoding, self.collate, self.ctype) == ("UTF8", "C", "C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One role of a server, and what it may do."""

    name: str
    superuser: bool
    login: bool
    create_databases: bool
    create_roles: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """One extension that the server has; `installed` is its version in a database, or None."""

    name: str
    version: str
    installed: str | None
    comment: str


_COLUMNS = tuple(field.name for field in fields(DatabaseInfo))


def listed_databases(connection: psycopg.Connection) -> list[DatabaseInfo]:
    """Return the databases, by name, without the server's own templates."""
    rows = connection.execute(_ALL_DATABASES).fetchall()
    return [DatabaseInfo(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def listed_roles(connection: psycopg.Connection) -> list[Role]:
    """Return the roles, by name, without the server's own."""
    return [
        Role(name=name, superuser=is_super, login=login, create_databases=dbs, create_roles=roles)
        for name, is_super, login, dbs, roles in connection.execute(_ALL_ROLES).fetchall()
    ]


def listed_extensions(connection: psycopg.Connection) -> list[Extension]:
    """Return the extensions that the server has, by name."""
    return [
        Extension(name=name, version=version, installed=installed, comment=comment or "")
        for name, version, installed, comment in connection.execute(_ALL_EXTENSIONS).fetchall()
    ]


def counted_rows(connection: psycopg.Connection) -> dict[str, int]:
    """Return `schema.table` → rows, counted one by one."""
    found = {}
    for schema, table in connection.execute(_ALL_TABLES).fetchall():
        of = f"{identifier(schema)}.{identifier(table)}"
        counted = f"SELECT count(*) FROM {of}"  # noqa: S608 - quoted
        row = connection.execute(counted.encode()).fetchone()
        found[f"{schema}.{table}"] = int(row[0]) if row else 0
    return found
