"""Allocations: opened with a proof, closed with a proof of indexing, and what they earn.

Source: Staking and RewardsManager of contracts 7.2.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import anyio

from graph_test_daemon.contracts import keccak
from graph_test_daemon.contracts.protocol import Protocol

from .accounts import Participants, Who
from .allocation import (
    Allocation,
    AllocationClosed,
    AllocationOpened,
    AllocationState,
    FeesCollected,
    Rewards,
    bytes32_of,
    closed_of,
    deployment_of,
    fees_of,
    opened_of,
)
from .epochs import Epochs
from .errors import AllocationIdsUsedUp, AllocationNotFound
from .keys import ALLOCATIONS_PER_EPOCH, MNEMONIC, address_of, allocation_keys, sign_message
from .sending import Tell, history, nothing_told, send

__all__ = ["Allocations"]

_ZERO = f"0x{'0' * 64}"
_STATES: Sequence[AllocationState] = ("null", "active", "closed")


class Allocations:
    """The allocations of one network.

    Args:
        protocol: the contracts.
        participants: the accounts.
        epochs: the epochs.
        mnemonic: from which the keys of allocations are derived.
    """

    def __init__(
        self,
        protocol: Protocol,
        participants: Participants,
        epochs: Epochs,
        *,
        mnemonic: str = MNEMONIC,
    ) -> None:
        self._protocol = protocol
        self._who = participants
        self._epochs = epochs
        self._mnemonic = mnemonic

    # ── what there is ────────────────────────────────────────────────────────────────────────────

    async def get(self, allocation: str) -> Allocation:
        """Return an allocation as it is.

        Raises:
            AllocationNotFound: there never was one of that id.
        """
        staking = self._protocol.staking
        state = _STATES[await staking.call("getAllocationState", allocation)]
        if state == "null":
            raise AllocationNotFound(allocation)
        found = await staking.call("getAllocation", allocation)
        return Allocation(
            allocation=allocation.lower(),
            indexer=found["indexer"],
            deployment=deployment_of(found["subgraphDeploymentID"]),
            tokens=found["tokens"],
            state=state,
            created_at_epoch=found["createdAtEpoch"],
            closed_at_epoch=found["closedAtEpoch"] or None,
            collected_fees=found["collectedFees"],
            rebates=found["distributedRebates"],
            pending_rewards=(await self.rewards(allocation)).tokens if state == "active" else 0,
        )

    async def all(
        self,
        *,
        indexer: Who | None = None,
        deployment: str | None = None,
        active_only: bool = False,
    ) -> list[Allocation]:
        """Return all allocations that there ever were, oldest first.

        Args:
            indexer: only this one's.
            deployment: only those to this one.
            active_only: only those that are open.
        """
        whose = None if indexer is None else await self._who.address(indexer)
        what = None if deployment is None else bytes32_of(deployment)
        found = []
        for event in await history(self._protocol.staking, "AllocationCreated"):
            values = event.values
            if whose is not None and values["indexer"] != whose:
                continue
            if what is not None and values["subgraphDeploymentID"] != what:
                continue
            one = await self.get(values["allocationID"])
            if one.state == "active" or not active_only:
                found.append(one)
        return found

    async def rewards(self, allocation: str) -> Rewards:
        """Return what an allocation would get if it was closed in the present block."""
        block = await self._protocol.chain.block_number()
        staking, manager = self._protocol.staking, self._protocol.rewards_manager
        found = await staking.call("getAllocation", allocation, block=block)
        tokens = await manager.call("getRewards", staking.address, allocation, block=block)
        denied = await manager.call("isDenied", found["subgraphDeploymentID"], block=block)
        return Rewards(allocation=allocation.lower(), tokens=tokens, block=block, denied=denied)

    async def key(self, allocation: str) -> bytes | None:
        """Return the private key of an allocation that was opened here; None: it is not known."""
        found = await self.get(allocation)
        # The key is of the epoch in which it was made, and the transaction may be in the next one.
        for epoch in (found.created_at_epoch, found.created_at_epoch - 1):
            key = await anyio.to_thread.run_sync(
                self._key_of, found.allocation, epoch, found.deployment
            )
            if key is not None:
                return key
        return None

    # ── opening and closing ──────────────────────────────────────────────────────────────────────

    async def open(
        self,
        indexer: Who,
        deployment: str,
        tokens: int,
        *,
        operator: Who | None = None,
        metadata: str = _ZERO,
    ) -> AllocationOpened:
        """Allocate tokens to a deployment, under the next id that was never used.

        Args:
            indexer: whose tokens.
            deployment: `Qm…`.
            tokens: in wei; 0: a signal that it is indexed.
            operator: who sends it in the indexer's place.
            metadata: 32 bytes.

        Raises:
            InvalidCid: the deployment's id is none.
            Reverted: it has not so many to allocate.
            AllocationIdsUsedUp: advance an epoch.
        """
        owner = await self._who.address(indexer)
        what, epoch = bytes32_of(deployment), (await self._epochs.now()).number
        key, allocation = await self._free_key(deployment, epoch)
        message = keccak(bytes.fromhex(owner[2:] + allocation[2:]))
        proof = await anyio.to_thread.run_sync(sign_message, key, message)
        arguments = (what, tokens, allocation, metadata, proof)
        staking = self._protocol.staking
        if operator is None:
            sender = await self._who.sender(owner)
            sent = await send(staking, "allocate", *arguments, sender=sender)
        else:
            sender = await self._who.sender(operator)
            sent = await send(staking, "allocateFrom", owner, *arguments, sender=sender)
        return opened_of(sent)

    async def collect(
        self, allocation: str, payer: Who, tokens: int, *, fund: bool = True
    ) -> FeesCollected:
        """Pay fees of queries to an allocation, also after it was closed.

        Args:
            allocation: its id.
            payer: whose tokens.
            tokens: in wei.
            fund: what the payer has not comes from the deployer.

        Raises:
            AllocationNotFound: there never was one of that id.
        """
        await self.get(allocation)
        sender, staking = await self._who.sender(payer), self._protocol.staking
        await self._who.spendable(sender, staking.address, tokens, fund=fund)
        sent = await send(staking, "collect", tokens, allocation, sender=sender)
        return fees_of(sent)

    async def close(
        self, allocation: str, poi: str = _ZERO, *, sender: Who | None = None
    ) -> AllocationClosed:
        """Close an allocation.

        Rewards need a proof of indexing, an epoch since it was opened, and signal.

        Args:
            allocation: its id.
            poi: the proof of indexing, 32 bytes; all zero: without rewards.
            sender: who closes it; None: the indexer.

        Raises:
            AllocationNotFound: there never was one of that id.
            Reverted: it is closed already, or the sender may not.
        """
        found = await self.get(allocation)
        by = await self._who.sender(found.indexer if sender is None else sender)
        sent = await send(self._protocol.staking, "closeAllocation", allocation, poi, sender=by)
        return closed_of(sent)

    async def close_stale(
        self, sender: Who, *, tell: Tell = nothing_told
    ) -> list[AllocationClosed]:
        """Close every allocation that is so old that anybody may, without rewards.

        Args:
            sender: anybody.
            tell: is awaited with AllocationClosed of each.
        """
        longest = await self._protocol.staking.call("maxAllocationEpochs")
        closed = []
        for one in await self.all(active_only=True):
            if (await self._epochs.now()).number - one.created_at_epoch > longest:
                event = await self.close(one.allocation, sender=sender)
                closed.append(event)
                await tell(event)
        return closed

    async def _free_key(self, deployment: str, epoch: int) -> tuple[bytes, str]:
        keys = allocation_keys(self._mnemonic, epoch, deployment)
        while True:
            found = await anyio.to_thread.run_sync(_next, keys)
            if found is None:
                raise AllocationIdsUsedUp(
                    deployment=deployment, epoch=epoch, count=ALLOCATIONS_PER_EPOCH
                )
            if await self._protocol.staking.call("getAllocationState", found[1]) == 0:
                return found

    def _key_of(self, allocation: str, epoch: int, deployment: str) -> bytes | None:
        keys = allocation_keys(self._mnemonic, epoch, deployment)
        return next((key for key in keys if address_of(key) == allocation), None)


def _next(keys: Iterator[bytes]) -> tuple[bytes, str] | None:
    """Return the next key, with its address; None: there are no more. Blocks."""
    return next(((key, address_of(key)) for key in keys), None)
