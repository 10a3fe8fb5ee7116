"""Commands run beside a unit, attached to the client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .params import Params, Result, UnitParams

__all__ = [
    "ExecExit",
    "ExecOutput",
    "ExecParams",
    "ExecRef",
    "ExecResizeParams",
    "ExecRunParams",
    "ExecSignalParams",
    "ExecWriteParams",
    "Window",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Params):
    """Size of a terminal's window in characters; 0 is unknown."""

    columns: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecRunParams(UnitParams):
    """What to run."""

    argv: tuple[str, ...]
    """Program and arguments; no shell."""
    env: Mapping[str, str] = field(default_factory=dict)
    """On top of the unit's environment."""
    working_dir: str | None = None
    """Null: the unit's."""
    stdin: bool = False
    """Input will be written; otherwise it is empty."""
    terminal: Window | None = None
    """Run it on a terminal of this size, all its output being of stdout; null: on pipes."""
    window: int | None = None
    """Send this many bytes ahead of `subscriptions.ack` at most; null: do not wait for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecRef(Result):
    """A running command; it belongs to the connection and ends with it."""

    id: str
    """Names its subscription, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecParams(Params):
    """Which running command."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecWriteParams(ExecParams):
    """Input for a running command."""

    data: str
    """Bytes, base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecSignalParams(ExecParams):
    """A signal for a running command."""

    signal: str
    """Name, such as SIGINT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecResizeParams(ExecParams):
    """A new size of a running command's terminal."""

    terminal: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecOutput(Result):
    """A piece of a command's output."""

    id: str
    stream: str
    data: str
    """Bytes, base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecExit(Result):
    """How a command ended; exactly one of code and signal is set, or neither."""

    id: str
    code: int | None = None
    signal: int | None = None
