"""Typed actions of services with `service_type: graph-network`.

Nothing runs for such a service: in a stack file it is of `type: external`, without ports, and
depends on the chain and on the task that deploys the contracts.
"""

from __future__ import annotations

from .actions import (
    AccountActions,
    AllocationActions,
    CurationActions,
    DelegationActions,
    DisputeActions,
    EpochActions,
    GraftActions,
    ReorgActions,
    StakingActions,
    SubgraphActions,
    VerificationActions,
)

__all__ = ["GraphNetwork"]


class GraphNetwork(
    SubgraphActions,
    GraftActions,
    ReorgActions,
    VerificationActions,
    EpochActions,
    AccountActions,
    StakingActions,
    DelegationActions,
    AllocationActions,
    CurationActions,
    DisputeActions,
):
    """The network: subgraphs, grafts, epochs, stake, allocations, curation, disputes, reorgs."""
