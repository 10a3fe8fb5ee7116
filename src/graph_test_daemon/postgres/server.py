"""The server, and its databases, that a service of a stack is."""

from __future__ import annotations

from anyio import to_thread

from harness.actions import Service

from .client import Database
from .wanted import Wanted, address_of

__all__ = ["databases_of", "server_of"]


async def server_of(service: Service) -> Database:
    """Return the server, as the database that is always there.

    Raises:
        ActionError: the service has no port.
        DatabaseError: the file of the password cannot be read.
    """
    url, labels, directory = service.url(), service.labels, service.directory
    return Database(await to_thread.run_sync(address_of, url, labels, directory))


async def databases_of(service: Service) -> list[Database]:
    """Return the databases that the stack file wants there; without any, the one always there.

    Raises:
        As `server_of`; DatabaseError: the labels are not as they should be.
    """
    server = await server_of(service)
    return [server.on(name) for name in Wanted.read(service.labels).databases] or [server]
