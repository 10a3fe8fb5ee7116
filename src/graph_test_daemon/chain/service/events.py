"""What the chain's actions tell, as it happens."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BlockMined",
    "ChainRestored",
    "ReorgInjected",
    "SnapshotReverted",
    "SnapshotTaken",
    "TimeChanged",
    "TransactionMined",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockMined:
    """Blocks were mined; many at once are told of in parts.

    Attributes:
        number: height of the newest.
        hash: of the newest.
        timestamp: of the newest.
        count: so many, this one included.
    """

    number: int
    hash: str
    timestamp: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionMined:
    """A transaction is in a block."""

    transaction: str
    number: int
    gas_used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReorgInjected:
    """The last blocks were replaced, or removed."""

    depth: int
    old_number: int
    old_hash: str
    new_number: int
    new_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeChanged:
    """The chain's clock was set; blocks have the time from the next one on."""

    timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotTaken:
    """The node keeps the state at a block."""

    id: str
    number: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotReverted:
    """The chain went back to a snapshot."""

    id: str
    number: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRestored:
    """The chain has another state as a whole: a loaded, a restored or an empty one, or a fork."""

    number: int
    hash: str
