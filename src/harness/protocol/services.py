"""Services and tasks as units: what is asked of them; `units.py` has the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .leases import LeaseTerms
from .params import Params, ProjectParams, Source, UnitParams

__all__ = [
    "DownParams",
    "EnvParams",
    "SelectionParams",
    "SignalParams",
    "UnitsParams",
    "UpParams",
    "WaitParams",
    "WriteParams",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpParams(Params):
    """What to bring up."""

    source: Source
    units: tuple[str, ...] = ()
    """Units to bring up; empty: all."""
    force: bool = False
    """Run tasks again that have completed."""
    keep_going: bool = False
    """Go on with units that do not depend on a failed one."""
    deps: bool = True
    """Bring up what the units depend on, too."""
    timeout_s: float | None = None
    """For the whole operation; null: each unit's own timeouts."""
    lease: LeaseTerms | None = None
    """A lease for the project, in place of the one it has."""
    keep_lease: bool = True
    """Whether the project, without a new lease, stays with the one it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownParams(ProjectParams):
    """Which project to take down; all of it."""

    volumes: bool = False
    """Delete named volumes, too."""
    timeout_s: float | None = None
    """Between the stop signal and SIGKILL; null: each unit's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionParams(ProjectParams):
    """Units of a loaded project."""

    units: tuple[str, ...] = ()
    """Empty: all."""
    timeout_s: float | None = None
    """For the whole operation; null: each unit's own timeouts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsParams(ProjectParams):
    """Units of a loaded project, named."""

    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalParams(UnitParams):
    """A signal for one unit."""

    signal: str
    """Name, such as SIGUSR1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitParams(ProjectParams):
    """What to wait for."""

    units: tuple[str, ...] = ()
    """Empty: all."""
    target: Literal["healthy", "started", "stopped", "completed"] = "healthy"
    timeout_s: float | None = None
    """Null: no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvParams(UnitParams):
    """Whose environment."""

    reveal: bool = False
    """Show secrets, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteParams(UnitParams):
    """Input for one unit."""

    data: str
    """Bytes, base64."""
