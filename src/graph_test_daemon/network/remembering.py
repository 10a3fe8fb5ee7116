"""Remembers what is sent to the contracts: transactions, and allocations as they come and go."""

from __future__ import annotations

from contextlib import suppress

from graph_test_daemon.contracts import Contract, Event, Sent
from graph_test_daemon.tracking import Moment, RecordNotFound, Tracker

from .allocation import deployment_of

__all__ = ["Remembering"]


class Remembering:
    """Is told of transactions, and tells a tracker.

    Args:
        tracker: what remembers.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    async def __call__(self, contract: Contract, function: str, sender: str, sent: Sent) -> None:
        """Remember a transaction, and what it did to allocations."""
        what = f"{contract.name}.{function}"
        await self._tracker.sent(sent.receipt, sender=sender, to=contract.address, what=what)
        await self.allocations(sent)

    async def allocations(self, sent: Sent) -> None:
        """Remember what a transaction did to allocations."""
        for event in sent.events:
            if event.name == "AllocationCreated":
                await self._opened(event, sent)
            elif event.name == "AllocationClosed":
                await self._closed(event, sent)

    async def _opened(self, event: Event, sent: Sent) -> None:
        await self._tracker.allocation_opened(
            event.values["allocationID"],
            indexer=event.values["indexer"],
            deployment=deployment_of(event.values["subgraphDeploymentID"]),
            tokens=int(event.values["tokens"]),
            at=_moment(event, sent),
        )

    async def _closed(self, event: Event, sent: Sent) -> None:
        allocation = event.values["allocationID"]
        rewards = [
            int(one.values["amount"])
            for one in sent.events
            if one.name == "HorizonRewardsAssigned" and one.values["allocationID"] == allocation
        ]
        with suppress(RecordNotFound):  # somebody else may have opened it
            await self._tracker.allocation_closed(
                allocation, at=_moment(event, sent), poi=event.values["poi"], rewards=sum(rewards)
            )


def _moment(event: Event, sent: Sent) -> Moment:
    return Moment(
        epoch=int(event.values["epoch"]),
        block=sent.receipt.block_number,
        transaction=sent.receipt.transaction,
    )
