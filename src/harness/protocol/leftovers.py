"""What is left of projects and daemons that nobody will come back for."""

from __future__ import annotations

from dataclasses import dataclass

from .params import Params, Result

__all__ = ["Leftover", "ListLeftoversParams", "RemoveLeftoversParams"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLeftoversParams(Params):
    """Where to look."""

    under: str | None = None
    """Of other daemons only what belonged to state directories in this one; null: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLeftoversParams(ListLeftoversParams):
    """What to remove."""

    adoptable: bool = False
    """Also what the next daemon of another state directory would go on with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover(Result):
    """One thing that was left."""

    kind: str
    """project, directory, processes or records."""
    name: str
    """Of the project, whose records they are, too; the directory's path, or `project/unit`."""
    why: str
    """Why nobody will come back for it; or who may."""
    state_dir: str | None
    """Of the daemon that it belonged to; null: nothing tells."""
    pids: tuple[int, ...] = ()
    removable: bool
    """Whether nobody can want it."""
    adoptable: bool
    """Whether the next daemon of its state directory would go on with it."""
    removed: bool
    """Whether it is gone now."""
    error: str | None = None
    """Why it could not be removed."""
    hint: str | None = None
    """What takes it up again."""
