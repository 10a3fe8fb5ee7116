"""What goes wrong in the Graph's stack, one class for each thing a caller would do differently.

    ActionError (of the harness)
    └─ GraphError
       ├─ ToolsMissing (names)
       ├─ ToolsNotInstalled
       ├─ PeerUnclear
       ├─ Unreachable (url)
       ├─ RpcFault (method, code)
       ├─ Reverted (reason)
       ├─ QueryFailed (messages)
       └─ QueryInvalid

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
    "ToolsMissing",
    "ToolsNotInstalled",
    "Unreachable",
]


class GraphError(ActionError):
    """Root of what goes wrong here."""

    kind = "graph-error"


class ToolsMissing(GraphError):
    """Programs of the stack are not there.

    Attributes:
        names: of these programs.
    """

    kind = "tools-missing"
    facts = ("names",)

    def __init__(self, *, names: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"cannot find {', '.join(names)}: neither installed nor on PATH",
            hint="run `graph-test-daemon tools install`",
            details={"names": list(names)},
        )


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
