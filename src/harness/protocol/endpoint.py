"""Where the daemon of a state directory listens; shared by whoever listens and whoever calls."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

__all__ = ["Endpoint", "default_state_dir", "socket_address", "state_home"]

_LONGEST_ADDRESS = 107
"""Bytes that the kernel takes (unix(7), sun_path)."""


class Endpoint(NamedTuple):
    """A local daemon, named by its absolute state directory."""

    state_dir: Path

    @classmethod
    def default(cls, env: Mapping[str, str] | None = None) -> Endpoint:
        """Return the user's own daemon's endpoint, as the environment names it."""
        return cls(default_state_dir(os.environ if env is None else env))

    @property
    def socket_path(self) -> Path:
        """The unix socket; `socket_address` makes an address of it."""
        return self.state_dir / "daemon.sock"

    @property
    def log_path(self) -> Path:
        """The daemon's own log."""
        return self.state_dir / "daemon.log"

    @property
    def audit_path(self) -> Path:
        """The newest file of the audit log."""
        return self.state_dir / "audit.log"

    @property
    def certificates_dir(self) -> Path:
        """The daemon's certificate authority and server certificate."""
        return self.state_dir / "certificates"

    @property
    def start_lock_path(self) -> Path:
        """Locked while a daemon of this state directory starts or ends."""
        return self.state_dir / "start.lock"

    def __str__(self) -> str:
        return f"unix:{self.socket_path}"


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """Yield the address of a socket's path, to bind or connect to while the context is open.

    A path that is too long for one is reached through its directory, which stays open meanwhile:
    where a daemon listens follows from its state directory alone, not from who asks.

    Raises:
        OSError: the path is too long and its directory cannot be opened.
    """
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


def default_state_dir(env: Mapping[str, str]) -> Path:
    """Return the absolute state directory that the environment variables name."""
    if chosen := env.get("HARNESS_STATE_DIR"):
        return Path(chosen).absolute()
    return state_home(env) / "graph-network-harness"


def state_home(env: Mapping[str, str]) -> Path:
    """Return where programs of the user keep their state (XDG Base Directory Specification)."""
    if (base := env.get("XDG_STATE_HOME")) and os.path.isabs(base):
        return Path(base)
    return Path.home() / ".local" / "state"
