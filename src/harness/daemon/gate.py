"""Who of another machine is let in: by a client certificate, else by a bearer token.

Failed logins are counted for each address and noted in the audit log.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from anyio import to_thread
from anyio.abc import ByteStream

from harness.access import (
    AuditEntry,
    Authority,
    FailedLogins,
    Principal,
    Tokens,
    certificate_key,
    principal_of_certificate,
    server_context,
)
from harness.clock import Clock
from harness.errors import AccessError, TooManyAttempts, Unauthenticated

from .websocket import Headers

__all__ = ["Admission", "Gate"]

_NOTED = 30
_LOG_IN = "log in with a token (harness context add NAME URL --token-file FILE --ca FILE)"


class Gate:
    """What decides who comes in, and with which certificate it is greeted.

    Args:
        authority: makes and keeps the certificates.
        tokens: of this daemon.
        clock: tells when failed logins are forgotten.
        audit: takes note of logins that failed.
        on_new_authority: called when client certificates of before are good no more.
        on_revoked: called with the keys of the principals whose certificates are good no more.
    """

    def __init__(
        self,
        *,
        authority: Authority,
        tokens: Tokens,
        clock: Clock,
        audit: Callable[[AuditEntry], None],
        on_new_authority: Callable[[], None] = lambda: None,
        on_revoked: Callable[[frozenset[str]], None] = lambda _: None,
    ) -> None:
        self._on_new_authority = on_new_authority
        self._on_revoked = on_revoked
        self._revoked: frozenset[str] = frozenset()
        self._authority = authority
        self._tokens = tokens
        self._failed = FailedLogins(clock)
        self._noted = FailedLogins(clock)
        self._audit = audit
        self._context: ssl.SSLContext | None = None
        self._files: tuple[object, ...] = ()
        self._ends_at: datetime | None = None
        self._issuer: str | None = None

    async def context(self, host: str) -> ssl.SSLContext:
        """Return what a connection is secured with now.

        Certificates that are due are renewed, and those that somebody else has changed are read
        again: a few system calls look at that for each connection.

        Raises:
            CertificateInvalid, StorageError: there is no certificate that could be used.
        """
        if self._context is not None and self._files == self._look() and not self._is_due():
            return self._context
        loaded = await to_thread.run_sync(self._load, host)
        if self._issuer not in (None, loaded.issuer):
            self._on_new_authority()
        self._context, self._files = loaded.context, loaded.files
        self._ends_at, self._issuer = loaded.ends_at, loaded.issuer
        if loaded.revoked - self._revoked:
            self._on_revoked(loaded.revoked)
        self._revoked = loaded.revoked
        return loaded.context

    def forget_context(self) -> None:
        """Look at the certificates anew: the host has changed."""
        self._context = None

    def is_good_still(self, principal: Principal) -> bool:
        """Tell whether what somebody showed has not been taken back since."""
        if principal.how == "token":
            return self._tokens.is_known(principal.key)
        return principal.key not in self._revoked

    def admission(self, stream: ByteStream, host: str, address: str) -> Admission:
        """Return what decides about one connection, which TLS has secured."""
        return Admission(self, principal_of_certificate(stream, address=address), host, address)

    def principal(self, headers: Headers, host: str, address: str) -> Principal:
        """Return whom the token among a request's headers stands for.

        Raises:
            Unauthenticated: there is none, or it stands for nobody.
            TooManyAttempts: too many logins from there have failed of late.
        """
        try:
            self._failed.check(host)
            return self._tokens.principal(_bearer(headers), address=address)
        except AccessError as error:
            if not isinstance(error, TooManyAttempts):
                self._failed.failed(host)
            self.refused(error.kind, str(error), address)
            raise

    def refused(self, kind: str, message: str, address: str) -> None:
        """Take note of a login that failed.

        Not of each where one address has many: who may not come in could otherwise push out of the
        log, whose size has a bound, what others did.
        """
        count = self._noted.failed(address.rpartition(":")[0].strip("[]"))
        if count > _NOTED:
            return
        if count == _NOTED:
            message += "; more of this minute from there are not noted"
        self._audit(AuditEntry(what="login", result=kind, message=message, address=address))

    def _is_due(self) -> bool:
        return self._ends_at is not None and self._authority.is_due(self._ends_at)

    def _look(self) -> tuple[object, ...]:
        found: list[object] = []
        authority = self._authority
        for path in (authority.server_path, authority.authority_path, authority.revoked_path):
            try:
                status = path.stat()
            except OSError:
                found.append(None)
            else:
                found.append((status.st_ino, status.st_mtime_ns, status.st_size))
        return tuple(found)

    def _load(self, host: str) -> _Loaded:
        authority = self._authority
        authority.ensure_server(host)
        # Looked at before they are read: what changes in between is read once more.
        files = self._look()
        revoked = authority.revoked()
        context = server_context(
            authority.server_path,
            authority.authority_path,
            revoked=authority.revoked_path if revoked else None,
        )
        facts = authority.facts()
        return _Loaded(
            context,
            files,
            facts["server"].not_after,
            facts["authority"].sha256,
            frozenset(certificate_key(serial) for serial in revoked),
        )


class _Loaded(NamedTuple):
    """What a connection is secured with, and what is known of it."""

    context: ssl.SSLContext
    files: tuple[object, ...]
    ends_at: datetime
    issuer: str
    revoked: frozenset[str]


class Admission:
    """Decides about one connection.

    Attributes:
        principal: who it is, once that is known.
    """

    def __init__(self, gate: Gate, principal: Principal | None, host: str, address: str) -> None:
        self.principal = principal
        self._gate = gate
        self._host = host
        self._address = address

    def admit(self, headers: Headers) -> None:
        """Let the sender of a request in by its token, unless its certificate did already.

        Raises:
            Unauthenticated: by neither.
        """
        if self.principal is None:
            self.principal = self._gate.principal(headers, self._host, self._address)


def _bearer(headers: Headers) -> str:
    for name, value in headers:
        scheme, _, token = value.decode("latin-1").partition(" ")
        if name == b"authorization" and scheme.lower() == "bearer":
            return token.strip()
    raise Unauthenticated("cannot log in: the request has no token", hint=_LOG_IN)
