"""Brings a server to what a stack file wants: roles, databases, extensions. What is there stays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from .client import Database
from .connection import identifier
from .errors import DatabaseError
from .wanted import Wanted

__all__ = ["check_suitable", "set_up_server", "what_is_missing"]

_FOREIGN = "postgres_fdw"


async def what_is_missing(server: Database, wanted: Wanted) -> Sequence[str]:
    """Return what is not there yet, in words; nothing: all is as wanted."""
    known_roles = {role.name for role in await server.roles()} if wanted.roles else set()
    missing = [f'role "{name}"' for name in wanted.roles if name not in known_roles]
    if not wanted.databases:
        return missing
    known = {info.name for info in await server.databases()}
    for name in wanted.databases:
        if name not in known:
            missing.append(f'database "{name}"')
            continue
        installed = await _installed(server, name)
        missing += [
            f'extension "{extension}" in "{name}"'
            for extension in wanted.extensions
            if extension not in installed
        ]
    return missing


async def set_up_server(
    server: Database, wanted: Wanted, tell: Callable[[str], Awaitable[None]]
) -> None:
    """Make what is not there yet.

    Args:
        server: where.
        wanted: what is to be there.
        tell: takes what is done, before it is.

    Raises:
        DatabaseError: the server refuses, or has no such extension.
    """
    known_roles = {role.name for role in await server.roles()} if wanted.roles else set()
    for name, is_superuser in wanted.roles.items():
        if name not in known_roles:
            await tell(f"creating role {name}")
            await server.create_role(name, superuser=is_superuser)
    known = {info.name for info in await server.databases()}
    for name, owner in wanted.databases.items():
        if name not in known:
            await tell(f"creating database {name}")
            await server.create(name, owner=owner)
        installed = await _installed(server, name)
        lacking = [extension for extension in wanted.extensions if extension not in installed]
        if lacking:
            await server.create_extensions(*lacking, database=name)
        if owner is not None and _FOREIGN in wanted.extensions:
            # graph-node reads one shard from another through it.
            granted = f"GRANT USAGE ON FOREIGN DATA WRAPPER {_FOREIGN} TO {identifier(owner)}"
            await server.perform_all(f'let "{owner}" use {_FOREIGN}', granted, database=name)


async def check_suitable(server: Database, wanted: Wanted) -> None:
    """Look whether the wanted databases can be graph-node's.

    Raises:
        DatabaseError: one has another encoding or locale than graph-node needs.
    """
    if not wanted.databases:
        await server.query("SELECT 1")
        return
    for info in await server.databases():
        if info.name in wanted.databases and not info.suits_graph_node:
            raise DatabaseError(
                what=f'use the database "{info.name}"',
                cause=f"its encoding is {info.encoding}, its locale {info.collate}, {info.ctype}; "
                "graph-node needs UTF8 and C",
                hint="drop it, and it is made anew, or name another",
            )


async def _installed(server: Database, database: str) -> set[str]:
    asked = "SELECT extname FROM pg_extension"
    return {row[0] for row in (await server.query(asked, database=database)).rows}
