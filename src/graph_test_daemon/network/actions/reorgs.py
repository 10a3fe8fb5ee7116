"""Actions that replace the last blocks of the chain, and see that graph-node follows."""

from __future__ import annotations

from dataclasses import dataclass

from graph_test_daemon.chain import Reorg
from graph_test_daemon.graph_node import FollowedReorg, ReorgConverged, reorg_and_follow
from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.tracking.events import (
    AllocationRestored,
    AllocationUndone,
    TransactionDropped,
    TransactionMoved,
)
from harness.actions import Call, action

__all__ = ["ReorgActions", "ReorgInjected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReorgInjected:
    """The last blocks of the chain were replaced.

    Attributes:
        depth: how many.
        common: height of the newest block that both chains have.
        dropped: how many transactions are in no block any more.
        new_number: height of the newest block, as it was before.
        new_hash: of the newest block.
    """

    depth: int
    common: int
    dropped: int
    new_number: int
    new_hash: str


class ReorgActions(NetworkBase):
    """Reorganisations that graph-node follows."""

    @action(
        events=[
            ReorgInjected,
            ReorgConverged,
            TransactionDropped,
            TransactionMoved,
            AllocationUndone,
            AllocationRestored,
        ]
    )
    async def inject_reorg(
        self,
        call: Call,
        depth: int,
        include: list[str] | None = None,
        mine: int = 1,
        timeout_s: float = 60.0,
    ) -> FollowedReorg:
        """Replace the last blocks, and return when every deployment knows the new ones.

        It is refused, and nothing is done, where graph-node could not follow.

        Args:
            depth: how many blocks.
            include: hashes of transactions of the old blocks that are in the new ones, too.
            mine: so many blocks are mined on top; graph-node notices nothing without one.
            timeout_s: how long all deployments may take.
        """

        async def injected(reorg: Reorg) -> None:
            newest = reorg.blocks[-1]
            event = ReorgInjected(
                depth=reorg.depth,
                common=reorg.common,
                dropped=len(reorg.dropped),
                new_number=newest.number,
                new_hash=newest.new,
            )
            await call.emit(event)

        followed = await reorg_and_follow(
            self.node,
            self.chain,
            depth,
            include=include or (),
            mine=mine,
            timeout_s=timeout_s,
            on_reorg=injected,
            tell=call.emit,
        )
        # What is remembered of transactions and allocations follows, too.
        await self.follow_reorg(call, since=followed.reorg.common)
        return followed
