"""A server's part in the snapshots of a stack: copies on the server, and a note of which they are.

The note is what lies in the snapshot's directory. Copies whose note is gone, because the snapshot
was removed or never got whole, are dropped with the next snapshot or restore.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from anyio import to_thread

from .client import Database
from .copies import Copies
from .errors import DatabaseError

__all__ = ["ServerSnapshots"]

_NOTE = "databases.json"
_VERSION = 1
_TOKEN_BYTES = 8


class ServerSnapshots:
    """What a server contributes to snapshots.

    Args:
        server: it.
        chosen: the databases that belong to the stack; none: all but templates and the one that
            the server is asked by.
    """

    def __init__(self, server: Database, chosen: Collection[str]) -> None:
        self._server = server
        self._chosen = chosen

    async def close(self) -> None:
        """Let no session begin on the databases, and end those that there are."""
        for name in await self._belonging():
            await self._server.allow_connections(name, allowed=False)
            await self._server.end_sessions(name)

    async def open(self) -> None:
        """Let sessions begin again."""
        for name in await self._belonging():
            await self._server.allow_connections(name, allowed=True)

    async def take(self, directory: Path) -> None:
        """Copy the databases, and note in the directory which copies they are."""
        token = secrets.token_hex(_TOKEN_BYTES)
        copies = _copies(self._server, directory)
        names = await self._belonging()
        for name in names:
            await copies.take(name, token)
        note = json.dumps({"version": _VERSION, "token": token, "databases": names})
        await to_thread.run_sync(lambda: (directory / _NOTE).write_text(note, encoding="utf-8"))
        await copies.keep_only(await to_thread.run_sync(_tokens, directory))

    async def put_back(self, directory: Path) -> None:
        """Put the copies in the place of the databases; they stay closed.

        Raises:
            DatabaseError: a copy is gone, such as with its server's data.
        """
        note = await to_thread.run_sync(_read, directory / _NOTE)
        copies = _copies(self._server, directory)
        found = {copy.of: copy for copy in await copies.taken() if copy.name == note["token"]}
        lost = [name for name in note["databases"] if name not in found]
        if lost:
            raise DatabaseError(
                what="restore the snapshot",
                cause=f"the server has no copies of {', '.join(lost)} any more",
                hint="take a new snapshot",
            )
        for name in note["databases"]:
            await copies.put_back(found[name], takes_connections=False)
        for name in await self._belonging():
            if name not in found and not self._chosen:
                await self._server.drop(name)
        await copies.keep_only(await to_thread.run_sync(_tokens, directory))

    async def _belonging(self) -> Sequence[str]:
        home = self._server.address.database
        infos = [info for info in await self._server.databases() if not info.is_copy]
        if self._chosen:
            return [info.name for info in infos if info.name in self._chosen]
        return [info.name for info in infos if not info.is_template and info.name != home]


def _copies(server: Database, directory: Path) -> Copies:
    """Return the copies of the snapshots that this one is among, wherever the server is."""
    machine = os.uname().nodename
    return Copies(server, scope=f"{machine}:{directory.parent.parent}/{directory.name}")


def _tokens(directory: Path) -> set[str]:
    """Return the tokens of all snapshots of the stack; their directories are side by side."""
    notes = directory.parent.parent.glob(f"*/{directory.name}/{_NOTE}")
    # What is being made has a hidden name, which `*` matches here as well.
    return {_read(note)["token"] for note in notes}


def _read(note: Path) -> Mapping[str, str]:
    found: Mapping[str, str] = json.loads(note.read_text(encoding="utf-8"))
    return found
