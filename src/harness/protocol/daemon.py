"""The daemon itself."""

from __future__ import annotations

from dataclasses import dataclass

from .params import Params, Result

__all__ = [
    "DaemonHello",
    "DaemonStatus",
    "HelloParams",
    "ListenParams",
    "Listening",
    "StopDaemonParams",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloParams(Params):
    """A client introduces itself."""

    protocol: int
    """Protocol version the client speaks."""
    client: str = ""
    """Name and version of the client program, for the daemon's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonHello(Result):
    """The daemon introduces itself."""

    protocol: int
    """Protocol version of the daemon."""
    version: str
    """Version of the daemon program."""
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenParams(Params):
    """Where clients of other machines are to be served."""

    host: str | None = None
    """A name or address of this machine; null: nowhere."""
    port: int = 0
    """0: one that is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening(Result):
    """Where clients of other machines are served, or are to be."""

    host: str | None
    port: int
    url: str | None
    """What clients connect to, such as `wss://127.0.0.1:7443`; null: nothing listens."""
    problem: str | None = None
    """Why nothing listens although it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStatus(Result):
    """How the daemon does."""

    pid: int
    version: str
    protocol: int
    started_at: str
    """ISO 8601, UTC."""
    uptime_s: float
    state_dir: str
    endpoint: str
    """Where it listens, such as `unix:/run/…/daemon.sock`."""
    remote: Listening | None
    """Where clients of other machines are served; null: nowhere."""
    projects: tuple[str, ...]
    """Names of the loaded projects."""
    connections: int
    """Open connections, this one included."""
    rss_bytes: int
    last_event: int
    """Number of the newest event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopDaemonParams(Params):
    """How the daemon is to end."""

    keep_services: bool = False
    """Leave everything running for the next daemon, in place of taking every project down first."""
