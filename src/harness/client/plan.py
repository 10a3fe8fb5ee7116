"""What `up` would do, and the graph behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .connection import Connection

__all__ = ["Plan"]


class Plan:
    """Methods `plan.*`; `source` is what `make_source` returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def diff(self, *, source: Mapping[str, Any], units: Sequence[str] = ()) -> dict[str, Any]:
        """Return {project, changes}: what bringing these units up, or all, would do."""
        params = {"source": source, "units": list(units)}
        result: dict[str, Any] = await self._connection.call("plan.diff", params)
        return result

    async def graph(self, *, source: Mapping[str, Any]) -> dict[str, Any]:
        """Return {project, nodes, edges}."""
        result: dict[str, Any] = await self._connection.call("plan.graph", {"source": source})
        return result
