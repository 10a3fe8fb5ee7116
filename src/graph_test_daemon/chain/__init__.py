"""The chain: what can be asked of it and done to it, and its typed actions."""

from .blocks import Block, Log, LoggedEvent, Receipt
from .client import Chain
from .epochs import Epoch, blocks_until, epoch, mine_until_epoch
from .mining import Comparator, MiningMode
from .reorgs import RawTransaction, Reorg, Replaced
from .states import SavedChain, Snapshot

__all__ = [
    "Block",
    "Chain",
    "Comparator",
    "Epoch",
    "Log",
    "LoggedEvent",
    "MiningMode",
    "RawTransaction",
    "Receipt",
    "Reorg",
    "Replaced",
    "SavedChain",
    "Snapshot",
    "blocks_until",
    "epoch",
    "mine_until_epoch",
]
