"""The protocol as a network: epochs, stake, delegation, allocations, curation, disputes."""

from .accounts import Account, Funded, Participants, Who
from .allocation import (
    Allocation,
    AllocationClosed,
    AllocationOpened,
    FeesCollected,
    Rewards,
    bytes32_of,
    deployment_of,
)
from .allocations import Allocations
from .amounts import wei
from .curation import Curation
from .delegation import Delegations
from .disputes import Disputes
from .epochs import Epoch, EpochAdvanced, Epochs
from .network import Network
from .proofs import ProofOfIndexing
from .staking import Indexer, Staking
from .vouchers import Voucher, Vouchers

__all__ = [
    "Account",
    "Allocation",
    "AllocationClosed",
    "AllocationOpened",
    "Allocations",
    "Curation",
    "Delegations",
    "Disputes",
    "Epoch",
    "EpochAdvanced",
    "Epochs",
    "FeesCollected",
    "Funded",
    "Indexer",
    "Network",
    "Participants",
    "ProofOfIndexing",
    "Rewards",
    "Staking",
    "Voucher",
    "Vouchers",
    "Who",
    "bytes32_of",
    "deployment_of",
    "wei",
]
