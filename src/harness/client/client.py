"""The front door: a client is one connection and the nouns over it."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
from anyio.abc import SocketAttribute, SocketStream

from harness.errors import DaemonUnavailable, Forbidden
from harness.protocol import PROTOCOL_VERSION, Endpoint, socket_address

from .actions import Actions
from .beside import tasks_beside
from .connection import Connection
from .daemon import Daemon
from .events import Events
from .exec import Exec
from .health import Health
from .leases import Leases
from .leftovers import Leftovers
from .logs import Logs
from .operations import Operations
from .plan import Plan
from .plugins import Plugins
from .projects import Projects
from .registry import Registry
from .services import Services
from .snapshots import Snapshots
from .tasks import Tasks
from .tokens import Tokens
from .websocket import ClientWebSocket
from .workflows import Workflows

if TYPE_CHECKING:
    from harness.protocol import MessageStream

    from .remote import Remote
    from .spawning import Begun

__all__ = ["Client", "connect", "opened"]

_HELLO_TIMEOUT_S = 10.0
_NEXT_DAEMON_S = 10.0
_NEXT_LOOK_S = 0.1


class Client:
    """A connected client; results are plain JSON values, as the daemon sent them.

    Attributes:
        hello: protocol, version and pid of the daemon.
        connection: for calls that no noun has.
    """

    def __init__(self, connection: Connection, hello: dict[str, Any]) -> None:
        self.connection = connection
        self.hello = hello
        self.daemon = Daemon(connection)
        self.projects = Projects(connection)
        self.services = Services(connection)
        self.leases = Leases(connection)
        self.leftovers = Leftovers(connection)
        self.plan = Plan(connection)
        self.logs = Logs(connection)
        self.exec = Exec(connection)
        self.tasks = Tasks(connection)
        self.snapshots = Snapshots(connection)
        self.events = Events(connection)
        self.operations = Operations(connection)
        self.health = Health(connection)
        self.registry = Registry(connection)
        self.actions = Actions(connection)
        self.plugins = Plugins(connection)
        self.tokens = Tokens(connection)
        self.workflows = Workflows(connection)


@asynccontextmanager
async def connect(
    endpoint: Endpoint | Remote | None = None,
    *,
    start: bool = True,
    source: Mapping[str, Any] | None = None,
    begun: Begun | None = None,
    reconnect: bool = False,
    plugins: Sequence[str] = (),
    idle_end_s: float | None = None,
) -> AsyncIterator[Client]:
    """Connect to a daemon, for as long as the context is open.

    Args:
        endpoint: whose; None: the user's own, as the environment names it. One on another machine
            is a `Remote`, and is never started from here.
        start: start it in the background when it does not run.
        source: stack files, as `make_source` returns them, that a daemon is started for; it does
            not start when they cannot be used.
        begun: what `begin_daemon` returned for the same endpoint and source.
        reconnect: go on with the next daemon when this one has gone, and with `start` start it
            where this one was killed: what only reads is asked again, and events go on from the
            last one that was seen. One that was stopped is not started again.
        plugins: that it is started with, `module` or `module:attribute`, beside installed ones.
        idle_end_s: one that is started ends by itself, and removes its state directory, when for so
            long nobody has been connected and there was no project.

    Raises:
        DaemonUnavailable: it does not run, and could not or was not to be started.
        ConfigError, PlanError: it does not run, and the stack files cannot be used.
        HarnessError: why it could not start, for example StoreCorrupt.
        ProtocolError: it speaks another version of the protocol.
        AccessError: it is on another machine, and does not let this client in.
    """
    endpoint = endpoint or Endpoint.default()
    if isinstance(endpoint, Endpoint):
        starter = _Starter(endpoint, plugins, idle_end_s) if start else None
        stream = await _reach(endpoint, starter, source=source, begun=begun)
        again = partial(_reach_again, endpoint, starter)
    else:
        from .remote import open_remote

        stream = await open_remote(endpoint)
        again = partial(_reach_remote_again, endpoint)
    if reconnect:
        async with _lasting(stream, again) as client:
            yield client
    else:
        async with opened(stream) as client:
            yield client


class _Starter(NamedTuple):
    """Starts a daemon: where, with which plugins, and when it is to end by itself."""

    endpoint: Endpoint
    plugins: Sequence[str]
    idle_end_s: float | None

    async def start(self, source: Mapping[str, Any] | None, begun: Begun | None) -> MessageStream:
        from .starting import start_daemon

        opening = partial(_open, self.endpoint)
        return await start_daemon(
            self.endpoint,
            opening,
            source=source,
            begun=begun,
            plugins=self.plugins,
            idle_end_s=self.idle_end_s,
        )


async def _reach(
    endpoint: Endpoint,
    starter: _Starter | None,
    *,
    source: Mapping[str, Any] | None = None,
    begun: Begun | None = None,
) -> MessageStream:
    stream = None if begun else await _open(endpoint)
    if stream is None and starter is not None:
        stream = await starter.start(source, begun)
    if stream is None:
        raise DaemonUnavailable(
            f"cannot reach the daemon: nothing listens at {endpoint.socket_path}",
            hint="start it with `harness daemon start`",
            details={"not_running": True},
        )
    return stream


async def _reach_again(endpoint: Endpoint, starter: _Starter | None) -> MessageStream:
    """Reach the next daemon; start it where the last one was killed, which leaves its socket.

    Raises:
        DaemonUnavailable: it was stopped, and nobody started another one.
    """
    with anyio.move_on_after(_NEXT_DAEMON_S):
        while True:
            is_killed = os.path.lexists(endpoint.socket_path)  # noqa: ASYNC240 - of a local disk
            if is_killed and starter is not None:
                return await _reach(endpoint, starter)
            if (stream := await _open(endpoint)) is not None:
                return stream
            # Seldom, and for a moment only: one is being restarted, or none comes.
            await anyio.sleep(_NEXT_LOOK_S)
    raise DaemonUnavailable(
        "cannot go on: the daemon has ended", hint="the next command starts it again"
    )


async def _reach_remote_again(remote: Remote) -> MessageStream:
    """Reach the next daemon on another machine.

    Raises:
        DaemonUnavailable: nobody started one.
        HarnessError: it does not let this client in any more.
    """
    from .remote import open_remote

    deadline = anyio.current_time() + _NEXT_DAEMON_S
    while True:
        try:
            return await open_remote(remote)
        except DaemonUnavailable:
            if anyio.current_time() >= deadline:
                raise
        # Nothing here can be told when a daemon of another machine listens again.
        await anyio.sleep(_NEXT_LOOK_S)


@asynccontextmanager
async def _lasting(
    first: MessageStream, again: Callable[[], Awaitable[MessageStream]]
) -> AsyncIterator[Client]:
    from .lasting import LastingConnection

    streams = [first]

    async def reach() -> MessageStream:
        return streams.pop() if streams else await again()

    async with tasks_beside() as group:
        connection = LastingConnection(group, reach, _greet)
        try:
            await connection.reached()
            yield Client(connection, connection.hello)
        finally:
            await connection.aclose()


async def _greet(connection: Connection) -> dict[str, Any]:
    hello: dict[str, Any] = await connection.call(
        "daemon.hello",
        {"protocol": PROTOCOL_VERSION, "client": f"pid {os.getpid()}"},
        timeout_s=_HELLO_TIMEOUT_S,
    )
    return hello


@asynccontextmanager
async def opened(stream: MessageStream) -> AsyncIterator[Client]:
    """Be a client over a stream, for as long as the context is open; it is closed then.

    Raises:
        ProtocolError: the daemon speaks another version of the protocol.
        DaemonUnavailable: it does not answer.
    """
    connection = Connection(stream)
    async with tasks_beside() as group:
        group.start_soon(connection.run)
        try:
            yield Client(connection, await _greet(connection))
        finally:
            await connection.aclose()


def _check_owner(stream: SocketStream, path: Path) -> None:
    """Refuse to tell a daemon of another user anything: requests hold this one's environment."""
    raw: socket.socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - no SQL
    credentials = raw.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    if uid not in (0, os.geteuid()):
        raise Forbidden(
            f"cannot talk to the daemon at {path}: it belongs to another user",
            hint="name another state directory with HARNESS_STATE_DIR",
        )


async def _open(endpoint: Endpoint) -> MessageStream | None:
    """Connect to the socket; None when nobody listens there.

    Raises:
        DaemonUnavailable: somebody does, and cannot be reached.
        Forbidden: it is another user's.
    """
    path = endpoint.socket_path
    try:
        with socket_address(path) as address:
            stream = await anyio.connect_unix(address)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        return None
    except OSError as error:
        raise DaemonUnavailable(
            f"cannot reach the daemon at {path}: {error.strerror or error}",
            hint="name another state directory with HARNESS_STATE_DIR",
        ) from error
    websocket = ClientWebSocket(stream)
    try:
        _check_owner(stream, path)
        with anyio.fail_after(_HELLO_TIMEOUT_S):
            await websocket.handshake()
    except TimeoutError:
        await anyio.aclose_forcefully(stream)
        raise DaemonUnavailable(f"cannot reach the daemon at {path}: it does not answer") from None
    except DaemonUnavailable:
        # It hung up at once: a daemon that is ending. Whoever starts one waits for that.
        await anyio.aclose_forcefully(stream)
        return None
    except BaseException:
        await anyio.aclose_forcefully(stream)
        raise
    return websocket
