"""Reorganisations: the last blocks are replaced by others, with or without their transactions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio

from graph_test_daemon.errors import RpcFault

from .blocks import Block, number_of, quantity
from .errors import ReorgRefused
from .reading import Reading

__all__ = ["RawTransaction", "Reorg", "Reorgs", "Replaced"]

_NO_STATE = "Required data unavailable"
_NO_SIGNER = "No Signer available"
_COPIED = (
    "from",
    "to",
    "value",
    "gas",
    "input",
    "nonce",
    "maxFeePerGas",
    "maxPriorityFeePerGas",
    "accessList",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTransaction:
    """A signed transaction for one of the new blocks.

    Attributes:
        data: in hexadecimal, with 0x.
        offset: 0 is the first of the new blocks.
    """

    data: str
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A block that was replaced.

    Attributes:
        number: of both.
        old: hash of the old one.
        new: hash of the new one.
    """

    number: int
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorg:
    """What a reorganisation did; lists go from the oldest block on.

    Attributes:
        depth: so many blocks were replaced.
        common: the newest block that both chains have, its height.
        blocks: that were replaced.
        dropped: hashes of the transactions that are in no block any more.
        included: hashes of those in the new blocks.
    """

    depth: int
    common: int
    blocks: tuple[Replaced, ...]
    dropped: tuple[str, ...]
    included: tuple[str, ...]


class Reorgs(Reading):
    """The part of a chain that is not final; of test nodes only."""

    async def reorg(
        self,
        depth: int,
        *,
        include: Sequence[str] = (),
        raw: Sequence[RawTransaction] = (),
    ) -> Reorg:
        """Replace the last blocks by as many new ones.

        A node that follows the chain notices when the next block is mined: the height is the same.

        Args:
            depth: so many blocks.
            include: hashes of transactions in the old blocks; each is in the new block of its old
                one's height, in its old order. One whose sender the node only impersonates gets
                another hash.
            raw: further transactions, after those.

        Raises:
            ReorgRefused: it cannot be; nothing was changed, unless the message says so.
        """
        old = await self._last_blocks(depth)
        chosen = await self._chosen(depth, old, include)
        pairs: list[list[Any]] = [*chosen, *([t.data, t.offset] for t in raw)]
        try:
            async with self._another_miner(old[-1]):
                await self._replace(depth, pairs, old)
        except RpcFault as fault:
            raise _refusal(fault, depth=depth, height=old[-1].number) from fault
        new = await self.blocks(old[0].number, old[-1].number)
        done = _compared(old, new)
        if len(done.included) < len(pairs):
            raise ReorgRefused(
                depth=depth,
                height=old[-1].number,
                cause="the blocks were replaced, but of"
                f" {len(pairs)} transactions only these are in the new ones:"
                f" {', '.join(done.included) or 'none'}",
                hint="each must be the next one of its sender, and be paid for",
            )
        return done

    async def rollback(self, depth: int) -> Block:
        """Remove the last blocks; return the newest one that is left.

        A node that follows the chain notices once it is longer than it was.

        Raises:
            ReorgRefused: the chain has not so many, or no state before; nothing was changed.
        """
        old = await self._last_blocks(depth)
        try:
            await self._test_call("anvil_rollback", [depth])
        except RpcFault as fault:
            raise _refusal(fault, depth=depth, height=old[-1].number) from fault
        return await self.head()

    @asynccontextmanager
    async def _another_miner(self, head: Block) -> AsyncIterator[None]:
        """Have blocks mined for another address, and so with other hashes.

        An empty block that is mined again is the very same otherwise, and nothing was replaced.
        """
        before = await self.rpc.call("eth_coinbase")
        await self._test_call("anvil_setCoinbase", [f"0x{head.hash[-40:]}"])
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self._test_call("anvil_setCoinbase", [before])

    async def _last_blocks(self, depth: int) -> list[Block]:
        height = await self.block_number()
        if depth < 1:
            cause = "at least one block is needed"
            raise ReorgRefused(depth=depth, height=height, cause=cause)
        if depth > height:
            cause = f"there are {height}, besides the first one, which stays"
            raise ReorgRefused(
                depth=depth, height=height, cause=cause, hint=f"at most {height}; or mine more"
            )
        return await self.blocks(height - depth + 1, height)

    async def _chosen(
        self, depth: int, old: Sequence[Block], include: Sequence[str]
    ) -> list[list[Any]]:
        """Return the transactions of the old blocks that are to be in the new ones, and where."""
        places = {name: block.number for block in old for name in block.transactions}
        wanted = {name.lower() for name in include}
        if unknown := wanted - set(places):
            raise ReorgRefused(
                depth=depth,
                height=old[-1].number,
                cause=f"these are in none of the blocks to replace: {', '.join(sorted(unknown))}",
                hint="give transactions of other places as raw ones",
            )
        names = [name for name in places if name in wanted]
        bodies = await self.rpc.batch([("eth_getTransactionByHash", [name]) for name in names])
        await self._check_nonces(depth, old, bodies)
        raws = await self.rpc.batch([("eth_getRawTransactionByHash", [name]) for name in names])
        return [
            [raw if _is_signed(body) else _as_request(body), places[name] - old[0].number]
            for name, body, raw in zip(names, bodies, raws, strict=True)
        ]

    async def _check_nonces(
        self, depth: int, old: Sequence[Block], bodies: Sequence[Mapping[str, Any]]
    ) -> None:
        """Refuse a choice that leaves one out before another one of the same sender."""
        at = quantity(old[0].number - 1)
        senders = list(dict.fromkeys(body["from"] for body in bodies))
        counts = await self.rpc.batch(
            [("eth_getTransactionCount", [sender, at]) for sender in senders]
        )
        nexts = {sender: number_of(n) for sender, n in zip(senders, counts, strict=True)}
        for body in bodies:
            if number_of(body["nonce"]) != nexts[body["from"]]:
                raise ReorgRefused(
                    depth=depth,
                    height=old[-1].number,
                    cause=f"{body['hash']} cannot be without those that {body['from']} sent before",
                    hint="include them, too",
                )
            nexts[body["from"]] += 1

    async def _replace(self, depth: int, pairs: list[list[Any]], old: Sequence[Block]) -> None:
        try:
            await self._test_call("anvil_reorg", [depth, pairs])
        except RpcFault as fault:
            senders = {body["from"] for body, _ in pairs if isinstance(body, dict)}
            if _NO_SIGNER not in fault.message or not senders:
                raise
            # They were impersonated when they sent these, and are not any more.
            await self._test_batch([("anvil_impersonateAccount", [s]) for s in senders])
            try:
                await self._test_call("anvil_reorg", [depth, pairs])
            finally:
                await self._test_batch([("anvil_stopImpersonatingAccount", [s]) for s in senders])


def _refusal(fault: RpcFault, *, depth: int, height: int) -> ReorgRefused:
    if _NO_STATE not in fault.message:
        return ReorgRefused(depth=depth, height=height, cause=fault.message)
    return ReorgRefused(
        depth=depth,
        height=height,
        cause="the state before them is not there: a chain that goes on from an earlier run, or was"
        " loaded, has those of its newer blocks only",
        hint="mine blocks first; or give anvil --preserve-historical-states",
    )


def _is_signed(body: Mapping[str, Any]) -> bool:
    return any(number_of(body.get(part) or "0x0") for part in ("r", "s"))


def _as_request(body: Mapping[str, Any]) -> dict[str, Any]:
    request = {name: body[name] for name in _COPIED if body.get(name) is not None}
    if "maxFeePerGas" not in request and "gasPrice" in body:
        request["gasPrice"] = body["gasPrice"]
    return request


def _compared(old: Sequence[Block], new: Sequence[Block]) -> Reorg:
    included = tuple(name for block in new for name in block.transactions)
    return Reorg(
        depth=len(old),
        common=old[0].number - 1,
        blocks=tuple(
            Replaced(number=a.number, old=a.hash, new=b.hash) for a, b in zip(old, new, strict=True)
        ),
        dropped=tuple(name for block in old for name in block.transactions if name not in included),
        included=included,
    )
