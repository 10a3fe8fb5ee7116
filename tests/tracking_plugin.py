"""A plugin for tests: a service type that remembers what it is told to have been done.

Who answers its queries is at the service's only port.
"""

from __future__ import annotations

import os

from graph_test_daemon.chain import Chain, Receipt
from graph_test_daemon.graph_node import GraphNode, NodeUrls
from graph_test_daemon.tracking import Deployment, Graft, Moment
from graph_test_daemon.tracking.actions import TrackedActions
from harness.actions import Service, ServiceType, action
from harness.plugins import hookimpl


class TrackedNetwork(TrackedActions):
    """Remembers."""

    name = "tracked-network"

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        url = service.url()
        self._node = GraphNode(NodeUrls(query=url, admin=url, status=url))
        self._chain = Chain(service.labels.get("chain", url))

    async def aclose(self) -> None:
        """Close the connections."""
        await super().aclose()
        await self._node.aclose()
        await self._chain.aclose()

    @property
    def node(self) -> GraphNode:
        """Who answers queries."""
        return self._node

    @property
    def chain(self) -> Chain:
        """The chain of the label, or where the service is."""
        return self._chain

    @action()
    async def tell_deployed(self, name: str, deployment: str, base: str = "") -> Deployment:
        """Deploy, so to speak."""
        graft = Graft(base=base, block=3) if base else None
        return await self.tracker.deployed(name, deployment, network="test", graft=graft)

    @action()
    async def tell_allocated(self, allocation: str, close: bool = False) -> None:
        """Open an allocation, or close it, so to speak."""
        at = Moment(epoch=1, block=2, transaction="0x3")
        if close:
            await self.tracker.allocation_closed(allocation, at=at, poi="0x4", rewards=10**21)
            return
        await self.tracker.allocation_opened(
            allocation, indexer="0xA", deployment="QmA", tokens=10**22, at=at
        )

    @action()
    async def tell_sent(self, count: int, kill_after: int | None = None) -> None:
        """Send transactions, so to speak; the daemon ends as by a crash where that is asked for."""
        for number in range(count):
            receipt = Receipt(
                transaction=f"0x{number:x}",
                block_number=number,
                block_hash="0xb",
                succeeded=number % 2 == 0,
                gas_used=1,
                contract=None,
                logs=(),
            )
            await self.tracker.sent(receipt, sender="0xA", to="0xB", what=f"T.m{number % 3}")
            if number == kill_after:
                os.kill(os.getpid(), 9)


@hookimpl
def harness_service_types() -> list[type[ServiceType]]:
    """Bring it."""
    return [TrackedNetwork]
