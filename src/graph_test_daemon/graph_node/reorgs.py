"""Reorganisations that graph-node follows: refused where it cannot, and seen through to the end.

graph-node undoes the last blocks of a deployment, down to its first block and no nearer to it than
a threshold of blocks; asked for more, the deployment fails. And it notices nothing before the chain
is longer than it was. So the depth is looked at first, and a block is mined afterwards.

Source: graph-node, `ETHEREUM_REORG_THRESHOLD`, which gnd sets to 10; seen with version 0.45.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import anyio

from graph_test_daemon.chain import Chain, Reorg
from graph_test_daemon.errors import GraphError

from .errors import NotFollowed, ReorgNotFollowed, ReorgTooDeep
from .node import GraphNode
from .nudging import Nudges
from .status import DeploymentStatus
from .sync import wait_for_sync

__all__ = [
    "REORG_THRESHOLD",
    "FollowedReorg",
    "ReorgConverged",
    "check_reorg",
    "reorg_and_follow",
]

REORG_THRESHOLD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReorgConverged:
    """A deployment knows the new chain.

    Attributes:
        deployment: its id.
        block: that its queries know.
        took_s: since the blocks were replaced.
    """

    deployment: str
    block: int
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedReorg:
    """A reorganisation that every deployment has followed.

    Attributes:
        reorg: what happened on the chain.
        deployments: how each has followed, in the order in which they were done.
    """

    reorg: Reorg
    deployments: tuple[ReorgConverged, ...]


Tell = Callable[[ReorgConverged], Awaitable[None]]


OnReorg = Callable[[Reorg], Awaitable[None]]


async def _nobody(_: object) -> None:
    await anyio.lowlevel.checkpoint()


def check_reorg(
    statuses: Sequence[DeploymentStatus],
    *,
    head: int,
    depth: int,
    threshold: int = REORG_THRESHOLD,
) -> None:
    """Do nothing when graph-node can follow; deployments that nobody indexes do not count.

    Args:
        statuses: of the node's deployments.
        head: height of the chain.
        depth: so many blocks are to be replaced.
        threshold: how near to its first block a deployment can be undone.

    Raises:
        ReorgTooDeep: it cannot; all deployments that stand in the way are named.
    """
    common = head - depth
    in_the_way = []
    for status in _indexed(statuses):
        first = 0 if status.earliest is None else status.earliest.number
        if first > 0 and first > max(common - threshold, 0):
            in_the_way.append((status.deployment, first))
    if in_the_way:
        raise ReorgTooDeep(depth=depth, common=common, threshold=threshold, starts=in_the_way)


async def reorg_and_follow(
    node: GraphNode,
    chain: Chain,
    depth: int,
    *,
    include: Sequence[str] = (),
    mine: int = 1,
    timeout_s: float = 60.0,
    threshold: int = REORG_THRESHOLD,
    on_reorg: OnReorg = _nobody,
    tell: Tell = _nobody,
) -> FollowedReorg:
    """Replace the last blocks of the chain, and wait until every deployment knows the new ones.

    Args:
        node: that follows.
        chain: whose blocks are replaced.
        depth: how many.
        include: hashes of transactions of the old blocks that are in the new ones, too.
        mine: so many blocks are mined on top, at least one.
        timeout_s: how long all of them may take to follow.
        threshold: see `check_reorg`.
        on_reorg: is awaited when the blocks are replaced.
        tell: is awaited as each has followed.

    Raises:
        ReorgTooDeep: a deployment could not follow; nothing was done.
        ReorgNotFollowed: one did not; the error says what each one's state is.
    """
    statuses = await node.statuses()
    head = await chain.block_number()
    check_reorg(statuses, head=head, depth=depth, threshold=threshold)
    # One that is stuck already would make every reorganisation one that was not followed.
    following = [one.deployment for one in _indexed(statuses) if one.health != "failed"]
    reorg = await chain.reorg(depth, include=include)
    began_at = anyio.current_time()
    await on_reorg(reorg)
    await chain.mine(max(mine, 1))
    wanted = await chain.block_number()
    nudges = Nudges(chain, renewed=False)
    followed: list[ReorgConverged] = []
    problems: list[NotFollowed] = []

    async def follow(deployment: str) -> None:
        try:
            synced = await wait_for_sync(
                node,
                chain,
                deployment,
                block=wanted,
                timeout_s=timeout_s,
                stall_s=timeout_s,
                mine=nudges,
            )
        except GraphError as error:
            problems.append(NotFollowed(deployment=deployment, cause=str(error)))
            return
        done = ReorgConverged(
            deployment=deployment,
            block=synced.block.number,
            took_s=round(anyio.current_time() - began_at, 3),
        )
        followed.append(done)
        await tell(done)

    async with anyio.create_task_group() as group:
        for deployment in following:
            group.start_soon(follow, deployment)
    if problems:
        raise ReorgNotFollowed(depth=depth, problems=problems)
    return FollowedReorg(reorg=reorg, deployments=tuple(followed))


def _indexed(statuses: Sequence[DeploymentStatus]) -> list[DeploymentStatus]:
    return [one for one in statuses if one.node is not None and not one.paused]
