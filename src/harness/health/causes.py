"""Why a connection failed, in the words of the field.

Libraries wrap the operating system's error in their own, sometimes in groups, one for each address
tried; what helps a person is the innermost cause.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator

import anyio

__all__ = ["cause_of"]

_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset by the service",
    errno.EPIPE: "connection closed by the service",
    errno.ETIMEDOUT: "connection timed out",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "network unreachable",
    errno.EMFILE: "too many open files in the daemon",
}


def cause_of(error: BaseException) -> str:
    """Return the reason for a failed connection as a short phrase."""
    for inner in _chain(error):
        if isinstance(inner, socket.gaierror):
            return f"cannot resolve the host name: {inner.strerror}"
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"certificate not trusted: {inner.verify_message}"
        if isinstance(inner, ssl.SSLError):
            reason = getattr(inner, "reason", None)  # only OpenSSL's own errors have one
            return f"TLS failed: {reason or inner.strerror}"
        if isinstance(inner, OSError) and inner.errno:
            return _WORDS.get(inner.errno) or os.strerror(inner.errno).lower()
    if isinstance(error, anyio.BrokenResourceError):
        return "connection closed by the service"
    return str(error) or type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, what caused it, and the members of groups, outermost first."""
    todo, seen = [error], set[int]()
    while todo:
        current = todo.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            todo.extend(current.exceptions)
        todo.extend(next_ for next_ in (current.__cause__, current.__context__) if next_)
