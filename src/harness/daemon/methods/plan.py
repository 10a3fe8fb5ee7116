"""What `up` would do, and the graph behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.daemon.dispatcher import Handler
from harness.plan import Graph

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import DiffParams, GraphParams

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `plan.*`."""

    async def diff(params: DiffParams, _: Call) -> dict[str, Any]:
        spec = await wiring.reader.read(params.source)
        found = wiring.stacks.diff(spec, params.source.env, units=params.units)
        return {"project": spec.name, "changes": found.changes}

    async def graph(params: GraphParams, _: Call) -> dict[str, Any]:
        spec = await wiring.reader.read(params.source)
        found = Graph.of(spec)
        return {
            "project": spec.name,
            "nodes": [
                {"name": unit.name, "kind": unit.kind, "type": unit.type}
                for unit in found.units.values()
            ],
            "edges": [
                {
                    "from": name,
                    "to": edge.on,
                    "condition": edge.condition,
                    "stage": edge.stage,
                    "implicit": edge.implicit,
                }
                for name, edges in found.dependencies.items()
                for edge in edges
            ],
        }

    return {"plan.diff": diff, "plan.graph": graph}
