"""Who may come in, over which door, and what is noted of that; made as it is needed.

Most daemons serve this machine's user alone: they get the audit log, and load nothing else of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.access import AuditEntry, AuditLog
from harness.clock import Clock
from harness.protocol import Endpoint
from harness.storage import Store

from .server import Server

if TYPE_CHECKING:
    from harness.access import Tokens
    from harness.protocol import Listening, ListenParams

    from .remote import RemoteListener

__all__ = ["Access"]


class Access:
    """The doors of a daemon for clients of other machines, and its audit log.

    Args:
        endpoint: names the state directory.
        store: keeps tokens, and where to listen.
        server: serves who has come in.
        clock: says when something expires.
        masked: replaces the secrets of all projects in JSON values.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        store: Store,
        server: Server,
        clock: Clock,
        masked: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self._endpoint = endpoint
        self._store = store
        self._server = server
        self._clock = clock
        self._log = AuditLog(endpoint.audit_path, clock, masked=masked)
        self._listener: RemoteListener | None = None

    @cached_property
    def tokens(self) -> Tokens:
        """The tokens of this daemon."""
        from harness.access import Tokens

        return Tokens(self._store, self._clock)

    @property
    def listening(self) -> Listening | None:
        """Where clients of other machines are served, or should be."""
        return self._listener.state if self._listener else None

    def audit(self, entry: AuditEntry) -> None:
        """Take note of something."""
        self._log.write(entry)

    async def begin(self, wanted: ListenParams | None) -> None:
        """Listen where it is wanted; None: where the daemon before this one did.

        Raises:
            ListenFailed: nobody can listen where it is wanted.
        """
        if wanted is not None:
            await self.listen(wanted)
        elif self._store.record("daemon", "listen") is not None:
            await self._remote().resume()

    async def listen(self, wanted: ListenParams) -> Listening:
        """Serve clients of other machines there, or nowhere; see `RemoteListener`."""
        return await self._remote().listen(wanted)

    def revoke(self, name: str) -> None:
        """Forget a token and end the connections that it made.

        Raises:
            TokenNotFound: there is none of that name.
        """
        key = self.tokens.revoke(name)
        self._server.end_sessions(lambda principal: principal.key == key)

    def close(self) -> None:
        """Close the audit log."""
        self._log.close()

    def _end_certificates(self) -> None:
        self._server.end_sessions(lambda principal: principal.how == "certificate")

    def _end_revoked(self, keys: frozenset[str]) -> None:
        self._server.end_sessions(lambda principal: principal.key in keys)

    def _remote(self) -> RemoteListener:
        if self._listener is None:
            from harness.access import Authority

            from .gate import Gate
            from .remote import RemoteListener

            gate = Gate(
                authority=Authority(self._endpoint.certificates_dir, self._clock),
                tokens=self.tokens,
                clock=self._clock,
                audit=self.audit,
                on_new_authority=self._end_certificates,
                on_revoked=self._end_revoked,
            )
            self._listener = RemoteListener(
                server=self._server, gate=gate, store=self._store, clock=self._clock
            )
        return self._listener
