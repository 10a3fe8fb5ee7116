"""One allocation: as it is, and what happens to it.

Amounts are in wei; deployments are `Qm…` for people and 32 bytes for contracts.
Source: Staking of contracts 7.2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from graph_test_daemon.contracts import Event, Sent
from graph_test_daemon.ipfs import Cid

__all__ = [
    "Allocation",
    "AllocationClosed",
    "AllocationOpened",
    "AllocationState",
    "FeesCollected",
    "Rewards",
    "bytes32_of",
    "closed_of",
    "deployment_of",
    "fees_of",
    "opened_of",
]

AllocationState = Literal["null", "active", "closed"]
"""In the order of the contract's numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """An allocation as it is.

    Attributes:
        allocation: its id, an address.
        indexer: whose it is.
        deployment: to what.
        tokens: how many.
        state: active or closed.
        created_at_epoch: when it was opened.
        closed_at_epoch: when it was closed; None: it is open.
        collected_fees: what queries have paid, after taxes.
        rebates: what of it was given out.
        pending_rewards: what it would get if it was closed now.
    """

    allocation: str
    indexer: str
    deployment: str
    tokens: int
    state: AllocationState
    created_at_epoch: int
    closed_at_epoch: int | None
    collected_fees: int
    rebates: int
    pending_rewards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationOpened:
    """An indexer has allocated tokens to a deployment."""

    allocation: str
    indexer: str
    deployment: str
    tokens: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeesCollected:
    """Fees of queries were paid to an allocation.

    Attributes:
        allocation: its id.
        indexer: whose it is.
        payer: whose tokens they were.
        epoch: in which.
        tokens: that were paid.
        protocol_tax: of them, which is burnt.
        curation_fees: of them, for curators.
        rebate: of them, for the indexer.
        delegation_rewards: of them, for its delegators.
    """

    allocation: str
    indexer: str
    payer: str
    epoch: int
    tokens: int
    protocol_tax: int
    curation_fees: int
    rebate: int
    delegation_rewards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationClosed:
    """An allocation was closed.

    Attributes:
        allocation: its id.
        indexer: whose it was.
        deployment: to what.
        tokens: how many, which are free again.
        epoch: in which.
        sender: who closed it.
        poi: with which proof of indexing.
        rewards: tokens that were made for it; 0: it had none to get, or was denied them.
        restaked: of them, what the indexer has at stake now.
        denied: it would have got rewards, and was denied them.
    """

    allocation: str
    indexer: str
    deployment: str
    tokens: int
    epoch: int
    sender: str
    poi: str
    rewards: int
    restaked: int
    denied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewards:
    """What an allocation would get if it was closed in the present block."""

    allocation: str
    tokens: int
    block: int
    denied: bool


def bytes32_of(deployment: str) -> str:
    """Return a deployment's id as contracts have it.

    Raises:
        InvalidCid: it is none.
    """
    return Cid.parse(deployment).bytes32()


def deployment_of(digest: str) -> str:
    """Return a deployment's id as people have it."""
    return str(Cid.from_bytes32(digest))


def fees_of(sent: Sent) -> FeesCollected:
    """Return what a transaction has paid to an allocation."""
    values = _values(sent, "RebateCollected")
    return FeesCollected(
        allocation=values["allocationID"],
        indexer=values["indexer"],
        payer=values["assetHolder"],
        epoch=values["epoch"],
        tokens=values["tokens"],
        protocol_tax=values["protocolTax"],
        curation_fees=values["curationFees"],
        rebate=values["queryRebates"],
        delegation_rewards=values["delegationRewards"],
    )


def opened_of(sent: Sent) -> AllocationOpened:
    """Return which allocation a transaction has opened."""
    values = _values(sent, "AllocationCreated")
    return AllocationOpened(
        allocation=values["allocationID"],
        indexer=values["indexer"],
        deployment=deployment_of(values["subgraphDeploymentID"]),
        tokens=values["tokens"],
        epoch=values["epoch"],
    )


def closed_of(sent: Sent) -> AllocationClosed:
    """Return which allocation a transaction has closed, and what it got."""
    values = _values(sent, "AllocationClosed")
    rewards, restaked = sent.event("HorizonRewardsAssigned"), sent.event("StakeDeposited")
    return AllocationClosed(
        allocation=values["allocationID"],
        indexer=values["indexer"],
        deployment=deployment_of(values["subgraphDeploymentID"]),
        tokens=values["tokens"],
        epoch=values["epoch"],
        sender=values["sender"],
        poi=values["poi"],
        rewards=_number(rewards, "amount"),
        restaked=_number(restaked, "tokens"),
        denied=sent.event("RewardsDenied") is not None,
    )


def _values(sent: Sent, event: str) -> Mapping[str, Any]:
    found = sent.event(event)
    assert found is not None  # noqa: S101 - else it is refused
    return found.values


def _number(event: Event | None, name: str) -> int:
    return int(event.values[name]) if event is not None else 0
