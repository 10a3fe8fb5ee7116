"""Transactions: sent by accounts that the node signs for, and waited for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio

from graph_test_daemon.errors import Reverted, RpcFault

from .blocks import Receipt, number_of, quantity
from .reading import LOOK_AGAIN_S, Reading, hex_of

__all__ = ["Sending"]

_MINED_WITHIN_S = 30.0
_MOST_GAS = 1 << 24
"""Of a transaction. Source: EIP-7825."""


class Sending(Reading):
    """The part of a chain that takes transactions."""

    async def submit(
        self,
        *,
        sender: str,
        to: str | None = None,
        data: bytes = b"",
        value: int = 0,
        gas: int | None = None,
    ) -> str:
        """Hand a transaction to the node; return its hash. It may be in no block yet.

        Args:
            sender: an account that the node signs for.
            to: the contract; None: the data deploy one.
            data: encoded call, or code with its arguments.
            value: wei.
            gas: limit; None: half as much again as the node's estimate. A refusal costs no block
                then; with a limit it is in one.

        Raises:
            Reverted: it was refused, with its reason as it is encoded.
        """
        message = {"from": sender, "data": hex_of(data), "value": quantity(value)}
        if to is not None:
            message["to"] = to
        message["gas"] = quantity(await self.gas_limit(message) if gas is None else gas)
        try:
            return str(await self.rpc.call("eth_sendTransaction", [message]))
        except RpcFault as fault:
            raise Reverted.of(fault) from fault

    async def gas_limit(self, message: Mapping[str, Any]) -> int:
        """Return a limit of gas for a transaction: half as much again as the node's estimate.

        The next block has another time than the one that the estimate is made with, and what is
        stored may cost more: setting a time to what it is already is cheap.

        Args:
            message: the transaction, as `eth_sendTransaction` takes it.

        Raises:
            Reverted: it would be refused.
        """
        try:
            estimate = number_of(await self.rpc.call("eth_estimateGas", [message]))
        except RpcFault as fault:
            raise Reverted.of(fault) from fault
        return max(estimate, min(estimate * 3 // 2, _MOST_GAS))

    async def submit_raw(self, transaction: str) -> str:
        """Hand a signed transaction to the node, in hexadecimal; return its hash."""
        try:
            return str(await self.rpc.call("eth_sendRawTransaction", [transaction]))
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
        """Send a transaction as `submit` does; return its receipt when it is in a block.

        Raises:
            Reverted: it was refused, with its reason as it is encoded.
        """
        sent = await self.submit(sender=sender, to=to, data=data, value=value, gas=gas)
        receipt = await self.mined(sent)
        if not receipt.succeeded:
            raise await self._why(receipt, sender=sender, to=to, data=data, value=value)
        return receipt

    async def mined(self, transaction: str, *, timeout_s: float = _MINED_WITHIN_S) -> Receipt:
        """Return the receipt of a transaction when it is in a block.

        Raises:
            TimeoutError: it is in none yet.
        """
        with anyio.fail_after(timeout_s):
            while (receipt := await self.receipt(transaction)) is None:  # noqa: ASYNC110 - HTTP
                await anyio.sleep(LOOK_AGAIN_S)
        return receipt

    async def _why(
        self, receipt: Receipt, *, sender: str, to: str | None, data: bytes, value: int
    ) -> Reverted:
        """Ask for the reason: the same call on the state before its block."""
        message = {"from": sender, "data": hex_of(data), "value": quantity(value)}
        if to is not None:
            message["to"] = to
        reason, raw = None, b""
        try:
            await self.rpc.call("eth_call", [message, quantity(receipt.block_number - 1)])
        except RpcFault as fault:
            found = Reverted.of(fault)
            if isinstance(found, Reverted):
                reason, raw = found.reason, found.data
        return Reverted(reason=reason, data=raw, transaction=receipt.transaction)
