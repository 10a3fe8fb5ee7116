"""The connection that all of a chain's parts share, and what only test nodes can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graph_test_daemon.errors import RpcFault
from graph_test_daemon.rpc import JsonRpc, Params

from .errors import NotSupportedByChain

__all__ = ["Node"]

_METHOD_NOT_FOUND = -32601
_UNKNOWN = ("method not found", "does not exist", "not available", "not supported")


class Node:
    """A chain's JSON-RPC.

    Args:
        url: of it.
        timeout_s: how long an answer may take.

    Attributes:
        rpc: for whatever is not a method here.
    """

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self.rpc = JsonRpc(url, timeout_s=timeout_s)

    async def aclose(self) -> None:
        """Close its connections; it may be used again."""
        await self.rpc.aclose()

    async def _test_call(
        self, method: str, params: Params = (), *, timeout_s: float | None = None
    ) -> Any:
        """Call what only a test node has.

        Raises:
            NotSupportedByChain: this one is none.
        """
        try:
            return await self.rpc.call(method, params, timeout_s=timeout_s)
        except RpcFault as fault:
            raise self._named(fault) from fault

    async def _test_batch(
        self, calls: Sequence[tuple[str, Params]], *, timeout_s: float | None = None
    ) -> list[Any]:
        """Call several such, none of which may need another one: anvil runs them all at once."""
        try:
            return await self.rpc.batch(calls, timeout_s=timeout_s)
        except RpcFault as fault:
            raise self._named(fault) from fault

    def _named(self, fault: RpcFault) -> RpcFault | NotSupportedByChain:
        text = fault.message.lower()
        if fault.code != _METHOD_NOT_FOUND and not any(
            word in text and "method" in text for word in _UNKNOWN
        ):
            return fault
        return NotSupportedByChain(method=fault.method, url=self.rpc.url)
