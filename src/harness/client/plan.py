"""What `up` would do, and the graph behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .connection import Connection

if TYPE_CHECKING:
    from .results import PlanDiff, PlanGraph

__all__ = ["Plan"]


class Plan:
    """Methods `plan.*`; `source` is what `make_source` returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def diff(self, *, source: Mapping[str, Any], units: Sequence[str] = ()) -> PlanDiff:
        """Return {project, changes}: what bringing these units up, or all, would do."""
        params = {"source": source, "units": list(units)}
        result: PlanDiff = await self._connection.call("plan.diff", params)
        return result

    async def graph(self, *, source: Mapping[str, Any]) -> PlanGraph:
        """Return {project, nodes, edges}."""
        result: PlanGraph = await self._connection.call("plan.graph", {"source": source})
        return result
