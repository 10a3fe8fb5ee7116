"""What goes wrong in the Graph's stack, one class for each thing a caller would do differently.

    ActionError (of the harness)
    └─ GraphError
       ├─ ToolsNotInstalled
       ├─ PeerUnclear
       ├─ Unreachable (url)
       ├─ RpcFault (method, code)
       ├─ QueryFailed (messages)
       ├─ QueryInvalid
       └─ Reverted (reason)
       ├─ Reverted (reason)
       ├─ ChainError
       │  ├─ NotSupportedByChain (method)
       │  ├─ SnapshotGone (snapshot)
       │  ├─ ChainRefused
       │  ├─ ReorgRefused (depth, height)
       │  └─ ChainWaitTimeout (height)
       └─ QueryFailed (errors)

These are the ones that more than one part raises; each folder has its own in its `errors`. They
cross the wire by their `kind`, like every error of the harness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from harness.errors import ActionError

__all__ = [
    "GraphError",
    "PeerUnclear",
    "QueryFailed",
    "QueryInvalid",
    "Reverted",
    "RpcFault",
    "ChainError",
    "ChainRefused",
    "ChainWaitTimeout",
    "GraphError",
    "NotSupportedByChain",
    "QueryFailed",
    "ReorgRefused",
    "Reverted",
    "RpcFault",
    "SnapshotGone",
    "ToolsNotInstalled",
    "Unreachable",
]


class GraphError(ActionError):
    """Root of what goes wrong here."""

    kind = "graph-error"


class ToolsNotInstalled(GraphError):
    """A program of the stack could not be installed."""

    kind = "tools-not-installed"


class PeerUnclear(GraphError):
    """A service needs another one, and it is not clear which."""

    kind = "peer-unclear"


class Unreachable(GraphError):
    """A service did not answer, or with something else than its protocol has."""

    kind = "unreachable"
    facts = ("url",)

    def __init__(self, *, url: str, cause: str) -> None:
        self.url = url
        super().__init__(f"cannot reach {url}: {cause}", details={"url": url})


class RpcFault(GraphError):
    """A JSON-RPC server refused a call.

    Attributes:
        method: that was called.
        code: as the server sent it.
        message: as the server sent it.
        data: what the server sent besides, or None.
    """

    kind = "rpc-fault"
    facts = ("method", "message")

    def __init__(self, *, method: str, code: int, message: str, data: Any = None) -> None:
        self.method = method
        self.code = code
        self.message = message
        self.data = data
        super().__init__(
            f"cannot call {method}: {message} (code {code})",
            details={"method": method, "code": code, "message": message},
        )


class QueryFailed(GraphError):
    """A GraphQL server answered with errors.

    Attributes:
        messages: of the errors, in the server's order.
        data: what it answered besides, or None.
    """

    kind = "query-failed"
    facts = ("messages",)

    def __init__(self, *, messages: Sequence[str], data: Mapping[str, Any] | None = None) -> None:
        self.messages = tuple(messages)
        self.data = data
        super().__init__(
            f"cannot answer the query: {'; '.join(self.messages)}",
            details={"messages": list(self.messages)},
        )


class QueryInvalid(GraphError):
    """A query is no GraphQL."""

    kind = "query-invalid"


class Reverted(GraphError):
    """A contract refused a call or a transaction.

    Attributes:
        reason: in the contract's words, or None where it gave none that could be read.
        data: as it is encoded; who knows the contract's ABI can read more.
        transaction: its hash, where it is in a block.
    """

    kind = "reverted"
    facts = ("reason", "transaction")

    def __init__(
        self,
        *,
        reason: str | None,
        data: bytes = b"",
        transaction: str | None = None,
        what: str | None = None,
    ) -> None:
        self.reason = reason
        self.data = data
        self.transaction = transaction
        super().__init__(
            f"cannot {what or 'do that on the chain'}: reverted: {reason or 'no reason given'}",
            details={"reason": reason, "data": f"0x{data.hex()}", "transaction": transaction},
        )

    @classmethod
    def of(cls, fault: RpcFault) -> Self | RpcFault:
        """Return the refusal that a node tells of; the fault itself when it is another one."""
        if "revert" not in fault.message.lower():
            return fault
        raw = fault.data if isinstance(fault.data, str) else "0x"
        _, _, reason = fault.message.partition("reverted: ")
        return cls(
            reason=reason.removeprefix("revert: ") or None,
            data=bytes.fromhex(raw.removeprefix("0x")),
        )


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
