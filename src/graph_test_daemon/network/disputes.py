"""Disputes: somebody stakes a deposit on an indexer being wrong, and the arbitrator decides.

Amounts are in wei. Source: DisputeManager and RewardsManager of contracts 7.2.1. What an indexer
has answered is attested by the key of its allocation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import anyio

from graph_test_daemon.contracts import Sent, keccak
from graph_test_daemon.contracts.protocol import Protocol

from .accounts import Participants, Who
from .allocation import bytes32_of
from .allocations import Allocations
from .errors import DisputeNotFound, KeyUnknown
from .keys import sign_hash
from .sending import NOBODY, history, send

__all__ = [
    "Attestation",
    "Dispute",
    "DisputeCreated",
    "DisputeResolved",
    "Disputes",
    "Outcome",
    "RewardsDenied",
]

Outcome = Literal["accepted", "rejected", "drawn"]

_KINDS: tuple[Literal["none", "indexing", "query"], ...] = ("none", "indexing", "query")
_STATUSES: tuple[Literal["none", "accepted", "rejected", "drawn", "pending"], ...] = (
    "none",
    "accepted",
    "rejected",
    "drawn",
    "pending",
)
_VERBS = {"accepted": "acceptDispute", "rejected": "rejectDispute", "drawn": "drawDispute"}
_EVENTS = {"accepted": "DisputeAccepted", "rejected": "DisputeRejected", "drawn": "DisputeDrawn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dispute as it is.

    Attributes:
        dispute: its id.
        kind: what it is about: a proof of indexing, or an answer to a query.
        status: how it stands.
        indexer: who may be wrong.
        fisherman: who said so.
        deposit: of the fisherman.
    """

    dispute: str
    kind: Literal["none", "indexing", "query"]
    status: Literal["none", "accepted", "rejected", "drawn", "pending"]
    indexer: str
    fisherman: str
    deposit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeCreated:
    """An indexer is said to be wrong."""

    dispute: str
    kind: Literal["indexing", "query"]
    indexer: str
    fisherman: str
    deposit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeResolved:
    """The arbitrator has decided.

    Attributes:
        dispute: its id.
        outcome: accepted: the indexer was wrong; rejected: the fisherman; drawn: nobody.
        indexer: who was disputed.
        fisherman: who disputed.
        tokens: that the fisherman gets, or loses when it is rejected.
        slashed: tokens that the indexer has lost.
        reward: of them, for the fisherman.
    """

    dispute: str
    outcome: Outcome
    indexer: str
    fisherman: str
    tokens: int
    slashed: int
    reward: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """An indexer attests that it has answered a query so.

    Attributes:
        allocation: whose key has signed.
        request: hash of the query.
        response: hash of the answer.
        data: all of it, as contracts read it.
    """

    allocation: str
    request: str
    response: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardsDenied:
    """Allocations to a deployment get no rewards from now on, or get them again."""

    deployment: str
    denied: bool


class Disputes:
    """The disputes of one network.

    Args:
        protocol: the contracts.
        participants: the accounts.
        allocations: what is disputed.
    """

    def __init__(
        self, protocol: Protocol, participants: Participants, allocations: Allocations
    ) -> None:
        self._protocol = protocol
        self._manager = protocol.dispute_manager
        self._who = participants
        self._allocations = allocations

    # ── what there is ────────────────────────────────────────────────────────────────────────────

    async def get(self, dispute: str) -> Dispute:
        """Return a dispute as it is.

        Raises:
            DisputeNotFound: there never was one of that id.
        """
        found = await self._manager.call("disputes", dispute)
        if found["fisherman"] == NOBODY:
            raise DisputeNotFound(dispute)
        return Dispute(
            dispute=dispute.lower(),
            kind=_KINDS[found["disputeType"]],
            status=_STATUSES[found["status"]],
            indexer=found["indexer"],
            fisherman=found["fisherman"],
            deposit=found["deposit"],
        )

    async def all(self) -> list[Dispute]:
        """Return all disputes that there ever were, first those about indexing, oldest first."""
        events = [
            event
            for name in ("IndexingDisputeCreated", "QueryDisputeCreated")
            for event in await history(self._manager, name)
        ]
        return [await self.get(event.values["disputeID"]) for event in events]

    # ── disputing ────────────────────────────────────────────────────────────────────────────────

    async def dispute_indexing(
        self, allocation: str, fisherman: Who, deposit: int | None = None, *, fund: bool = True
    ) -> DisputeCreated:
        """Dispute the proof of indexing of an allocation.

        Args:
            allocation: its id.
            fisherman: who disputes.
            deposit: in wei; None: the least that is taken.
            fund: what the fisherman has not comes from the deployer.

        Raises:
            AllocationNotFound: there never was one of that id.
            Reverted: it was disputed before, or the indexer has nothing at stake.
        """
        await self._allocations.get(allocation)
        sender, amount = await self._deposited(fisherman, deposit, fund=fund)
        arguments = (allocation, amount)
        sent = await send(self._manager, "createIndexingDispute", *arguments, sender=sender)
        return _created(sent, "indexing")

    async def attest(self, allocation: str, query: str, response: str) -> Attestation:
        """Attest, with an allocation's key, that a query was answered so.

        Raises:
            AllocationNotFound: there never was one of that id.
            KeyUnknown: it was not opened here.
        """
        found = await self._allocations.get(allocation)
        key = await self._allocations.key(allocation)
        if key is None:
            raise KeyUnknown(
                address=allocation,
                what="attest an answer",
                hint="only keys of allocations that were opened here are known",
            )
        request, answer = keccak(query.encode()).hex(), keccak(response.encode()).hex()
        deployment = bytes32_of(found.deployment)
        receipt = (f"0x{request}", f"0x{answer}", deployment)
        digest = await self._manager.call("encodeHashReceipt", receipt)
        signature = await anyio.to_thread.run_sync(sign_hash, key, bytes.fromhex(digest[2:]))
        return Attestation(
            allocation=allocation.lower(),
            request=f"0x{request}",
            response=f"0x{answer}",
            data=f"0x{request}{answer}{deployment[2:]}{signature[2:]}",
        )

    async def dispute_query(
        self, attestation: str, fisherman: Who, deposit: int | None = None, *, fund: bool = True
    ) -> DisputeCreated:
        """Dispute an answer that an indexer has attested.

        Args:
            attestation: its data.
            fisherman: who disputes.
            deposit: in wei; None: the least that is taken.
            fund: what the fisherman has not comes from the deployer.
        """
        sender, amount = await self._deposited(fisherman, deposit, fund=fund)
        arguments = (attestation, amount)
        sent = await send(self._manager, "createQueryDispute", *arguments, sender=sender)
        return _created(sent, "query")

    async def resolve(self, dispute: str, outcome: Outcome) -> DisputeResolved:
        """Decide a dispute, as the arbitrator.

        Args:
            dispute: its id.
            outcome: accepted: the indexer is slashed; rejected: the deposit is burnt; drawn: the
                fisherman gets it back.

        Raises:
            DisputeNotFound: there never was one of that id.
            Reverted: it is decided.
        """
        await self.get(dispute)
        arbitrator = await self._who.sender(await self._manager.call("arbitrator"))
        sent = await send(self._manager, _VERBS[outcome], dispute, sender=arbitrator)
        values, slashed = _values(sent, _EVENTS[outcome]), sent.event("StakeSlashed")
        return DisputeResolved(
            dispute=values["disputeID"],
            outcome=outcome,
            indexer=values["indexer"],
            fisherman=values["fisherman"],
            tokens=values["tokens"],
            slashed=slashed.values["tokens"] if slashed else 0,
            reward=slashed.values["reward"] if slashed else 0,
        )

    async def deny_rewards(self, deployment: str, *, denied: bool = True) -> RewardsDenied:
        """Deny rewards to a deployment, or do so no more, as the availability oracle."""
        manager = self._protocol.rewards_manager
        oracle = await self._who.sender(await manager.call("subgraphAvailabilityOracle"))
        await send(manager, "setDenied", bytes32_of(deployment), denied, sender=oracle)
        return RewardsDenied(deployment=deployment, denied=denied)

    async def _deposited(
        self, fisherman: Who, deposit: int | None, *, fund: bool
    ) -> tuple[str, int]:
        sender = await self._who.sender(fisherman)
        amount = await self._manager.call("minimumDeposit") if deposit is None else deposit
        await self._who.spendable(sender, self._manager.address, amount, fund=fund)
        return sender, amount


def _created(sent: Sent, kind: Literal["indexing", "query"]) -> DisputeCreated:
    values = _values(sent, f"{kind.title()}DisputeCreated")
    return DisputeCreated(
        dispute=values["disputeID"],
        kind=kind,
        indexer=values["indexer"],
        fisherman=values["fisherman"],
        deposit=values["tokens"],
    )


def _values(sent: Sent, event: str) -> Any:
    found = sent.event(event)
    assert found is not None  # noqa: S101 - else it is refused
    return found.values
