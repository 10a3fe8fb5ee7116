"""Runs the server until it is told to end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from graph_test_daemon.ipfs.errors import IpfsFault
from graph_test_daemon.ipfs.store import Store

from .app import application

__all__ = ["serve"]

_FINISH_WITHIN_S = 0.2


class _Server(uvicorn.Server):
    """Says where it listens, as soon as it does, and ends quietly."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for opened in sockets or ():
            host, port = opened.getsockname()[:2]
            print(f"Listening on http://{_in_url(host)}:{port}", flush=True)  # noqa: T201 - a program

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Requests that take too long are ended on purpose; their tracebacks would be no news.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def serve(*, repo: Path, host: str, port: int, max_size: int | None = None) -> None:
    """Serve a repository until a signal says to end.

    Args:
        repo: directory of the content; made if it is not there.
        host: address to listen at.
        port: 0: a free one; it is printed.
        max_size: bytes that a request to add may have; None: any number.

    Raises:
        IpfsFault: the repository cannot be used.
        OSError: the address cannot be.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server raises again what it was told to end by, when it has.
        signal.signal(number, lambda *_: sys.exit(0))
    with Store(repo) as store, _listening(host, port) as opened:
        config = uvicorn.Config(
            application(store, max_size=max_size),
            http="h11",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            proxy_headers=False,
        )
        # Its type says whole seconds; it is the deadline of a wait, which takes any.
        config.timeout_graceful_shutdown = _FINISH_WITHIN_S  # type: ignore[assignment]
        # A form that cannot be read is the client's affair, and the client is told.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
        _Server(config).run([opened])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise IpfsFault(
            what=f"listen on {_in_url(host)}:{port}", cause=os.strerror(error.errno or 0)
        ) from error


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
