"""Typed actions on the network, a group a file.

Amounts of tokens that are given are GRT, as a number or a decimal text; amounts in results and
events are whole numbers of wei. Accounts are given by name, place or address.
"""

from .accounts import AccountActions
from .allocations import AllocationActions
from .curation import CurationActions
from .delegation import DelegationActions
from .disputes import DisputeActions
from .epochs import EpochActions
from .grafts import GraftActions
from .reorgs import ReorgActions
from .staking import StakingActions
from .subgraphs import SubgraphActions
from .verification import VerificationActions

__all__ = [
    "AccountActions",
    "AllocationActions",
    "CurationActions",
    "DelegationActions",
    "DisputeActions",
    "EpochActions",
    "GraftActions",
    "ReorgActions",
    "StakingActions",
    "SubgraphActions",
    "VerificationActions",
]
