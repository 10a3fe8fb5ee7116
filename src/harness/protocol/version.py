"""The version both sides speak, and what each is told when they do not fit.

A client says its version in its first call (`daemon.hello`). The number grows when a client of
the number before could misunderstand an answer; new methods and new keys do not count.
"""

from __future__ import annotations

from harness.errors import ProtocolError

__all__ = ["OLDEST_PROTOCOL_VERSION", "PROTOCOL_VERSION", "check_protocol_version"]

PROTOCOL_VERSION = 1
"""What this version speaks."""

OLDEST_PROTOCOL_VERSION = 1
"""The oldest client it still understands."""


def check_protocol_version(version: int) -> None:
    """Accept a client's protocol version, or refuse it.

    Raises:
        ProtocolError: the client is newer than this daemon, or too old for it.
    """
    details = {
        "client": version,
        "daemon": PROTOCOL_VERSION,
        "daemon_oldest": OLDEST_PROTOCOL_VERSION,
    }
    if version > PROTOCOL_VERSION:
        raise ProtocolError(
            f"cannot talk to this client: it speaks protocol {version}, and the running daemon is "
            f"older and knows {PROTOCOL_VERSION}",
            hint="stop the daemon with --keep-services; the next command starts the newer one",
            details=details,
        )
    if version < OLDEST_PROTOCOL_VERSION:
        raise ProtocolError(
            f"cannot talk to this client: it speaks protocol {version}, and the running daemon is "
            f"newer and knows {OLDEST_PROTOCOL_VERSION} to {PROTOCOL_VERSION}",
            hint="use the newer command",
            details=details,
        )
