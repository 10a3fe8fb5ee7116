"""Actions on calls, transactions, receipts and logs."""

from __future__ import annotations

from typing import Any

from graph_test_daemon.chain.blocks import LoggedEvent, Receipt
from graph_test_daemon.chain.reading import hex_of
from harness.actions import Call, action

from .connected import LATEST, Connected, block_at, bytes_in
from .events import TransactionMined

__all__ = ["TransactionActions"]


class TransactionActions(Connected):
    """Calls and transactions."""

    @action()
    async def call(self, *, to: str, data: str, at: int | str = LATEST) -> str:
        """Ask a contract, and change nothing; return its answer in hexadecimal.

        Args:
            to: address of the contract.
            data: the encoded call, in hexadecimal.
            at: height or name of a block.
        """
        async with self._chain() as chain:
            return hex_of(await chain.call(to, bytes_in(data), block=block_at(at)))

    @action(events=[TransactionMined])
    async def send(
        self,
        call: Call,
        *,
        sender: str,
        to: str | None = None,
        data: str = "0x",
        value: int = 0,
        gas: int | None = None,
    ) -> Receipt:
        """Send a transaction; return its receipt when it is in a block.

        Args:
            sender: an account that the node signs for, or an impersonated one.
            to: the receiver; without one, the data deploy a contract.
            data: encoded call, or code with its arguments, in hexadecimal.
            value: wei.
            gas: limit; half as much again as the estimate unless given. With one a refused
                transaction is in a block.
        """
        async with self._chain() as chain:
            receipt = await chain.send(
                sender=sender, to=to, data=bytes_in(data), value=value, gas=gas
            )
        await call.emit(
            TransactionMined(
                transaction=receipt.transaction,
                number=receipt.block_number,
                gas_used=receipt.gas_used,
            )
        )
        return receipt

    @action()
    async def transaction(self, *, hash: str) -> dict[str, Any] | None:  # noqa: A002 - its name
        """Return a transaction as the node has it; nothing where it has none.

        Args:
            hash: of the transaction.
        """
        async with self._chain() as chain:
            return await chain.transaction(hash)

    @action()
    async def receipt(self, *, transaction: str) -> Receipt | None:
        """Return a transaction's receipt; nothing while it is in no block.

        Args:
            transaction: its hash.
        """
        async with self._chain() as chain:
            return await chain.receipt(transaction)

    @action()
    async def logs(
        self,
        *,
        address: str | None = None,
        topics: list[str | None] = [],  # noqa: B006 - is never changed
        first: int = 0,
        last: int | str = LATEST,
    ) -> list[LoggedEvent]:
        """Return what contracts have logged.

        Args:
            address: of one contract; of any unless given.
            topics: by position; null stands for any.
            first: block to begin with.
            last: block to end with.
        """
        async with self._chain() as chain:
            return await chain.logs(
                address=address, topics=topics, first=first, last=block_at(last)
            )
