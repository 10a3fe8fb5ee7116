"""Proves that what a subgraph has stored is what its blocks give, such as after reorganisations."""

from .entities import EntityReader
from .errors import SubgraphNotVerified
from .verifying import (
    BlockCompared,
    EntityDifference,
    HashDifference,
    VerifiedSubgraph,
    verify_subgraph,
)

__all__ = [
    "BlockCompared",
    "EntityDifference",
    "EntityReader",
    "HashDifference",
    "SubgraphNotVerified",
    "VerifiedSubgraph",
    "verify_subgraph",
]
