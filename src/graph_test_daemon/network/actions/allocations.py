"""Actions on allocations."""

from __future__ import annotations

from decimal import Decimal

from graph_test_daemon.network.accounts import Who
from graph_test_daemon.network.allocation import (
    Allocation,
    AllocationClosed,
    AllocationOpened,
    FeesCollected,
    Rewards,
)
from graph_test_daemon.network.amounts import wei
from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.network.proofs import ProofOfIndexing
from graph_test_daemon.network.vouchers import VoucherRedeemed
from harness.actions import Call, action

__all__ = ["AllocationActions"]


class AllocationActions(NetworkBase):
    """Allocations."""

    @action()
    async def allocations(
        self, indexer: Who | None = None, deployment: str | None = None, active: bool = False
    ) -> list[Allocation]:
        """Return all allocations that there ever were, oldest first.

        Args:
            indexer: only this one's.
            deployment: only those to this one, `Qm…`.
            active: only those that are open.
        """
        return await (await self.network()).allocations.all(
            indexer=indexer, deployment=deployment, active_only=active
        )

    @action()
    async def allocation(self, allocation: str) -> Allocation:
        """Return an allocation as it is.

        Args:
            allocation: its id, an address.
        """
        return await (await self.network()).allocations.get(allocation)

    @action()
    async def rewards(self, allocation: str) -> Rewards:
        """Return what an allocation would get if it was closed in the present block.

        Args:
            allocation: its id.
        """
        return await (await self.network()).allocations.rewards(allocation)

    @action(events=[AllocationOpened])
    async def allocate(
        self,
        call: Call,
        deployment: str,
        tokens: Decimal,
        indexer: Who = "indexer",
        operator: Who | None = None,
    ) -> AllocationOpened:
        """Allocate tokens of an indexer to a deployment.

        Args:
            deployment: `Qm…`.
            tokens: GRT.
            indexer: whose.
            operator: who does it in the indexer's place.
        """
        allocations = (await self.network()).allocations
        opened = await allocations.open(indexer, deployment, wei(tokens), operator=operator)
        await call.emit(opened)
        return opened

    @action(events=[FeesCollected])
    async def collect(
        self,
        call: Call,
        allocation: str,
        tokens: Decimal,
        payer: Who = "consumer",
        fund: bool = True,
    ) -> FeesCollected:
        """Pay fees of queries to an allocation, also after it was closed.

        Args:
            allocation: its id.
            tokens: GRT.
            payer: whose.
            fund: what the payer has not comes from the deployer.
        """
        allocations = (await self.network()).allocations
        collected = await allocations.collect(allocation, payer, wei(tokens), fund=fund)
        await call.emit(collected)
        return collected

    @action()
    async def proof(self, allocation: str, timeout_s: float = 30.0) -> ProofOfIndexing:
        """Return the proof of indexing that an allocation is closed with now.

        It is the one at the first block of the present epoch, from the stack's graph-node.

        Args:
            allocation: its id.
            timeout_s: how long graph-node may take to index that block.
        """
        network = await self.network()
        return await network.proof(self.node_if_any, allocation, timeout_s=timeout_s)

    @action(events=[AllocationClosed])
    async def close_allocation(
        self,
        call: Call,
        allocation: str,
        poi: str | None = None,
        sender: Who | None = None,
        timeout_s: float = 30.0,
    ) -> AllocationClosed:
        """Close an allocation; its indexer gets rewards.

        Rewards need a proof, an epoch that has passed since it was opened, and signal.

        Args:
            allocation: its id.
            poi: the proof of indexing, 0x and 64 digits; graph-node's unless given.
            sender: who closes it; the indexer unless given.
            timeout_s: how long graph-node may take to index the block that the proof is of.
        """
        network = await self.network()
        if poi is None:
            proof = await network.proof(self.node_if_any, allocation, timeout_s=timeout_s)
            await call.progress(f"graph-node has the proof at block {proof.block.number}")
            poi = proof.poi
        closed = await network.allocations.close(allocation, poi, sender=sender)
        await call.emit(closed)
        return closed

    @action(events=[AllocationClosed])
    async def close_stale_allocations(
        self, call: Call, sender: Who = "consumer"
    ) -> list[AllocationClosed]:
        """Close every allocation that is so old that anybody may, without rewards.

        Args:
            sender: anybody.
        """
        return await (await self.network()).allocations.close_stale(sender, tell=call.emit)

    @action(events=[VoucherRedeemed])
    async def redeem_voucher(
        self,
        call: Call,
        allocation: str,
        tokens: Decimal,
        authority: Who = "authority",
        sender: Who = "consumer",
        fund: bool = True,
    ) -> VoucherRedeemed:
        """Sign a voucher for an allocation, and have it paid; once for each allocation.

        Args:
            allocation: its id.
            tokens: GRT.
            authority: who signs it.
            sender: who hands it in; anybody.
            fund: what the exchange has not comes from the deployer.
        """
        vouchers = (await self.network()).vouchers
        voucher = await vouchers.sign(allocation, wei(tokens), authority=authority)
        redeemed = await vouchers.redeem(voucher, sender=sender, fund=fund)
        await call.emit(redeemed)
        return redeemed
