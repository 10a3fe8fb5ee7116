"""A daemon on another machine: over TCP, always through TLS, with a token or a certificate.

The server's certificate is always checked. A token is sent to nobody else, and shown to nobody.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import anyio
from anyio import to_thread
from anyio.abc import SocketStream

from harness.access import (
    SecureStream,
    check_own_certificate,
    client_context,
    explained_tls_error,
    keep_alive,
)
from harness.errors import ContextError, DaemonUnavailable, HarnessError
from harness.protocol import MessageStream

from .websocket import ClientWebSocket

__all__ = ["Remote", "open_remote", "split_url"]

_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """How to reach a daemon on another machine.

    Attributes:
        url: such as `wss://build.example:7443`.
        token: shown to the daemon; None: the certificate is.
        ca: file with the authority to trust, and no other; None: those that this machine trusts.
        certificate: file with this client's certificate.
        key: file with its key; None: it is in the same file.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __str__(self) -> str:
        return self.url


def split_url(url: str) -> tuple[str, int]:
    """Return host and port of a daemon's address.

    Raises:
        ContextError: it is none.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    is_plain = not ("@" in parts.netloc or parts.query or parts.fragment or parts.path.strip("/"))
    if parts.scheme != "wss" or not host or not port or not is_plain:
        raise ContextError(
            f"cannot use {_without_user(url)!r} as the address of a daemon",
            hint="write it as wss://HOST:PORT, as `harness daemon status` shows it",
        )
    return host, port


async def open_remote(remote: Remote) -> MessageStream:
    """Connect to a daemon on another machine.

    Raises:
        DaemonUnavailable: nobody answers there.
        CertificateInvalid: one of the two certificates cannot be used.
        AccessError: the daemon lets this client not in.
        ProtocolError: no daemon answers there.
        ContextError: the address, the token or a file is none.
    """
    host, port = split_url(remote.url)
    if remote.token is not None and not (remote.token.isascii() and remote.token.isprintable()):
        raise ContextError("cannot use the token: it holds what no token does")
    context = await to_thread.run_sync(_context, remote)
    try:
        with anyio.fail_after(_CONNECT_S):
            stream = await anyio.connect_tcp(host, port)
            return await _secured(stream, context, remote, host, port)
    except HarnessError:
        raise
    except TimeoutError:
        raise DaemonUnavailable(f"cannot reach {remote.url}: it does not answer") from None
    except OSError as error:
        raise DaemonUnavailable(
            f"cannot reach {remote.url}: {_cause(error)}",
            hint="`harness daemon start --listen HOST:PORT` on the daemon's machine has it listen",
        ) from error
    except ValueError as error:  # of a name that cannot be written in ASCII (IDNA)
        raise ContextError(
            f"cannot use {remote.url!r} as the address of a daemon: {host[:80]!r} is no name of a "
            "host"
        ) from error


async def _secured(
    stream: SocketStream, context: ssl.SSLContext, remote: Remote, host: str, port: int
) -> MessageStream:
    try:
        keep_alive(stream)
        secure = await SecureStream.over(stream, context, hostname=host)
        websocket = ClientWebSocket(secure)
        name = f"[{host}]" if ":" in host else host
        await websocket.handshake(host=f"{name}:{port}", token=remote.token)
    except BaseException as error:
        await anyio.aclose_forcefully(stream)
        if (meaning := _meaning(error, remote)) is not None:
            raise meaning from error
        raise
    return websocket


def _meaning(error: BaseException, remote: Remote) -> HarnessError | None:
    """Return what TLS means by an error; with TLS 1.3 some come with the first answer."""
    # Before `OSError`, of which it is one.
    if isinstance(error, ssl.SSLError):
        return explained_tls_error(error, remote.url)
    if isinstance(error.__cause__, ssl.SSLError):
        return explained_tls_error(error.__cause__, remote.url)
    if isinstance(error, anyio.EndOfStream | anyio.BrokenResourceError):
        return DaemonUnavailable(f"cannot reach {remote.url}: it closed the connection")
    return None


def _context(remote: Remote) -> ssl.SSLContext:
    if remote.certificate is not None:
        check_own_certificate(remote.certificate, datetime.now(UTC))
    return client_context(ca=remote.ca, certificate=remote.certificate, key=remote.key)


def _cause(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()


def _without_user(url: str) -> str:
    """Return an address without what may be a password in it."""
    return url.rpartition("@")[2]
