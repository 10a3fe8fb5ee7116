"""The tcp check: does anything accept a connection?"""

from __future__ import annotations

import anyio
from anyio.abc import SocketAttribute, SocketStream

from harness.model import TcpCheck

from .causes import cause_of
from .result import Outcome, excerpt

__all__ = ["check_tcp"]

_MAX_PORT = 65535


async def check_tcp(check: TcpCheck) -> Outcome:
    """Connect and close again, sending nothing."""
    port = int(check.port) if check.port.isascii() and check.port.isdigit() else 0
    if not 0 < port <= _MAX_PORT:
        return False, f'"{excerpt(check.port)}" is not a port number'
    try:
        async with await anyio.connect_tcp(check.host, port) as stream:
            # On loopback, connecting to a free port of the ephemeral range can meet itself (TCP
            # simultaneous open): that is no service.
            local, remote = _addresses(stream)
            if local == remote:
                return False, "connection refused"
    except OSError as error:
        return False, cause_of(error)
    return True, "connection accepted"


def _addresses(stream: SocketStream) -> tuple[object, object]:
    attributes = stream.extra_attributes
    local = attributes[SocketAttribute.local_address]
    return local(), attributes[SocketAttribute.remote_address]()
