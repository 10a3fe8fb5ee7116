"""Serves clients of other machines: TCP, always through TLS, and only who has logged in.

Whatever a connection does before that happens in a task of its own and under a deadline, and few
may be there at a time: who is slow, or many, keeps nobody of this machine waiting.
"""

from __future__ import annotations

import errno
import logging
import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

import anyio
from anyio.abc import SocketAttribute, SocketListener, SocketStream
from anyio.streams.stapled import MultiListener

from harness.access import Principal, SecureStream, keep_alive
from harness.clock import Clock
from harness.errors import HarnessError, InvalidParameters, ListenFailed
from harness.protocol import Listening, ListenParams
from harness.storage import Store

from .gate import Gate
from .server import Server
from .websocket import ServerWebSocket

__all__ = ["RemoteListener"]

logger = logging.getLogger(__name__)

_COLLECTION, _KEY, _VERSION = "daemon", "listen", 1
_BACKLOG = 128
_FEW = 4
_LAST_PORT = 65_535
_AGAIN_S = 5.0


class RemoteListener:
    """Listens where it is told to, and remembers that in the store.

    Args:
        server: serves who has come in.
        gate: decides who does.
        store: remembers where to listen.
        clock: says when what a client showed has expired.
    """

    def __init__(self, *, server: Server, gate: Gate, store: Store, clock: Clock) -> None:
        self._server = server
        self._gate = gate
        self._store = store
        self._clock = clock
        self._accepting: anyio.CancelScope | None = None
        self._closed = anyio.Event()
        self._changing = anyio.Lock()
        self._logging_in: Counter[str] = Counter()
        self._state: Listening | None = None

    @property
    def state(self) -> Listening | None:
        """Where it listens, or should; None: nowhere."""
        return self._state

    async def resume(self) -> None:
        """Listen where the daemon before this one did; when that fails it is told, not raised."""
        remembered = self._store.record(_COLLECTION, _KEY)
        if remembered is None:
            return
        host, port = remembered["host"], remembered["port"]
        try:
            await self.listen(ListenParams(host=host, port=port))
        except HarnessError as error:
            self._tell(host, port, error)

    def _tell(self, host: str, port: int, error: HarnessError) -> None:
        """Say in the state why it does not listen there, and try again what may work later."""
        logger.error("%s", error)
        problem = str(error)
        if isinstance(error, ListenFailed):
            problem += f"; it is tried again every {_AGAIN_S:g} s"
            self._server.start_soon(self._try_again, host, port)
        self._state = Listening(host=host, port=port, url=None, problem=problem)

    async def _try_again(self, host: str, port: int) -> None:
        """Listen there once whoever took the port has left, unless something else is wanted."""
        while True:
            await self._clock.sleep(_AGAIN_S)
            async with self._changing:
                now = self._state
                if now is None or now.url or (now.host, now.port) != (host, port):
                    return
                try:
                    await self._listen(host, port)
                except ListenFailed:
                    continue
                except HarnessError as error:
                    self._tell(host, port, error)
                    return
                else:
                    return

    async def listen(self, wanted: ListenParams) -> Listening:
        """Listen there from now on, and only there; without a host nowhere.

        Where it listens already its certificates are looked at again, and nothing else changes;
        port 0 is any port of that host.

        Raises:
            ListenFailed: nobody can listen there, or the daemon ends; what was before goes on.
            CertificateInvalid, StorageError: there is no certificate for it.
        """
        if wanted.host is None:
            return await self._stop()
        host, port = wanted.host, wanted.port
        if not host or not 0 <= port <= _LAST_PORT:
            what = f"port {port}" if host else "a host without a name"
            raise InvalidParameters(f"cannot listen at {what}: there is no such thing")
        async with self._changing:
            return await self._listen(host, port)

    async def _listen(self, host: str, port: int) -> Listening:
        now = self._state
        if now and now.url and now.host == host and port in (0, now.port):
            await self._gate.context(host)
            return now
        was_open = self._accepting is not None
        if now and now.port == port:
            # The same port of another host: some of its addresses may be the same ones.
            await self._close()
        try:
            listener = await self._open(host, port)
        except HarnessError:
            if was_open and self._accepting is None and now is not None and now.host is not None:
                await self._reopen(now.host, now.port)
            raise
        await self._close()
        return self._begin(listener, host)

    async def _reopen(self, host: str, port: int) -> None:
        """Listen where it did until a moment ago: what was wanted in place of it failed."""
        try:
            self._begin(await self._open(host, port), host)
        except HarnessError as error:
            self._tell(host, port, error)

    def _begin(self, listener: MultiListener[SocketStream], host: str) -> Listening:
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no SQL
        self._accepting, self._closed = anyio.CancelScope(), anyio.Event()
        self._server.accept_within(self._accepting)
        accept = partial(self._accept, listener, self._accepting, self._closed, host)
        self._server.start_soon(accept)
        self._state = Listening(host=host, port=port, url=f"wss://{_authority(host, port)}")
        logger.info("Serving %s", self._state.url)
        return self._state

    async def _open(self, host: str, port: int) -> MultiListener[SocketStream]:
        """Take the port, have a certificate for it, and remember it.

        Raises:
            ListenFailed: that is not possible, or the daemon ends.
            CertificateInvalid, StorageError: there is no certificate for it.
        """
        listener = await _listener(host, port)
        try:
            # Only now: a certificate names the host, which may be none.
            self._gate.forget_context()
            await self._gate.context(host)
            if self._server.is_ending:
                raise ListenFailed(
                    f"cannot listen at {_authority(host, port)}: the daemon is ending",
                    details={"host": host, "port": port},
                )
            port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no SQL
            self._store.put(_COLLECTION, _KEY, {"version": _VERSION, "host": host, "port": port})
        except BaseException:
            await anyio.aclose_forcefully(listener)
            raise
        return listener

    async def _stop(self) -> Listening:
        """Listen no more, and forget where; open connections go on."""
        async with self._changing:
            self._store.delete(_COLLECTION, _KEY)
            await self._close()
            self._state = None
        return Listening(host=None, port=0, url=None)

    async def _close(self) -> None:
        """Accept no more connections; returns when the port is free."""
        if self._accepting is not None:
            self._accepting.cancel()
            self._accepting = None
            await self._closed.wait()

    async def _accept(
        self,
        listener: MultiListener[SocketStream],
        scope: anyio.CancelScope,
        closed: anyio.Event,
        host: str,
    ) -> None:
        async def serve(stream: SocketStream) -> None:
            await self._serve(stream, host)

        try:
            with scope:
                async with anyio.create_task_group() as group:
                    for one in listener.listeners:
                        group.start_soon(self._server.accept, cast("SocketListener", one), serve)
        finally:
            self._server.accept_no_more_within(scope)
            with anyio.CancelScope(shield=True):
                for one in listener.listeners:
                    await anyio.aclose_forcefully(one)
            closed.set()

    async def _serve(self, stream: SocketStream, host: str) -> None:
        server = self._server
        server.remote_connections += 1
        try:
            async with stream:
                peer = _peer(stream)
                if peer and server.remote_connections <= server.limits.connections:
                    keep_alive(stream)
                    await self._serve_secured(stream, peer, host)
        except Exception:
            # A defect met by one connection must not end the others.
            logger.exception("Cannot go on with a connection")
        finally:
            server.remote_connections -= 1
            server.on_left()

    async def _serve_secured(self, stream: SocketStream, peer: tuple[str, int], host: str) -> None:
        come_in = await self._log_in(stream, peer, host)
        if come_in is None:
            return
        websocket, principal = come_in
        if not self._gate.is_good_still(principal):
            # Taken back in the moment after it was looked at: nobody has ended this connection.
            websocket.abort()
            return
        logger.info("%s logged in from %s", principal.name, principal.address)
        left_s = None
        if principal.expires_at is not None:
            left_s = max((principal.expires_at - self._clock.now()).total_seconds(), 0)
        # What expires while it is used is not used any longer.
        with anyio.move_on_after(left_s):
            await self._server.serve_stream(websocket, principal)

    async def _log_in(
        self, stream: SocketStream, peer: tuple[str, int], listening_at: str
    ) -> tuple[ServerWebSocket, Principal] | None:
        """Return a client that has logged in; None when it did not."""
        host, port = peer
        address = _authority(host, port)
        with self._counted(host) as has_room:
            if not has_room:
                return None
            try:
                with anyio.fail_after(self._server.limits.handshake_s):
                    context = await self._gate.context(listening_at)
                    secure = await SecureStream.over(stream, context, server_side=True)
                admission = self._gate.admission(secure, host, address)
                websocket = await self._server.handshake(
                    secure, health={"status": "ok"}, admit=admission.admit
                )
            except ssl.SSLError as error:
                reason = error.reason or str(error)
                self._gate.refused("tls-failed", reason.replace("_", " ").lower(), address)
                return None
            except HarnessError as error:
                logger.error("Cannot serve %s: %s", address, error)
                return None
            except (TimeoutError, anyio.EndOfStream):
                return None
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return None
        if websocket is None or admission.principal is None:
            return None
        return websocket, admission.principal

    @contextmanager
    def _counted(self, host: str) -> Iterator[bool]:
        """Count a connection that has not logged in; tell whether there was room for it."""
        most = self._server.limits.logins
        has_room = self._logging_in.total() < most and self._logging_in[host] < max(most // _FEW, 1)
        self._logging_in[host] += 1
        try:
            yield has_room
        finally:
            self._logging_in[host] -= 1
            if not self._logging_in[host]:
                del self._logging_in[host]


async def _listener(host: str, port: int) -> MultiListener[SocketStream]:
    try:
        return await anyio.create_tcp_listener(local_host=host, local_port=port, backlog=_BACKLOG)
    except (OSError, ValueError) as error:
        cause = "that is no name of a host"
        if isinstance(error, OSError):
            cause = (error.strerror or str(error)).lower()
            if error.errno == errno.EADDRINUSE:
                cause = "another program listens there"
        raise ListenFailed(
            f"cannot listen at {_authority(host, port)}: {cause}",
            hint="name an address of this machine and a port that is free; port 0 finds one",
            details={"host": host, "port": port},
        ) from error


def _peer(stream: SocketStream) -> tuple[str, int] | None:
    """Return who is at the other end; None: it has left, as one does that looks for open ports."""
    try:
        address = stream.extra(SocketAttribute.remote_address, None)  # noqa: S610 - no SQL
    except AttributeError:
        return None  # uvloop has closed the socket already
    if address is None:
        return None
    return str(address[0]), int(address[1])


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
