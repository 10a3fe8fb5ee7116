"""Loaded projects."""

from __future__ import annotations

from dataclasses import dataclass

from .params import Params, Result

__all__ = ["ProjectName", "ProjectSummary", "ResolveParams"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSummary(Result):
    """One loaded project."""

    name: str
    files: tuple[str, ...]
    """Absolute paths it was read from."""
    units: int
    """How many services and tasks it has."""
    running: int
    """How many of them run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveParams(Params):
    """Which project a client in this directory means."""

    directory: str
    """Absolute working directory of the client."""
    files: tuple[str, ...] = ()
    """Absolute paths; empty: the usual names in `directory`, or above it."""
    project: str | None = None
    """A name given by the user wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectName(Result):
    """Which loaded project the files mean."""

    name: str | None
    """The one they name; null when it is not loaded."""
    others: tuple[str, ...] = ()
    """Other loaded projects that were read from the same files."""
