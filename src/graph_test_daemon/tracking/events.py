"""What actions on what is remembered tell."""

from __future__ import annotations

from dataclasses import dataclass

from .records import AllocationState

__all__ = [
    "AllocationRestored",
    "AllocationUndone",
    "QueryCompared",
    "QueryKept",
    "TransactionDropped",
    "TransactionMoved",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryKept:
    """A query's result is kept, as of a block of this height."""

    name: str
    subgraph: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCompared:
    """Two results were compared; `count` is of their differences."""

    name: str
    other: str | None
    equal: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionDropped:
    """A transaction is in no block of the chain any more; it was in the one of this height."""

    hash: str
    what: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionMoved:
    """A transaction is in another block than before."""

    hash: str
    what: str
    block: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationUndone:
    """A reorg has undone what opened or closed an allocation; `state` is what it is now."""

    allocation: str
    state: AllocationState


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRestored:
    """A reorg has brought back what opened an allocation; `state` is what it is now."""

    allocation: str
    state: AllocationState
