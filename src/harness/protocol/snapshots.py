"""Snapshots of stacks."""

from __future__ import annotations

from dataclasses import dataclass

from .params import ProjectParams, Result

__all__ = [
    "CreateSnapshotParams",
    "RestoreMark",
    "RestoreSnapshotParams",
    "SnapshotInfo",
    "SnapshotParams",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotParams(ProjectParams):
    """A snapshot."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSnapshotParams(SnapshotParams):
    """A snapshot to take."""

    require: tuple[str, ...] = ()
    """Services that must be part of it."""
    timeout_s: float | None = None
    """For all of it; null: each step's own limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSnapshotParams(SnapshotParams):
    """A snapshot to restore."""

    force: bool = False
    """Also when it is of another plan than what runs."""
    timeout_s: float | None = None
    """For all of it; null: each step's own limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotInfo(Result):
    """One snapshot."""

    name: str
    created_at: str
    """ISO 8601, UTC."""
    plan: str
    """Hash of the definitions of all units at that moment."""
    parts: tuple[str, ...]
    """Services whose state is in it."""
    left: tuple[str, ...]
    """Services that are not part of it."""
    tasks: tuple[str, ...]
    """Tasks whose completion is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreMark(Result):
    """A restore that did not come to its end: the parts are not of the same moment."""

    snapshot: str
    restored: tuple[str, ...]
    """Services that have the snapshot's state."""
    others: tuple[str, ...]
    """Services that may have their own state, or half of one."""
