"""The service type `anvil`: the chain's typed actions and events."""

from .anvil import Anvil
from .events import (
    BlockMined,
    ChainRestored,
    ReorgInjected,
    SnapshotReverted,
    SnapshotTaken,
    TimeChanged,
    TransactionMined,
)

__all__ = [
    "Anvil",
    "BlockMined",
    "ChainRestored",
    "ReorgInjected",
    "SnapshotReverted",
    "SnapshotTaken",
    "TimeChanged",
    "TransactionMined",
]
