"""A chain over JSON-RPC: blocks, accounts, calls and transactions.

Source: Ethereum JSON-RPC specification. Accounts are the node's own or impersonated ones, so that
the node signs.
"""

from __future__ import annotations

import anyio

from graph_test_daemon.errors import Reverted, RpcFault
from graph_test_daemon.rpc import JsonRpc

from .blocks import Block, Receipt, number_of, quantity

__all__ = ["Chain"]

_LOOK_AGAIN_S = 0.02
_MINED_WITHIN_S = 30.0


class Chain:
    """One chain.

    Args:
        url: of its JSON-RPC.
        timeout_s: how long an answer may take.

    Attributes:
        rpc: for whatever is not a method here.
    """

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self.rpc = JsonRpc(url, timeout_s=timeout_s)

    async def aclose(self) -> None:
        """Close its connections; it may be used again."""
        await self.rpc.aclose()

    # ── blocks and accounts ──────────────────────────────────────────────────────────────────────

    async def chain_id(self) -> int:
        """Return the chain's number."""
        return number_of(await self.rpc.call("eth_chainId"))

    async def block_number(self) -> int:
        """Return the height of the newest block."""
        return number_of(await self.rpc.call("eth_blockNumber"))

    async def block(self, at: int | str = "latest") -> Block | None:
        """Return a block by its height, or by a name such as `latest`; None: there is none yet."""
        where = quantity(at) if isinstance(at, int) else at
        answer = await self.rpc.call("eth_getBlockByNumber", [where, False])
        return None if answer is None else Block.read(answer)

    async def accounts(self) -> list[str]:
        """Return the addresses that the node signs for, in its order."""
        return list(await self.rpc.call("eth_accounts"))

    async def code(self, address: str, *, block: int | str = "latest") -> bytes:
        """Return what is deployed at an address; empty where nothing is."""
        return _bytes(await self.rpc.call("eth_getCode", [address, _at(block)]))

    # ── calls and transactions ───────────────────────────────────────────────────────────────────

    async def call(
        self,
        to: str,
        data: bytes,
        *,
        sender: str | None = None,
        block: int | str = "latest",
    ) -> bytes:
        """Ask a contract, and change nothing; return what it returned.

        Raises:
            Reverted: it refused, with its reason as it is encoded.
        """
        message = {"to": to, "data": _hex(data)} | ({"from": sender} if sender else {})
        try:
            return _bytes(await self.rpc.call("eth_call", [message, _at(block)]))
        except RpcFault as fault:
            raise Reverted.of(fault) from fault

    async def send(
        self,
        *,
        sender: str,
        to: str | None = None,
        data: bytes = b"",
        value: int = 0,
        gas: int | None = None,
    ) -> Receipt:
        """Send a transaction and return its receipt when it is in a block.

        Args:
            sender: an account that the node signs for.
            to: the contract; None: the data deploy one.
            data: encoded call, or code with its arguments.
            value: wei.
            gas: limit; None: the node estimates it, so that a refusal costs no block.

        Raises:
            Reverted: it was refused, with its reason as it is encoded.
        """
        message = {"from": sender, "data": _hex(data), "value": quantity(value)}
        if to is not None:
            message["to"] = to
        if gas is not None:
            message["gas"] = quantity(gas)
        try:
            sent = await self.rpc.call("eth_sendTransaction", [message])
        except RpcFault as fault:
            raise Reverted.of(fault) from fault
        receipt = await self.mined(sent)
        if not receipt.succeeded:
            raise Reverted(reason=None, data=b"", transaction=receipt.transaction)
        return receipt

    async def receipt(self, transaction: str) -> Receipt | None:
        """Return the receipt of a transaction; None while it is in no block."""
        answer = await self.rpc.call("eth_getTransactionReceipt", [transaction])
        return None if answer is None else Receipt.read(answer)

    async def mined(self, transaction: str, *, timeout_s: float = _MINED_WITHIN_S) -> Receipt:
        """Return the receipt of a transaction when it is in a block.

        Raises:
            TimeoutError: it is in none yet.
        """
        with anyio.fail_after(timeout_s):
            while (receipt := await self.receipt(transaction)) is None:  # noqa: ASYNC110 - HTTP
                await anyio.sleep(_LOOK_AGAIN_S)
        return receipt


def _at(block: int | str) -> str:
    return quantity(block) if isinstance(block, int) else block


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
