"""Names of subgraphs: which ones graph-node takes.

Source: graph-node, `SubgraphName`.
"""

from __future__ import annotations

import re

from .errors import InvalidSubgraphName

__all__ = ["check_name"]

_SEGMENT = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?")
_LONGEST = 255


def check_name(name: str) -> None:
    """Raise InvalidSubgraphName unless graph-node takes such a name."""
    segments = name.split("/")
    fits = all(_SEGMENT.fullmatch(segment) and segment != "graphql" for segment in segments)
    if not fits or len(name) > _LONGEST:
        raise InvalidSubgraphName(name)
