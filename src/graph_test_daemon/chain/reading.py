"""What any chain can be asked: blocks, accounts, logs, and the results of calls.

Source: Ethereum JSON-RPC specification.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio

from graph_test_daemon.errors import Reverted, RpcFault

from .blocks import Block, LoggedEvent, Receipt, number_of, quantity
from .errors import ChainWaitTimeout
from .node import Node

__all__ = ["LOOK_AGAIN_S", "Reading", "block_name", "bytes_of", "hex_of"]

LOOK_AGAIN_S = 0.02
"""How often a node is asked again; plain HTTP has no events."""


class Reading(Node):
    """The part of a chain that changes nothing."""

    async def chain_id(self) -> int:
        """Return the chain's number."""
        return number_of(await self.rpc.call("eth_chainId"))

    async def block_number(self) -> int:
        """Return the height of the newest block."""
        return number_of(await self.rpc.call("eth_blockNumber"))

    async def block(self, at: int | str = "latest") -> Block | None:
        """Return a block by its height, its hash, or a name such as `latest`; None: there is none.

        A hash is with 0x, of 32 bytes.
        """
        where = block_name(at)
        by = "eth_getBlockByHash" if len(where) == _HASH_TEXT else "eth_getBlockByNumber"
        answer = await self.rpc.call(by, [where, False])
        return None if answer is None else Block.read(answer)

    async def has(self, number: int, hash_: str) -> bool:
        """Tell whether the block at a height is the one with a hash, with 0x."""
        found = await self.block(number)
        return found is not None and found.hash == hash_

    async def head(self) -> Block:
        """Return the newest block."""
        return Block.read(await self.rpc.call("eth_getBlockByNumber", ["latest", False]))

    async def blocks(self, first: int, last: int) -> list[Block]:
        """Return the blocks of these heights, the last one included, as far as they exist."""
        answers = await self.rpc.batch(
            [("eth_getBlockByNumber", [quantity(at), False]) for at in range(first, last + 1)]
        )
        return [Block.read(answer) for answer in answers if answer is not None]

    async def wait_for_block(self, number: int, *, timeout_s: float = 30.0) -> Block:
        """Return the block of a height as soon as the chain has it; nothing is mined.

        Raises:
            ChainWaitTimeout: it has none within that time.
        """
        with anyio.move_on_after(timeout_s):
            while (block := await self.block(number)) is None:  # noqa: ASYNC110 - HTTP
                await anyio.sleep(LOOK_AGAIN_S)
            return block
        raise ChainWaitTimeout(
            what=f"block {number}",
            limit=f"{timeout_s:g} s",
            height=await self.block_number(),
            hint="nothing is mined by waiting; mine, or turn on automine or interval mining",
        )

    async def accounts(self) -> list[str]:
        """Return the addresses that the node signs for, in its order."""
        return list(await self.rpc.call("eth_accounts"))

    async def code(self, address: str, *, block: int | str = "latest") -> bytes:
        """Return what is deployed at an address; empty where nothing is."""
        return bytes_of(await self.rpc.call("eth_getCode", [address, block_name(block)]))

    async def balance(self, address: str, *, block: int | str = "latest") -> int:
        """Return what an address has, in wei."""
        return number_of(await self.rpc.call("eth_getBalance", [address, block_name(block)]))

    async def nonce(self, address: str, *, block: int | str = "latest") -> int:
        """Return how many transactions an address has sent."""
        at = block_name(block)
        return number_of(await self.rpc.call("eth_getTransactionCount", [address, at]))

    async def storage(self, address: str, slot: int, *, block: int | str = "latest") -> bytes:
        """Return the 32 bytes of a storage slot."""
        at = [address, quantity(slot), block_name(block)]
        return bytes_of(await self.rpc.call("eth_getStorageAt", at))

    async def transaction(self, transaction: str) -> dict[str, Any] | None:
        """Return a transaction as the node has it; None where it has none of that hash."""
        answer = await self.rpc.call("eth_getTransactionByHash", [transaction])
        return None if answer is None else dict(answer)

    async def receipt(self, transaction: str) -> Receipt | None:
        """Return the receipt of a transaction; None while it is in no block."""
        answer = await self.rpc.call("eth_getTransactionReceipt", [transaction])
        return None if answer is None else Receipt.read(answer)

    async def logs(
        self,
        *,
        address: str | Sequence[str] | None = None,
        topics: Sequence[str | None] = (),
        first: int | str = 0,
        last: int | str = "latest",
    ) -> list[LoggedEvent]:
        """Return what contracts have logged, in order.

        Args:
            address: of one contract or of several; None: of any.
            topics: by position; None stands for any.
            first: block to begin with.
            last: block to end with.
        """
        wanted: dict[str, Any] = {"fromBlock": block_name(first), "toBlock": block_name(last)}
        if address is not None:
            wanted["address"] = address if isinstance(address, str) else list(address)
        if topics:
            wanted["topics"] = list(topics)
        return [LoggedEvent.read(log) for log in await self.rpc.call("eth_getLogs", [wanted])]

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
        message = {"to": to, "data": hex_of(data)} | ({"from": sender} if sender else {})
        try:
            return bytes_of(await self.rpc.call("eth_call", [message, block_name(block)]))
        except RpcFault as fault:
            raise Reverted.of(fault) from fault


_HASH_TEXT = 66


def block_name(block: int | str) -> str:
    """Return a block's height, hash or name as the wire has it."""
    return quantity(block) if isinstance(block, int) else block


def hex_of(data: bytes) -> str:
    """Return bytes as the wire has them."""
    return f"0x{data.hex()}"


def bytes_of(text: str) -> bytes:
    """Return the bytes that a text of the wire stands for."""
    return bytes.fromhex(text.removeprefix("0x"))
