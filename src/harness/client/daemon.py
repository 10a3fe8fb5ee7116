"""The daemon itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from .connection import Connection

if TYPE_CHECKING:
    from .results import DaemonStatus, Listening

__all__ = ["Daemon"]

_STOP_TIMEOUT_S = 600.0
_EXIT_TIMEOUT_S = 30.0


class Daemon:
    """Methods `daemon.*` and `rpc.discover`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def status(self) -> DaemonStatus:
        """Return pid, version, started_at, endpoint, remote, projects, last_event and more."""
        result: DaemonStatus = await self._connection.call("daemon.status")
        return result

    async def stop(self, *, keep_services: bool = False) -> None:
        """End the daemon; returns once it has gone.

        Args:
            keep_services: leave everything running, in place of taking every project down first.
        """
        await self._connection.call(
            "daemon.stop", {"keep_services": keep_services}, timeout_s=_STOP_TIMEOUT_S
        )
        with anyio.move_on_after(_EXIT_TIMEOUT_S):
            await self._connection.wait_closed()

    async def listen(self, *, host: str | None, port: int = 0) -> Listening:
        """Have clients of other machines served there, from now on; return host, port, url.

        Args:
            host: a name or address of the daemon's machine; None: nowhere any more.
            port: 0: one that is free.
        """
        result: Listening = await self._connection.call(
            "daemon.listen", {"host": host, "port": port}
        )
        return result

    async def discover(self) -> dict[str, Any]:
        """Return the OpenRPC document of the daemon."""
        result: dict[str, Any] = await self._connection.call("rpc.discover")
        return result
