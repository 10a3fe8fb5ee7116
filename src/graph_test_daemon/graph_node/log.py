"""Lines of a graph-node's log.

`Nov 29 02:32:19.917 INFO Subgraph deployed, id: Qm…, component: SubgraphRegistrar`: a time without
a year, a level, a message, and facts in the order in which they were added, innermost first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["LEVELS", "NodeLogged", "read_line"]

LEVELS = ("trace", "debug", "info", "warning", "error", "critical")
"""From the least important one on."""

_SHORT = dict(zip(("TRCE", "DEBG", "INFO", "WARN", "ERRO", "CRIT"), LEVELS, strict=True))
_LINE = re.compile(r"^\w{3} +\d+ [\d:.]+ (?P<level>[A-Z]{4}) (?P<rest>.*)$")
_FACT = re.compile(r", (?P<key>[a-z_]+): (?P<value>[^,]*)")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLogged:
    """A graph-node has written a line.

    Attributes:
        level: one of `LEVELS`.
        message: without the facts after it.
        subgraph: id of the deployment that it is about, or None.
        component: of graph-node, or None.
    """

    level: str
    message: str
    subgraph: str | None
    component: str | None


def read_line(text: str) -> NodeLogged | None:
    """Return what a line says; None for one that continues another, or is of something else."""
    found = _LINE.match(_COLOR.sub("", text))
    if found is None or found["level"] not in _SHORT:
        return None
    rest = found["rest"]
    facts = {fact["key"]: fact["value"] for fact in _FACT.finditer(rest)}
    first = _FACT.search(rest)
    return NodeLogged(
        level=_SHORT[found["level"]],
        message=rest if first is None else rest[: first.start()],
        subgraph=facts.get("subgraph_id"),
        component=facts.get("component"),
    )
