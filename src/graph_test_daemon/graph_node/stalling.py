"""Why a deployment is not where it is waited for to be, and what to do about it."""

from __future__ import annotations

from .status import BlockPointer, DeploymentStatus

__all__ = ["why_stalled"]

_STUCK = (
    "graph-node has these blocks; where its database was restarted, or the subgraph was paused and "
    "resumed, a restart of graph-node helps"
)
_GONE = (
    "a chain that went back is followed once it is longer; of another one nothing that was indexed "
    "is of use: the workflow `reset`, or `down --volumes`, empties the database"
)
_IDLE = "on a chain where nothing happens it may stay behind: mine a block, or wait with `mine`"


def why_stalled(
    status: DeploymentStatus | None, *, at: BlockPointer | None, wanted: int, head: int
) -> tuple[str | None, str | None]:
    """Return the cause, where it can be told, and a hint, where there is one.

    Args:
        status: what graph-node says of it; None: it knows none.
        at: the block that queries know; None: none yet.
        wanted: height that is waited for.
        head: height of the chain.
    """
    if status is None:
        return "nothing of it is deployed", "deploy it first"
    if status.paused:
        return "it is paused", "resume it"
    if status.node is None:
        return "no node indexes it", "deploy it, or reassign it"
    if status.fatal_error is not None:
        return status.fatal_error.message, None
    return _why_behind(status, at=at, wanted=wanted, head=head)


def _why_behind(
    status: DeploymentStatus, *, at: BlockPointer | None, wanted: int, head: int
) -> tuple[str | None, str | None]:
    """Return why one that is indexed is behind."""
    if at is not None and at.number > head:
        return f"the chain is at block {head}: it went back, or is another one", _GONE
    if head < wanted:
        return f"the chain is at block {head}", "mine blocks"
    if status.head is not None and status.head.number < wanted:
        return f"graph-node knows the chain up to block {status.head.number}", _IDLE
    if at is not None and at.number + 1 == wanted:
        return None, _IDLE
    return None, _STUCK
