"""Actions on disputes and denied rewards."""

from __future__ import annotations

from decimal import Decimal

from graph_test_daemon.network.accounts import Who
from graph_test_daemon.network.amounts import wei
from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.network.disputes import (
    Attestation,
    Dispute,
    DisputeCreated,
    DisputeResolved,
    Outcome,
    RewardsDenied,
)
from harness.actions import Call, action

__all__ = ["DisputeActions"]


class DisputeActions(NetworkBase):
    """Disputes."""

    @action()
    async def disputes(self) -> list[Dispute]:
        """Return all disputes that there ever were."""
        return await (await self.network()).disputes.all()

    @action()
    async def dispute(self, dispute: str) -> Dispute:
        """Return a dispute as it is.

        Args:
            dispute: its id.
        """
        return await (await self.network()).disputes.get(dispute)

    @action(events=[DisputeCreated])
    async def dispute_indexing(
        self,
        call: Call,
        allocation: str,
        fisherman: Who = "consumer",
        deposit: Decimal | None = None,
        fund: bool = True,
    ) -> DisputeCreated:
        """Dispute the proof of indexing of an allocation.

        Args:
            allocation: its id.
            fisherman: who disputes.
            deposit: GRT; the least that is taken unless given.
            fund: what the fisherman has not comes from the deployer.
        """
        amount = None if deposit is None else wei(deposit)
        disputes = (await self.network()).disputes
        created = await disputes.dispute_indexing(allocation, fisherman, amount, fund=fund)
        await call.emit(created)
        return created

    @action()
    async def attest(self, allocation: str, query: str, response: str) -> Attestation:
        """Attest, with the key of an allocation, that a query was answered so.

        Args:
            allocation: its id.
            query: as it was asked.
            response: as it was answered.
        """
        return await (await self.network()).disputes.attest(allocation, query, response)

    @action(events=[DisputeCreated])
    async def dispute_query(
        self,
        call: Call,
        attestation: str,
        fisherman: Who = "consumer",
        deposit: Decimal | None = None,
        fund: bool = True,
    ) -> DisputeCreated:
        """Dispute an answer that an indexer has attested.

        Args:
            attestation: the data that `attest` returns.
            fisherman: who disputes.
            deposit: GRT; the least that is taken unless given.
            fund: what the fisherman has not comes from the deployer.
        """
        amount = None if deposit is None else wei(deposit)
        disputes = (await self.network()).disputes
        created = await disputes.dispute_query(attestation, fisherman, amount, fund=fund)
        await call.emit(created)
        return created

    @action(events=[DisputeResolved])
    async def resolve_dispute(self, call: Call, dispute: str, outcome: Outcome) -> DisputeResolved:
        """Decide a dispute, as the arbitrator.

        Args:
            dispute: its id.
            outcome: accepted: the indexer is slashed; rejected: the fisherman's deposit is burnt;
                drawn: the fisherman gets it back.
        """
        resolved = await (await self.network()).disputes.resolve(dispute, outcome)
        await call.emit(resolved)
        return resolved

    @action(events=[RewardsDenied])
    async def deny_rewards(self, call: Call, deployment: str, denied: bool = True) -> RewardsDenied:
        """Deny rewards to a deployment, as the availability oracle.

        Args:
            deployment: `Qm…`.
            denied: false: they are given again.
        """
        done = await (await self.network()).disputes.deny_rewards(deployment, denied=denied)
        await call.emit(done)
        return done
