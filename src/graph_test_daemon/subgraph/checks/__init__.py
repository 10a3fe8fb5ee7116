"""Everything that can be told about a subgraph before it is built or deployed."""

from .check import CheckedSubgraph, check_manifest, require_sound
from .subject import REORG_THRESHOLD, Expectations

__all__ = [
    "REORG_THRESHOLD",
    "CheckedSubgraph",
    "Expectations",
    "check_manifest",
    "require_sound",
]
