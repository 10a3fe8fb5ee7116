"""What all parameters and results share, and the two records that many methods use.

Plain dataclasses: pydantic reads them at the daemon's door (`validation.py`), nobody else needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

__all__ = ["Empty", "NoParams", "Params", "ProjectParams", "Result", "Source", "UnitParams"]


class Params:
    """Base of every method's parameters: unknown names are refused."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "use_attribute_docstrings": True,
    }


class Result:
    """Base of every result: unknown keys are tolerated: older clients read newer daemons."""

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "ignore",
        "use_attribute_docstrings": True,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParams(Params):
    """The method takes no parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty(Result):
    """Done; there is nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectParams(Params):
    """A loaded project."""

    project: str
    """Name of a loaded project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitParams(Params):
    """One unit of a loaded project."""

    project: str
    """Name of a loaded project."""
    unit: str
    """Name of one of its services or tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Params):
    """Where a stack comes from; the daemon reads the files."""

    directory: str
    """Absolute working directory of the client; relative paths and the search start here."""
    files: tuple[str, ...] = ()
    """Absolute paths, later ones override; empty: the usual names are looked for in `directory`."""
    project: str | None = None
    """Project name that wins over the file's."""
    profiles: tuple[str, ...] = ()
    """Active profiles."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The client's environment; never logged and never shown."""
