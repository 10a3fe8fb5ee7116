"""What goes wrong when a subgraph is verified."""

from __future__ import annotations

from typing import Any

from graph_test_daemon.errors import GraphError

__all__ = ["SubgraphNotVerified"]


class SubgraphNotVerified(GraphError):
    """What a subgraph has stored is not what its blocks give.

    Attributes:
        summary: the first differences, a line each.
    """

    kind = "subgraph-not-verified"
    facts = ("summary",)

    def __init__(self, *, deployment: str, count: int, summary: str, result: Any) -> None:
        self.summary = summary
        places = "one place" if count == 1 else f"{count} places"
        super().__init__(
            f"cannot verify {deployment}: a fresh deployment of the same manifest differs in "
            f"{places}:\n{summary}",
            hint="`ignore` leaves types and fields out, such as what came of files in IPFS; "
            "`require: false` returns what was compared",
            details={"deployment": deployment, "count": count, "result": result},
        )
