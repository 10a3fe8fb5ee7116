"""What the steps of a workflow may name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.model import UnitKind

from .static import StaticLookup

__all__ = ["KnownNames"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """Names of a stack.

    Attributes:
        kinds: unit → what it is.
        secrets: names of secrets.
        lookup: variables; None: they are known only when the workflow runs.
    """

    kinds: Mapping[str, UnitKind]
    secrets: Iterable[str] = ()
    lookup: StaticLookup | None = None

    def of(self, kind: UnitKind) -> tuple[str, ...]:
        """Return the units of a kind."""
        return tuple(name for name, own in self.kinds.items() if own is kind)
