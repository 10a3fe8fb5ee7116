"""Blocks, receipts and logs, read from what a chain answers.

Source: Ethereum JSON-RPC specification; quantities are hexadecimal texts without leading zeros.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["Block", "Log", "LoggedEvent", "Receipt", "number_of", "quantity"]


def quantity(value: int) -> str:
    """Return a number as the wire has it."""
    return hex(value)


def number_of(text: str) -> int:
    """Return the number that a text of the wire stands for."""
    return int(text, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block.

    Attributes:
        number: its height.
        hash: with 0x, lower case; likewise the parent's.
        parent_hash: of the block before it.
        timestamp: seconds since the epoch.
        transactions: their hashes, in order.
    """

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    transactions: tuple[str, ...] = ()

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read a block without its transactions' bodies."""
        return cls(
            number=number_of(answer["number"]),
            hash=answer["hash"],
            parent_hash=answer["parentHash"],
            timestamp=number_of(answer["timestamp"]),
            transactions=tuple(answer["transactions"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What a contract has logged; topics and data are hexadecimal texts with 0x."""

    address: str
    topics: tuple[str, ...]
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """A log with its place on the chain.

    Attributes:
        address: of the contract.
        topics: with 0x, like the data.
        data: what is not indexed.
        block_number: of the block that it is in.
        block_hash: likewise.
        transaction: hash of the one that made it.
        index: its position in the block.
    """

    address: str
    topics: tuple[str, ...]
    data: str
    block_number: int
    block_hash: str
    transaction: str
    index: int

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read one of eth_getLogs."""
        return cls(
            address=answer["address"],
            topics=tuple(answer["topics"]),
            data=answer["data"],
            block_number=number_of(answer["blockNumber"]),
            block_hash=answer["blockHash"],
            transaction=answer["transactionHash"],
            index=number_of(answer["logIndex"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How a transaction went.

    Attributes:
        transaction: its hash.
        block_number: of the block that it is in.
        block_hash: likewise.
        succeeded: it was not reverted.
        gas_used: by it.
        contract: the address of what it deployed, or None.
        logs: in order.
    """

    transaction: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    contract: str | None
    logs: tuple[Log, ...]

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        """Read a receipt."""
        return cls(
            transaction=answer["transactionHash"],
            block_number=number_of(answer["blockNumber"]),
            block_hash=answer["blockHash"],
            succeeded=number_of(answer["status"]) == 1,
            gas_used=number_of(answer["gasUsed"]),
            contract=answer.get("contractAddress"),
            logs=tuple(
                Log(address=log["address"], topics=tuple(log["topics"]), data=log["data"])
                for log in answer["logs"]
            ),
        )
