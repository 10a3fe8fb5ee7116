"""TLS as both sides use it: version 1.2 or newer, certificates always checked, errors in words."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, cast

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream
from anyio.streams.tls import TLSAttribute, TLSStream

from harness.errors import CertificateInvalid, HarnessError, ProtocolError

from .principal import Principal, Role

__all__ = [
    "SecureStream",
    "certificate_key",
    "check_own_certificate",
    "client_context",
    "explained_tls_error",
    "keep_alive",
    "principal_of_certificate",
    "server_context",
]

_GOODBYE_S = 1.0
_ROTATE = "renew it with `harness daemon certs rotate` on the daemon's machine"
_ISSUE = (
    "issue a new one with `harness daemon certs issue NAME --role ROLE` on the daemon's machine"
)
_CA = "`harness daemon certs show --ca` on the daemon's machine prints the authority to trust"


class SecureStream(ByteStream):
    """A stream of bytes through TLS that ends as other streams do, whatever TLS makes of it."""

    def __init__(self, stream: TLSStream) -> None:
        self._stream = stream

    @classmethod
    async def over(
        cls,
        stream: ByteStream,
        context: ssl.SSLContext,
        *,
        hostname: str | None = None,
        server_side: bool = False,
    ) -> Self:
        """Make the handshake.

        Raises:
            SSLError: it failed; `explained_tls_error` says why.
            BrokenResourceError, EndOfStream: the other side has left.
        """
        recorded = _Recorded(context)
        try:
            secure = await TLSStream.wrap(
                stream,
                ssl_context=cast("ssl.SSLContext", recorded),  # all that is asked of it
                hostname=hostname,
                server_side=server_side,
                # A WebSocket says itself when it ends.
                standard_compatible=False,
            )
        except ssl.SSLError:
            await recorded.say_why(stream)
            raise
        return cls(secure)

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """What the streams below know."""
        return self._stream.extra_attributes

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes."""
        with _mapped():
            return await self._stream.receive(max_bytes)

    async def send(self, item: bytes) -> None:
        """Send bytes."""
        with _mapped():
            try:
                await self._stream.send(item)
            except anyio.EndOfStream:
                raise anyio.BrokenResourceError from None

    async def send_eof(self) -> None:
        """Do nothing: TLS cannot end one direction only."""

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()


class _Recorded:
    """A context that knows what a handshake that failed still wants to say.

    anyio drops that, and the other side would not learn what is wrong with its certificate.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._outgoing: ssl.MemoryBIO | None = None

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *rest: Any, **named: Any
    ) -> ssl.SSLObject:
        self._outgoing = outgoing
        return self._context.wrap_bio(incoming, outgoing, *rest, **named)

    async def say_why(self, stream: ByteStream) -> None:
        if self._outgoing is None or not self._outgoing.pending:
            return
        with (
            anyio.move_on_after(_GOODBYE_S),
            suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError),
        ):
            await stream.send(self._outgoing.read())
            await stream.send_eof()
            # What is still sent is read: closing on it would take the word from the other side.
            while True:
                await stream.receive()


class TlsBroken(anyio.BrokenResourceError):
    """A connection that TLS ended, with its reason as the cause."""


@contextmanager
def _mapped() -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:
        raise TlsBroken from error


def keep_alive(stream: SocketStream) -> None:
    """Have the kernel find out, within two minutes, that the other machine is gone."""
    raw: socket.socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - no SQL
    with suppress(OSError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)


def server_context(certificate: Path, ca: Path, *, revoked: Path | None = None) -> ssl.SSLContext:
    """Return what a server uses; it checks a client's certificate when it is shown one.

    Args:
        certificate: file with the server's key and certificate.
        ca: file with the authority that signs clients' certificates.
        revoked: file with its list of those that are good no more, if there is one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    if revoked is not None:
        context.load_verify_locations(revoked)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    # A session would be resumed with the certificates of before; a connection lasts anyway.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    return context


def client_context(
    *, ca: Path | None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Return what a client uses; it always checks the server's certificate.

    Args:
        ca: file with the authority to trust, and no other; None: those of this machine.
        certificate: file with the client's certificate, if it shows one.
        key: file with its key; None: it is in the same file.

    Raises:
        CertificateInvalid: a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(ca)
    except (OSError, ValueError) as error:
        raise _unusable("certificate authority", ca, error, _CA) from error
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ValueError) as error:
            raise _unusable("certificate", certificate, error, _ISSUE) from error
    return context


def check_own_certificate(path: Path, now: datetime) -> None:
    """Say what a server would not: that our own certificate has expired, or is not valid yet.

    Raises:
        CertificateInvalid: it has, or is not.
    """
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _unusable("certificate", path, error, _ISSUE) from error
    if certificate.not_valid_after_utc <= now:
        word = f"it expired at {certificate.not_valid_after_utc:%F %T} UTC"
    elif certificate.not_valid_before_utc > now:
        word = f"it is not valid before {certificate.not_valid_before_utc:%F %T} UTC"
    else:
        return
    raise CertificateInvalid(f"cannot use the certificate {path}: {word}", hint=_ISSUE)


def explained_tls_error(error: BaseException, where: str) -> HarnessError:
    """Return what a failed handshake, or one that the server ended, means to a client."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrusted(error, where)
    reason = getattr(error, "reason", None) or ""
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        what = {
            "CERTIFICATE_EXPIRED": "it has expired",
            "CERTIFICATE_REVOKED": "it was revoked",
            "UNKNOWN_CA": "another authority signed it",
            "CERTIFICATE_REQUIRED": "none was shown",
        }
        cause = next((words for part, words in what.items() if part in reason), "it is not valid")
        return CertificateInvalid(
            f"cannot connect to {where}: the daemon refused this client's certificate: {cause}",
            hint=_ISSUE,
        )
    detail = reason.replace("_", " ").lower() or str(error)
    return ProtocolError(
        f"cannot connect to {where}: no TLS 1.2 or newer is spoken there ({detail})",
        hint="check host and port: `harness daemon status` on the daemon's machine shows them",
    )


def _distrusted(error: ssl.SSLCertVerificationError, where: str) -> CertificateInvalid:
    match error.verify_code:
        case 10:  # X509_V_ERR_CERT_HAS_EXPIRED
            cause, hint = "its certificate has expired", _ROTATE
        case 9:  # X509_V_ERR_CERT_NOT_YET_VALID
            cause, hint = "its certificate is not valid yet", "compare the clocks; or " + _ROTATE
        case 62 | 64:  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
            cause = "its certificate is for other names"
            hint = "use a name that `harness daemon certs show` lists"
        case _:
            cause, hint = "its certificate is not from the authority that is trusted here", _CA
    return CertificateInvalid(f"cannot trust {where}: {cause}", hint=hint)


def principal_of_certificate(stream: ByteStream, *, address: str) -> Principal | None:
    """Return whom a client's certificate, which TLS has checked, stands for; None without one."""
    shown: Any = stream.extra(TLSAttribute.peer_certificate, None)  # noqa: S610 - no SQL
    if not shown:
        return None
    subject = {name: value for part in shown["subject"] for name, value in part}
    role = subject.get("organizationalUnitName", "")
    if role not in list(Role):
        return None
    return Principal(
        name=subject.get("commonName", ""),
        role=Role(role),
        how="certificate",
        address=address,
        key=certificate_key(int(shown["serialNumber"], 16)),
        expires_at=datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC),
    )


def certificate_key(serial: int) -> str:
    """Return the `key` of who has shown the certificate of a serial number."""
    return f"certificate:{serial:x}"


def _unusable(what: str, path: Path | None, error: Exception, hint: str) -> CertificateInvalid:
    cause = error.strerror if isinstance(error, OSError) and not _is_ssl(error) else None
    cause = cause or "it holds no key and certificate in PEM that fit"
    return CertificateInvalid(f"cannot use the {what} {path}: {cause}", hint=hint)


def _is_ssl(error: Exception) -> bool:
    return isinstance(error, ssl.SSLError)
