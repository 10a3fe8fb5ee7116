"""Why a connection failed, in words."""

from __future__ import annotations

import errno
import socket
import ssl

import anyio
import pytest

from harness.health.causes import cause_of


def caused(cause: BaseException) -> OSError:
    error = OSError("All connection attempts failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "connection refused"),
        (caused(ConnectionRefusedError(errno.ECONNREFUSED, "x")), "connection refused"),
        (
            caused(ExceptionGroup("all", [OSError(errno.EHOSTUNREACH, "x"), OSError("y")])),
            "no route to the host",
        ),
        (OSError(errno.EADDRNOTAVAIL, "x"), "cannot assign requested address"),
        (socket.gaierror(-2, "Name unknown"), "cannot resolve the host name: Name unknown"),
        (ssl.SSLError(1, "wrong version"), "TLS failed: wrong version"),
        (anyio.BrokenResourceError(), "connection closed by the service"),
        (OSError("odd"), "odd"),
        (OSError(), "OSError"),
    ],
)
def test_the_innermost_cause_is_named(error: BaseException, text: str) -> None:
    assert cause_of(error) == text


def test_errors_that_point_at_each_other_end() -> None:
    one, two = OSError("one"), OSError("two")
    one.__cause__, two.__cause__ = two, one
    assert cause_of(one) == "one"
