"""Accepts connections and serves each in a task of its own.

Those on the unix socket are of this machine's user; of others see `remote.py`.

What a client does, or does not do, reaches no further than its own session.
"""

from __future__ import annotations

import errno
import logging
import os
import shlex
import socket
import stat
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketListener, SocketStream, TaskGroup

from harness.access import LOCAL_ADMIN, Principal, Role
from harness.errors import StorageError
from harness.protocol import MAX_MESSAGE_BYTES, MessageStream, socket_address

from .dispatcher import Dispatcher
from .session import Limits, Session
from .websocket import Admit, ServerWebSocket, accept_websocket

__all__ = ["Server", "is_allowed_peer", "peer_uid"]

logger = logging.getLogger(__name__)

_SCARCE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_PENDING = frozenset(
    {
        errno.ECONNABORTED,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENONET,
        errno.ENOPROTOOPT,
        errno.EOPNOTSUPP,
        errno.EPERM,
        errno.EPROTO,
    }
)
"""Of the one connection that would have been accepted. Source: accept(2), "Error handling"."""
_ACCEPT_PAUSE_S = 0.1
_BACKLOG = 128


class Outliving:
    """Where calls run that go on when their caller vanishes; a `Spawner`."""

    def __init__(self) -> None:
        self.group: TaskGroup | None = None
        self._count = 0
        self._idle = anyio.Event()

    def start_soon(self, func: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Start a task."""
        if self.group is None:
            raise RuntimeError("the server is not running")
        self._count += 1
        self.group.start_soon(self._run, func, args)

    async def wait_idle(self) -> None:
        """Return when none of them runs."""
        while self._count:
            self._idle = anyio.Event()
            await self._idle.wait()

    async def _run(self, func: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> None:
        try:
            await func(*args)
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()


class Server:
    """Serves clients with one dispatcher.

    Args:
        dispatcher: answers calls; may be replaced before `listen`.
        health: makes the answer to `GET /health`.
        limits: for each connection.
        max_message_bytes: of an inbound message.

    Attributes:
        on_left: called when a client has left; may be replaced.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        health: Callable[[], Mapping[str, Any]] = dict,
        limits: Limits | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self.dispatcher = dispatcher
        self.on_left: Callable[[], None] = lambda: None
        self._health = health
        self._limits = limits or Limits()
        self._max_message_bytes = max_message_bytes
        self._sessions: set[Session] = set()
        self._outliving = Outliving()
        self._accepting = anyio.CancelScope()
        self._group: TaskGroup | None = None
        self._connections = 0
        self.remote_connections = 0
        self._also_accepting: set[anyio.CancelScope] = set()

    @property
    def connections(self) -> int:
        """How many clients are connected, or about to be, those of other machines included."""
        return self._connections + self.remote_connections

    @property
    def limits(self) -> Limits:
        """What each connection may use."""
        return self._limits

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let connections and the calls that outlive them run; leaving ends all of them."""
        async with anyio.create_task_group() as group:
            self._group = self._outliving.group = group
            try:
                yield
            finally:
                self._group = self._outliving.group = None
                group.cancel_scope.cancel()

    async def listen(self, path: Path) -> None:
        """Accept connections on a unix socket at `path`, made with mode 0600, from now on.

        A socket that is there is replaced: who calls this owns the state directory.

        Raises:
            StorageError: the socket cannot be made there.
        """
        _make_directory(path.parent)
        try:
            with socket_address(path) as address:
                listener = await anyio.create_unix_listener(address, mode=0o600, backlog=_BACKLOG)
        except OSError as error:
            raise StorageError(f"cannot listen at {path}: {error.strerror or error}") from error
        self._running().start_soon(self._accept_local, listener, path)

    def start_soon(self, func: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> None:
        """Start a task that ends with the server at the latest."""
        self._running().start_soon(func, *args)

    def stop_listening(self) -> None:
        """Accept no more connections anywhere and remove the socket; open ones go on."""
        self._accepting.cancel()
        for scope in self._also_accepting:
            scope.cancel()

    @property
    def is_ending(self) -> bool:
        """Whether it accepts no more connections, for ever."""
        return self._accepting.cancel_called

    def accept_within(self, scope: anyio.CancelScope) -> None:
        """Have a scope cancelled when no more connections are to be accepted; at once, if so now.

        `accept_no_more_within` forgets it.
        """
        self._also_accepting.add(scope)
        if self.is_ending:
            scope.cancel()

    def accept_no_more_within(self, scope: anyio.CancelScope) -> None:
        """Forget a scope that has ended."""
        self._also_accepting.discard(scope)

    async def drain(self) -> None:
        """Wait until every call that changes something has been answered."""
        await self._outliving.wait_idle()

    async def serve_stream(self, stream: MessageStream, principal: Principal = LOCAL_ADMIN) -> None:
        """Serve one client over a stream until it leaves."""
        session = Session(
            stream,
            dispatcher=self.dispatcher,
            outliving=self._outliving,
            principal=principal,
            limits=self._limits,
        )
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)

    async def close_sessions(self) -> None:
        """Send every client what waits for it, for five seconds at most, and disconnect it."""
        async with anyio.create_task_group() as group:
            for session in list(self._sessions):
                group.start_soon(session.close)

    def end_sessions(self, of: Callable[[Principal], bool]) -> None:
        """Disconnect those whom what they showed does not let in any more."""
        for session in [session for session in self._sessions if of(session.principal)]:
            session.end()

    async def accept(
        self, listener: SocketListener, serve: Callable[[SocketStream], Coroutine[Any, Any, None]]
    ) -> None:
        """Accept connections for ever, and serve each in a task of its own."""
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                if error.errno not in _SCARCE | _PENDING:
                    raise
                logger.warning("Cannot accept a connection: %s", error)
                await anyio.sleep(_ACCEPT_PAUSE_S)
                continue
            self._running().start_soon(serve, stream)

    async def handshake(
        self,
        stream: ByteStream,
        *,
        health: Mapping[str, Any] | None = None,
        admit: Admit = lambda _: None,
    ) -> ServerWebSocket | None:
        """Make a WebSocket of a connection; None when there is none, whose client got an answer.

        Raises:
            TimeoutError, EndOfStream, BrokenResourceError, ClosedResourceError: it takes too long,
                or the client has left.
        """
        with anyio.fail_after(self._limits.handshake_s):
            return await accept_websocket(
                stream,
                health=self._health() if health is None else health,
                admit=admit,
                max_message_bytes=self._max_message_bytes,
            )

    async def _accept_local(self, listener: SocketListener, path: Path) -> None:
        try:
            with self._accepting:
                await self.accept(listener, self._serve_local)
        finally:
            # Removed first: whoever finds it gone waits for this daemon's end and starts another.
            _remove(path)
            await anyio.aclose_forcefully(listener)

    def _running(self) -> TaskGroup:
        if self._group is None:
            raise RuntimeError("the server is not running")
        return self._group

    async def _serve_local(self, stream: SocketStream) -> None:
        self._connections += 1
        try:
            async with stream:
                if (principal := self._local_principal(stream)) is not None:
                    websocket = await self._local_handshake(stream)
                    if websocket is not None:
                        await self.serve_stream(websocket, principal)
        except Exception:
            # A defect met by one connection must not end the others.
            logger.exception("Cannot go on with a connection")
        finally:
            self._connections -= 1
            self.on_left()

    def _local_principal(self, stream: SocketStream) -> Principal | None:
        """Return who is at the other end, unless it is not to be served."""
        uid = peer_uid(stream)
        if not is_allowed_peer(uid):
            logger.warning("A connection of user %d was refused", uid)
            return None
        if self._connections > self._limits.connections:
            logger.warning("A connection was refused: %d are open", self._limits.connections)
            return None
        return Principal(name=f"uid {uid}", role=Role.ADMIN, how="socket")

    async def _local_handshake(self, stream: SocketStream) -> ServerWebSocket | None:
        try:
            return await self.handshake(stream)
        except TimeoutError:
            pass
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass  # The client has left.
        return None


def peer_uid(stream: SocketStream) -> int:
    """Return the user id of the process at the other end of a unix socket (SO_PEERCRED)."""
    raw: socket.socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - no SQL
    credentials = raw.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)


def is_allowed_peer(uid: int) -> bool:
    """Tell whether a user may command this daemon: its own, and root."""
    return uid in (0, os.geteuid())


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _make_directory(path: Path) -> None:
    """Create the socket's directory 0700, or check that nobody else can put a socket there."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except OSError as error:
        raise StorageError(f"cannot use {path}: {error.strerror or error}") from error
    if status.st_uid != os.geteuid():
        raise StorageError(
            f"cannot use {path}: it belongs to another user",
            hint="name another state directory",
        )
    if status.st_mode & stat.S_IWOTH:
        raise StorageError(
            f"cannot use {path}: everybody may write there",
            hint=f"chmod o-w {shlex.quote(str(path))}, or name another state directory",
        )
