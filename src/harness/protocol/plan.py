"""What `up` would do, and the graph behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .params import Params, Result, Source

__all__ = ["DiffParams", "GraphNode", "GraphParams", "PlanChange", "PlanDiff", "PlanGraph"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffParams(Params):
    """What would be brought up."""

    source: Source
    units: tuple[str, ...] = ()
    """Empty: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphParams(Params):
    """Which stack."""

    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange(Result):
    """What would happen to one unit."""

    unit: str
    kind: str
    action: str
    """start, restart, stop, keep, run or skip."""
    reasons: tuple[str, ...] = ()
    differs: bool = False
    """The stack file says something else than when the unit was last started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDiff(Result):
    """What would happen, in file order."""

    project: str
    changes: tuple[PlanChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode(Result):
    """One unit of the graph."""

    name: str
    kind: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanGraph(Result):
    """The graph of a stack, nodes in file order.

    An edge has `from` (the unit that waits), `to`, `condition`, `stage` and `implicit`.
    """

    project: str
    nodes: tuple[GraphNode, ...]
    edges: tuple[dict[str, Any], ...]
