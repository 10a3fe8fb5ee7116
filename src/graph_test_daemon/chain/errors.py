"""What a chain cannot do.

GraphError
└─ ChainError
├─ NotSupportedByChain (method)
├─ SnapshotGone (snapshot)
├─ ChainRefused
├─ ReorgRefused (depth, height)
└─ ChainWaitTimeout (height)
"""

from __future__ import annotations

from graph_test_daemon.errors import GraphError

__all__ = [
    "ChainError",
    "ChainRefused",
    "ChainWaitTimeout",
    "NotSupportedByChain",
    "ReorgRefused",
    "SnapshotGone",
]


class ChainError(GraphError):
    """Root of what a chain cannot do, besides refusing a transaction."""

    kind = "chain-error"


class NotSupportedByChain(ChainError):
    """The chain's node does not have a method that only test nodes have.

    Attributes:
        method: that it lacks.
    """

    kind = "not-supported-by-chain"
    facts = ("method",)

    def __init__(self, *, method: str, url: str) -> None:
        self.method = method
        super().__init__(
            f"cannot call {method}: the chain at {url} has no such method",
            hint="mining, time and state are changed on anvil only; run the chain as anvil",
            details={"method": method},
        )


class SnapshotGone(ChainError):
    """There is no such snapshot, or not any more.

    Attributes:
        snapshot: its id.
    """

    kind = "snapshot-gone"
    facts = ("snapshot",)

    def __init__(self, *, snapshot: str) -> None:
        self.snapshot = snapshot
        super().__init__(
            f"cannot revert to snapshot {snapshot}: the chain has none of that id",
            hint="a revert uses up its snapshot and all later ones: take a new one after it",
            details={"snapshot": snapshot},
        )


class ChainRefused(ChainError):
    """What is asked for would leave the chain in a state that no chain is in."""

    kind = "chain-refused"


class ReorgRefused(ChainError):
    """A reorganisation that cannot be; nothing was changed.

    Attributes:
        depth: so many blocks were to be replaced.
        height: of the chain.
    """

    kind = "reorg-refused"
    facts = ("depth", "height")

    def __init__(self, *, depth: int, height: int, cause: str, hint: str | None = None) -> None:
        self.depth = depth
        self.height = height
        super().__init__(
            f"cannot replace the last {depth} blocks of {height}: {cause}",
            hint=hint,
            details={"depth": depth, "height": height},
        )


class ChainWaitTimeout(ChainError):
    """What was waited for has not come to pass on the chain.

    Attributes:
        height: of the chain when the time was over.
    """

    kind = "chain-wait-timeout"
    facts = ("height",)

    def __init__(self, *, what: str, limit: str, height: int, hint: str | None = None) -> None:
        self.height = height
        super().__init__(
            f"cannot wait for {what} any longer: not within {limit}; the chain is at {height}",
            hint=hint,
            details={"height": height},
        )
