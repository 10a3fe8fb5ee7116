"""Why a deployment has failed, with everything that one wants to know of it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio

from graph_test_daemon.chain import Chain

from .errors import NotFailed
from .node import GraphNode
from .status import BlockPointer, DeploymentStatus

__all__ = ["FailureReport", "failure_report"]

_LOOK_AGAIN_S = 0.05
_LOG_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureReport:
    """Why a deployment has failed.

    Attributes:
        message: what went wrong, in graph-node's words.
        handler: of the mapping, where it is known.
        block: that it failed at, where it is known.
        transaction: that was handled, where it is known.
        backtrace: functions of the mapping that ran, innermost first.
        deterministic: every indexer runs into it; another error is tried again.
        deployment: its id.
        health: `failed`, in graph-node's words.
        indexed: the newest block that it has indexed; None: none.
        head: height of the chain.
        log: the last lines of graph-node's output that are about it; of all, where none is.
    """

    message: str
    handler: str | None
    block: BlockPointer | None
    transaction: str | None
    backtrace: tuple[str, ...]
    deterministic: bool
    deployment: str
    health: str
    indexed: BlockPointer | None
    head: int
    log: tuple[str, ...]


async def failure_report(
    node: GraphNode,
    chain: Chain,
    subgraph: str,
    *,
    timeout_s: float = 0.0,
    log: Callable[[], Sequence[str]] = tuple,
) -> FailureReport:
    """Return why a subgraph has failed.

    Args:
        node: that indexes it.
        chain: that it is about.
        subgraph: its name, or the id of a deployment.
        timeout_s: so long it is waited for to fail; 0: it has to have failed already.
        log: gives the node's last lines of output.

    Raises:
        DeploymentNotFound: there is none.
        NotFailed: it has not failed.
    """
    status = await node.find(subgraph)
    with anyio.move_on_after(timeout_s):
        while not _has_failed(status):
            await anyio.sleep(_LOOK_AGAIN_S)  # graph-node tells nobody
            status = await node.find(status.deployment)
    error = status.fatal_error
    head = await chain.block_number()
    if error is None or not _has_failed(status):
        raise NotFailed(
            deployment=status.deployment,
            at=None if status.latest is None else status.latest.number,
            head=head,
            health=status.health,
            within_s=timeout_s,
        )
    lines = log()
    about = [line for line in lines if status.deployment in line]
    return FailureReport(
        message=error.message,
        handler=error.handler,
        block=error.block,
        transaction=error.transaction,
        backtrace=error.backtrace,
        deterministic=error.deterministic,
        deployment=status.deployment,
        health=status.health,
        indexed=status.latest,
        head=head,
        log=tuple((about or lines)[-_LOG_LINES:]),
    )


def _has_failed(status: DeploymentStatus) -> bool:
    return status.health == "failed" and status.fatal_error is not None
