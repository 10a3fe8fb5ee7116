"""What is said of a subgraph, or a field of one, that there is none of: the nearest that there is.

It is asked for only when something has failed, and says nothing where it cannot be found out: it
never stands in the way of the error itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio

from graph_test_daemon.errors import GraphError, QueryFailed
from graph_test_daemon.graphql import GraphQL
from harness.suggestions import did_you_mean

if TYPE_CHECKING:
    from .node import GraphNode

__all__ = ["hint_for_query", "hint_for_subgraph"]

_WITHIN_S = 2.0
_MOST_NAMES = 200
_MOST_LISTED = 20
_NO_DEPLOYMENT = re.compile(r"^deployment `[^`]*` does not exist$")
_NO_FIELD = re.compile(r"^Type `(?P<type>\w+)` has no field `(?P<field>\w+)`$")
_FIELDS = "query($type: String!) { found: __type(name: $type) { fields { name } } }"


async def hint_for_subgraph(node: GraphNode, subgraph: str) -> str | None:
    """Return what a subgraph of no such name may be meant to be; None: that is not known."""
    names: list[str] = []
    try:
        with anyio.move_on_after(_WITHIN_S):
            for status in await node.statuses():
                if status.node is not None and len(names) < _MOST_NAMES:
                    names += await node.names_of(status.deployment) or ()
    except GraphError:
        return None
    return _hint(subgraph, sorted(set(names)))


async def hint_for_query(
    node: GraphNode, queries: GraphQL, subgraph: str, path: str, error: QueryFailed
) -> str | None:
    """Return what a query that failed may be meant to be; None: that is not known.

    Args:
        node: that knows the subgraphs.
        queries: what answers their queries.
        subgraph: that was asked, by name or id.
        path: of its queries.
        error: that it answered.
    """
    if any(map(_NO_DEPLOYMENT.match, error.messages)):
        return await hint_for_subgraph(node, subgraph)
    hints = []
    for message in error.messages:
        if (found := _NO_FIELD.match(message)) is None:
            continue
        fields: list[str] = []
        try:
            with anyio.move_on_after(_WITHIN_S):
                data = await queries.query(_FIELDS, {"type": found["type"]}, path=path)
                fields = [field["name"] for field in (data["found"] or {}).get("fields") or ()]
        except GraphError:
            continue
        hints.append(_hint(found["field"], fields))
    return "; ".join(dict.fromkeys(filter(None, hints))) or None


def _hint(name: str, known: Sequence[str]) -> str | None:
    """Return the nearest name, else all of them where they are few."""
    hint = did_you_mean(name, known)
    return hint if len(known) <= _MOST_LISTED or (hint or "").startswith("did") else None
