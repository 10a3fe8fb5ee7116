"""Where the daemon of a state directory listens; shared by whoever listens and whoever calls."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["Endpoint", "default_state_dir"]

_LONGEST_SOCKET_PATH = 100
"""The kernel takes 107 bytes (unix(7), sun_path)."""


class Endpoint(NamedTuple):
    """A local daemon, named by its absolute state directory."""

    state_dir: Path

    @classmethod
    def default(cls, env: Mapping[str, str] | None = None) -> Endpoint:
        """Return the user's own daemon's endpoint, as the environment names it."""
        return cls(default_state_dir(os.environ if env is None else env))

    @property
    def socket_path(self) -> Path:
        """The unix socket: in the state directory, or in the runtime directory if that is too long.

        The runtime directory is `$XDG_RUNTIME_DIR/harness`, else `/tmp/harness-<uid>`.
        """
        path = self.state_dir / "daemon.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            return path
        import hashlib

        digest = hashlib.sha256(os.fsencode(self.state_dir)).hexdigest()[:16]
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        short = Path(runtime, "harness", f"{digest}.sock") if runtime else None
        if short is None or len(os.fsencode(short)) > _LONGEST_SOCKET_PATH:
            # Whoever listens or connects there checks that the directory is the user's own.
            short = Path(f"/tmp/harness-{os.getuid()}", f"{digest}.sock")  # noqa: S108
        return short

    @property
    def log_path(self) -> Path:
        """The daemon's own log."""
        return self.state_dir / "daemon.log"

    @property
    def start_lock_path(self) -> Path:
        """Locked while a daemon of this state directory starts or ends."""
        return self.state_dir / "start.lock"

    def __str__(self) -> str:
        return f"unix:{self.socket_path}"


def default_state_dir(env: Mapping[str, str]) -> Path:
    """Return the absolute state directory that the environment variables name."""
    if chosen := env.get("HARNESS_STATE_DIR"):
        return Path(chosen).absolute()
    if (base := env.get("XDG_STATE_HOME")) and os.path.isabs(base):
        return Path(base) / "graph-network-harness"
    return Path.home() / ".local" / "state" / "graph-network-harness"
