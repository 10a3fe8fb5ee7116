"""Actions on contracts by their ABI: deployed, asked, and sent many transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from graph_test_daemon.chain.blocks import Receipt
from graph_test_daemon.chain.errors import ChainRefused
from harness.actions import Call, action

from .connected import LATEST, Connected, block_at
from .events import TransactionMined

if TYPE_CHECKING:
    from graph_test_daemon.contracts import Artifact, Contract

__all__ = ["ContractActions", "DeployedContract", "TransactionsSent"]

_TOLD_EVERY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedContract:
    """A contract that is on the chain.

    Attributes:
        name: as the compiler has it.
        address: of it.
        block: height of the block that it is in since.
        transaction: that has put it there.
    """

    name: str
    address: str
    block: int
    transaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionsSent:
    """Transactions that are in blocks.

    Attributes:
        count: how many.
        first_block: height of the block that has the first one.
        last_block: likewise, the last one.
        gas_used: by all of them.
        transactions: their hashes, in order.
    """

    count: int
    first_block: int
    last_block: int
    gas_used: int
    transactions: tuple[str, ...]


class ContractActions(Connected):
    """Contracts whose artifact or ABI is in a file."""

    @action(events=[TransactionMined])
    async def deploy_contract(
        self,
        call: Call,
        *,
        artifact: Path,
        arguments: list[Any] = [],  # noqa: B006 - is never changed
        sender: str | None = None,
        value: int = 0,
    ) -> DeployedContract:
        """Deploy a compiled contract; return where it is.

        Args:
            artifact: file of Hardhat or Foundry, with ABI and code; from elsewhere than a command,
                from the stack file on.
            arguments: of the constructor, in order.
            sender: an account that the node signs for; the first one unless given.
            value: wei for the contract.
        """
        found = await self._artifact(artifact)
        encoded = await anyio.to_thread.run_sync(found.abi.constructor.encoded, tuple(arguments))
        code = found.creation_code() + encoded
        async with self._chain() as chain:
            by = sender or (await chain.accounts())[0]
            receipt = await chain.send(sender=by, data=code, value=value)
        await call.emit(_mined(receipt))
        return DeployedContract(
            name=found.name,
            address=str(receipt.contract),
            block=receipt.block_number,
            transaction=receipt.transaction,
        )

    @action()
    async def call_contract(
        self,
        *,
        to: str,
        abi: Path,
        function: str,
        arguments: list[Any] = [],  # noqa: B006 - is never changed
        sender: str | None = None,
        at: int | str = LATEST,
    ) -> Any:
        """Ask a contract by the name of a function, and change nothing; return its answer.

        Args:
            to: address of the contract.
            abi: file of its ABI, or of a compiler; from elsewhere than a command, from the stack
                file on.
            function: its name, or its signature where several have the name.
            arguments: in order; addresses and bytes in hexadecimal, structs as maps or lists.
            sender: who asks.
            at: height or name of a block.
        """
        async with self._contract(to, abi) as contract:
            return await contract.call(function, *arguments, sender=sender, block=block_at(at))

    @action(events=[TransactionMined])
    async def send_calls(
        self,
        call: Call,
        *,
        to: str,
        abi: Path,
        function: str,
        arguments: list[list[Any]],
        times: int = 1,
        sender: str | None = None,
        value: int = 0,
    ) -> TransactionsSent:
        """Send a contract transactions, one after the other: data for subgraphs.

        Args:
            to: address of the contract.
            abi: file of its ABI, or of a compiler; from elsewhere than a command, from the stack
                file on.
            function: its name, or its signature where several have the name.
            arguments: a list for each transaction, such as `[[1, "one"], [2, "two"]]`.
            times: so often the whole list is sent.
            sender: an account that the node signs for; the first one unless given.
            value: wei with each.
        """
        each = [item for _ in range(times) for item in arguments]
        if not each:
            raise _nothing(function)
        async with self._contract(to, abi) as contract:
            by = sender or (await contract.chain.accounts())[0]
            sent = _Sent(call, total=len(each))
            for values in each:
                done = await contract.send(function, *values, sender=by, value=value)
                await sent.add(done.receipt)
        return sent.result()

    @action(events=[TransactionMined])
    async def transfer(
        self,
        call: Call,
        *,
        to: str,
        wei: int,
        times: int = 1,
        sender: str | None = None,
    ) -> TransactionsSent:
        """Send an address wei, once or in several transactions.

        Args:
            to: the receiver.
            wei: with each.
            times: how many transactions.
            sender: an account that the node signs for; the first one unless given.
        """
        if times < 1:
            raise _nothing("a transfer")
        async with self._chain() as chain:
            by = sender or (await chain.accounts())[0]
            sent = _Sent(call, total=times)
            for _ in range(times):
                await sent.add(await chain.send(sender=by, to=to, value=wei))
        return sent.result()

    # ── parts ────────────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def _contract(self, address: str, abi: Path) -> AsyncIterator[Contract]:
        from graph_test_daemon.contracts import Contract

        found = await self._artifact(abi)
        async with self._chain() as chain:
            yield Contract(chain, address, found.abi, name=found.name)

    async def _artifact(self, path: Path) -> Artifact:
        from graph_test_daemon.contracts import read_artifact

        return await anyio.to_thread.run_sync(read_artifact, self.service.directory / path)


class _Sent:
    """Tells of transactions as they are mined, and adds them up."""

    def __init__(self, call: Call, *, total: int) -> None:
        self._call = call
        self._total = total
        self._receipts: list[Receipt] = []

    async def add(self, receipt: Receipt) -> None:
        self._receipts.append(receipt)
        await self._call.emit(_mined(receipt))
        done = len(self._receipts)
        if self._total > _TOLD_EVERY and (done % _TOLD_EVERY == 0 or done == self._total):
            await self._call.progress(
                f"at block {receipt.block_number}", done=done, total=self._total
            )

    def result(self) -> TransactionsSent:
        return TransactionsSent(
            count=len(self._receipts),
            first_block=self._receipts[0].block_number,
            last_block=self._receipts[-1].block_number,
            gas_used=sum(receipt.gas_used for receipt in self._receipts),
            transactions=tuple(receipt.transaction for receipt in self._receipts),
        )


def _mined(receipt: Receipt) -> TransactionMined:
    return TransactionMined(
        transaction=receipt.transaction, number=receipt.block_number, gas_used=receipt.gas_used
    )


def _nothing(what: str) -> ChainRefused:
    return ChainRefused(
        f"cannot send {what}: that would be no transaction",
        hint="`times` is at least 1, and `arguments` has a list for each transaction",
    )
