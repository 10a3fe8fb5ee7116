"""Dumps of databases in files, by the programs that come with PostgreSQL.

They must not be older than the server; the embedded one from npm brings none.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from harness.commands import Command, run
from harness.errors import CommandFailed, CommandTimeout

from .client import Database
from .errors import DatabaseError

if TYPE_CHECKING:
    import psycopg

__all__ = ["dump_database", "load_database"]

_DEBIAN = Path("/usr/lib/postgresql")
_LIMIT_S = 3600.0
_HASH_LENGTH = 16
_VERSION = re.compile(r"\b(\d+)\.\d+")


async def dump_database(server: Database, name: str, file: Path) -> int:
    """Write a database into a file of pg_dump's own format; return the file's size in bytes.

    Raises:
        DatabaseError: no program is new enough, or it failed; the file is then as it was.
    """
    program = await _program(server, "pg_dump")
    half = file.with_name(f".{file.name}.half")
    try:
        await _run(
            server.on(name),
            f'dump the database "{name}"',
            str(program),
            "--format=custom",
            f"--file={half}",
            f"--dbname={name}",
        )
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
    return (await anyio.Path(file).stat()).st_size


async def load_database(server: Database, name: str, file: Path) -> None:
    """Put what a file holds in the place of a database; its sessions end.

    It is loaded beside the present one, which goes once that has succeeded.

    Raises:
        DatabaseError: there is no such file, no program is new enough, or it failed.
    """
    what = f'load the database "{name}"'
    if not await anyio.Path(file).is_file():
        raise DatabaseError(what=what, cause=f"there is no file {file}")
    program = await _program(server, "pg_restore")
    half = f"loading-{hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]}"
    owner = await server.owner(name)
    await server.reset(half)
    try:
        await _run(
            server.on(half), what, str(program), "--exit-on-error", f"--dbname={half}", str(file)
        )
        await server.drop(name, missing_ok=True)
        await server.rename(half, name)
        if owner is not None:
            await server.give(name, owner)
    finally:
        await server.drop(half, missing_ok=True)


async def _run(server: Database, what: str, *argv: str) -> None:
    command = Command(argv=argv, env=_environment(server), timeout_s=_LIMIT_S)
    try:
        await run(command, check=True)
    except (CommandFailed, CommandTimeout) as error:
        raise DatabaseError(what=what, cause=str(error)) from error


def _environment(server: Database) -> Mapping[str, str]:
    """Return where the server is, as the programs want it; a password is not seen in lists."""
    address = server.address
    found = {"PGHOST": address.host, "PGPORT": str(address.port), "PGUSER": address.user}
    if address.password is not None:
        found["PGPASSWORD"] = address.password
    if "sslmode" in address.options:
        found["PGSSLMODE"] = address.options["sslmode"]
    return found


async def _program(server: Database, name: str) -> Path:
    """Return a program that is not older than the server: the newest there is."""
    needed = await server.run(_major, what="ask for the server's version")
    seen = []
    for path in _candidates(name):
        said = (await run(Command(argv=(str(path), "--version"), timeout_s=30.0))).stdout
        version = _VERSION.search(said.decode("utf-8", "replace"))
        if version is None:
            continue
        if int(version[1]) >= needed:
            return path
        seen.append(f"{path} is {version[1]}")
    raise DatabaseError(
        what=f"run {name}",
        cause=f"there is none for PostgreSQL {needed}" + "".join(f"; {text}" for text in seen),
        hint=f"install the client programs of PostgreSQL {needed} or newer, such as Debian's "
        f"postgresql-client-{needed}; `backup` needs none",
    )


def _major(connection: psycopg.Connection) -> int:
    return connection.info.server_version // 10000


def _candidates(name: str) -> Iterator[Path]:
    on_path = shutil.which(name)
    # Debian's is a wrapper that chooses among versions by what clusters there are.
    if on_path is not None and "pg_wrapper" not in os.path.realpath(on_path):
        yield Path(on_path)
    found = _DEBIAN.glob(f"*/bin/{name}")
    yield from sorted(found, key=lambda path: -float(path.parent.parent.name))
