"""What the daemon was extended with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .params import Result

__all__ = ["PluginStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatus(Result):
    """One plugin that was found."""

    name: str
    source: str
    """Name and version of the distribution it comes from, or the variable that names it."""
    module: str
    error: str | None
    """Why it cannot be used."""
    brings: Mapping[str, tuple[str, ...]]
    """Kind to names."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """What of it failed since it was loaded, such as an observer, to how."""
