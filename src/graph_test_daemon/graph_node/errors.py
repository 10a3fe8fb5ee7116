"""What goes wrong with a graph-node and with what it indexes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from graph_test_daemon.errors import GraphError

__all__ = [
    "AnotherChain",
    "DeployRefused",
    "DeploymentNotFound",
    "GraphNodeError",
    "IndexingFailed",
    "InvalidSubgraphName",
    "NotFailed",
    "NotFollowed",
    "NotSynced",
    "ReorgNotFollowed",
    "ReorgTooDeep",
    "SubgraphNotFound",
]


_TRIED_AGAIN = (
    "graph-node takes it for an error that passes, and tries again after minutes or a restart"
)


class GraphNodeError(GraphError):
    """A graph-node refused to do something.

    Attributes:
        cause: in its words.
    """

    kind = "graph-node-error"
    facts = ("cause",)
    advice: ClassVar[str | None] = None

    def __init__(self, *, what: str, cause: str, hint: str | None = None) -> None:
        self.cause = cause
        super().__init__(
            f"cannot {what}: {cause}", hint=hint or self.advice, details={"cause": cause}
        )


class SubgraphNotFound(GraphNodeError):
    """There is no subgraph of that name."""

    kind = "subgraph-not-found"
    advice = "create the name first"


class DeploymentNotFound(GraphNodeError):
    """There is no deployment of that id, or nobody indexes it."""

    kind = "deployment-not-found"


class InvalidSubgraphName(GraphNodeError):
    """graph-node takes no such names."""

    kind = "invalid-subgraph-name"
    advice = (
        "parts between slashes begin and end with a letter or digit, have at least one letter, "
        "and besides only - and _; none is graphql"
    )

    def __init__(self, name: str) -> None:
        super().__init__(what=f'use "{name}" as a name', cause="it is no name of a subgraph")


class DeployRefused(GraphNodeError):
    """A subgraph cannot be deployed as it is."""

    kind = "deploy-refused"
    advice = "graph-node's log has the details; are all of its files in IPFS?"


class IndexingFailed(GraphError):
    """A deployment has stopped at an error.

    Attributes:
        deployment: its id.
        message: what went wrong, in graph-node's words.
        handler: of the mapping, where it is known.
        block: number of the block, where it is known.
        backtrace: functions of the mapping that ran, innermost first.
    """

    kind = "indexing-failed"
    facts = ("deployment", "message", "handler")

    def __init__(
        self,
        *,
        deployment: str,
        message: str,
        handler: str | None,
        block: int | None,
        head: int,
        transaction: str | None = None,
        backtrace: Sequence[str] = (),
        deterministic: bool = True,
        log: Sequence[str] = (),
    ) -> None:
        self.deployment = deployment
        self.message = message
        self.handler = handler
        self.block = block
        self.backtrace = tuple(backtrace)
        whose = "" if handler is None else f"handler {handler}"
        where = "" if block is None else f"block {block}"
        places = ", ".join(filter(None, (whose, where)))
        super().__init__(
            f"cannot index {deployment}: {message}" + (f" ({places})" if places else ""),
            hint=None if deterministic else _TRIED_AGAIN,
            details={
                "deployment": deployment,
                "message": message,
                "handler": handler,
                "block": block,
                "transaction": transaction,
                "backtrace": list(backtrace),
                "deterministic": deterministic,
                "head": head,
                "log": list(log),
            },
        )


class NotFailed(GraphError):
    """A deployment that was to fail has not.

    Attributes:
        deployment: its id.
        at: the block that it is at; None: none yet.
    """

    kind = "not-failed"
    facts = ("deployment",)

    def __init__(
        self, *, deployment: str, at: int | None, head: int, health: str, within_s: float
    ) -> None:
        self.deployment = deployment
        self.at = at
        where = "before its first block" if at is None else f"at block {at}"
        when = f" within {within_s:g} s" if within_s else ""
        super().__init__(
            f"cannot report a failure of {deployment}: it has not failed{when}: it is {health}, "
            f"{where}, and the chain is at block {head}",
            hint="it fails when it indexes what it cannot handle; is that in the chain?",
            details={"deployment": deployment, "at": at, "head": head, "health": health},
        )


class NotSynced(GraphError):
    """A deployment is not where it was waited for to be.

    Attributes:
        deployment: its id, or the subgraph's name.
        at: the block that it is at; None: none yet.
        wanted: the block that it was waited for to reach.
    """

    kind = "not-synced"
    facts = ("deployment", "cause")

    def __init__(
        self,
        *,
        deployment: str,
        at: int | None,
        wanted: int,
        cause: str,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self.deployment = deployment
        self.at = at
        self.wanted = wanted
        self.cause = cause
        where = "before its first block" if at is None else f"at block {at}"
        super().__init__(
            f"cannot wait for {deployment} any longer: it is {where}, wanted is block {wanted}: "
            f"{cause}",
            hint=hint,
            details={"deployment": deployment, "at": at, "wanted": wanted, **(details or {})},
        )


class AnotherChain(GraphError):
    """What was indexed is of a chain that is not there any more, or of blocks that it has lost.

    Attributes:
        what: a deployment, or the node itself, that is at such a block.
        at: the block's number.
    """

    kind = "another-chain"
    facts = ("what",)

    def __init__(self, *, what: str, at: int, block_hash: str, head: int, cause: str) -> None:
        self.what = what
        self.at = at
        super().__init__(
            f"cannot go on with what is in the database: {what} is at block {at} "
            f"({block_hash[:10]}…), the chain at block {head}: {cause}",
            hint="`down --volumes` forgets what was indexed, and the chain",
            details={"what": what, "at": at, "hash": block_hash, "head": head},
        )


class ReorgTooDeep(GraphError):
    """A reorganisation would be deeper than graph-node can follow; nothing was done.

    Attributes:
        depth: that was asked for.
        deployments: that could not follow.
    """

    kind = "reorg-too-deep"
    facts = ("deployments",)

    def __init__(
        self, *, depth: int, common: int, threshold: int, starts: Sequence[tuple[str, int]]
    ) -> None:
        self.depth = depth
        self.deployments = tuple(deployment for deployment, _ in starts)
        told = "; ".join(f"{deployment} has blocks from {first} on" for deployment, first in starts)
        least = max(first for _, first in starts) + threshold
        super().__init__(
            f"cannot replace {depth} blocks: graph-node undoes blocks down to {threshold} above a "
            f"subgraph's first one, the chain would go back to block {common}, and {told}",
            hint=f"go back to block {least} at most, or have the data sources begin at block 0",
            details={"depth": depth, "common": common, "deployments": list(self.deployments)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFollowed:
    """A deployment that did not follow a reorganisation, and why."""

    deployment: str
    cause: str


class ReorgNotFollowed(GraphError):
    """The chain's last blocks were replaced, and not every deployment knows the new ones.

    Attributes:
        deployments: that do not.
    """

    kind = "reorg-not-followed"
    facts = ("deployments",)

    def __init__(self, *, depth: int, problems: Sequence[NotFollowed]) -> None:
        self.deployments = tuple(problem.deployment for problem in problems)
        told = "; ".join(f"{problem.deployment}: {problem.cause}" for problem in problems)
        super().__init__(
            f"cannot see the reorganisation of {depth} blocks followed: {told}",
            details={"depth": depth, "deployments": list(self.deployments)},
        )
