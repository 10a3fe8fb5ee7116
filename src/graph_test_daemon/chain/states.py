"""The whole chain's state: snapshots in the node, dumps, going back exactly, beginning again.

What was tried on anvil 1.7, and is why this is not three calls:

- a loaded state is laid over the present one: accounts, blocks and receipts that are not in it
  stay, and nonces too. So the present one must go first;
- after a reset the clock is the real one, also when the loaded blocks are of later times: the next
  block would be older than its parent;
- a reset keeps snapshots of the chain before it on its list, and a revert the later ones; going
  back to one of those answers with an error and leaves a head without a block. So they are struck
  off the list, by going back to them while a newer snapshot or a reset puts the head right;
- a loaded state brings its first block beside the node's own, and a dump has both;
- signers keep the chain's number that the node was started with;
- a dump has blocks, receipts and the newest state, and the states of older blocks only on demand,
  at a cost that grows with the square of the chain's length.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Self

from anyio import to_thread

from graph_test_daemon.errors import RpcFault

from .blocks import Block, number_of
from .dumped import with_one_first
from .errors import ChainRefused, NotSupportedByChain, SnapshotGone
from .mining import Mining

__all__ = ["SavedChain", "Snapshot", "States"]

_VERSION = 1
_LONG_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A state that the node keeps in its memory.

    Attributes:
        id: as the node calls it.
        number: height of the chain then.
        hash: of its newest block then.
    """

    id: str
    number: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedChain:
    """All that is needed to go back to a state, also in another run of the node.

    Attributes:
        dump: the state as the node gives it.
        chain_id: the chain's number.
        clock_s: by how many seconds the chain's clock is ahead.
        genesis: hash of the first block.
        head: hash of the newest one.
        node: which run of the node it is from.
        snapshot: the same state in that run's memory, with the states of older blocks.
        version: of this record.
    """

    dump: str
    chain_id: int
    clock_s: int
    genesis: str
    head: str
    node: str
    snapshot: str
    version: int = _VERSION

    def written(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what was written.

        Raises:
            ChainRefused: it is none, or of a newer version.
        """
        try:
            document = json.loads(text)
            if document["version"] > _VERSION:
                raise ChainRefused("cannot read the saved chain: a newer version has written it")
            return cls(**document)
        except (ValueError, TypeError, KeyError) as error:
            raise ChainRefused(f"cannot read the saved chain: {error}") from error


class States(Mining):
    """The part of a chain that goes back; of test nodes only."""

    # ── in the node's memory ─────────────────────────────────────────────────────────────────────

    async def snapshot(self) -> Snapshot:
        """Have the node keep the present state."""
        name = str(await self._test_call("evm_snapshot"))
        head = await self.head()
        return Snapshot(id=name, number=head.number, hash=head.hash)

    async def revert(self, snapshot: str) -> Block:
        """Go back to a snapshot, which uses it up and all later ones; return the newest block.

        The clock goes back, too. Transactions in no block, impersonations and the mining mode stay.

        Raises:
            SnapshotGone: there is none of that id.
        """
        listed = await self._listed()
        if listed is None:  # another node than anvil
            if not await self._test_call("evm_revert", [snapshot]):
                raise SnapshotGone(snapshot=snapshot)
        elif snapshot not in listed or not await self._went_back(snapshot, listed):
            raise SnapshotGone(snapshot=snapshot)
        return await self.head()

    # ── dumps ────────────────────────────────────────────────────────────────────────────────────

    async def dump(self, *, history: bool = False) -> str:
        """Return the state as the node gives it: compressed, in hexadecimal.

        Args:
            history: with the state at each older block. Its size grows with the square of the
                chain's length: some hundred blocks are fine, thousands are gigabytes.
        """
        params = [True] if history else []
        dump = str(await self._test_call("anvil_dumpState", params, timeout_s=_LONG_S))
        first = await self.rpc.call("eth_getBlockByNumber", ["0x0", False])
        return await to_thread.run_sync(with_one_first, dump, first)

    async def load(self, dump: str) -> Block:
        """Have the state of a dump and nothing of the present one; return the newest block.

        Snapshots and transactions in no block are gone. Contracts cannot be asked about older
        blocks unless the dump has history. A dump that cannot be read leaves the present state.

        Raises:
            RpcFault: it is no dump.
        """
        before = await self.dump()
        await self.reset()
        try:
            await self._laid_over(dump)
        except RpcFault:
            await self._laid_over(before)
            raise
        return await self.keep_clock_ahead()

    async def save(self) -> SavedChain:
        """Return all that is needed to have exactly this state again."""
        dump = await self.dump()
        node, chain_id, clock, genesis, head, snapshot = await self._test_batch(
            [
                ("anvil_metadata", []),
                ("eth_chainId", []),
                ("evm_increaseTime", [0]),
                ("eth_getBlockByNumber", ["0x0", False]),
                ("eth_getBlockByNumber", ["latest", False]),
                ("evm_snapshot", []),
            ]
        )
        return SavedChain(
            dump=dump,
            chain_id=number_of(chain_id),
            clock_s=_int(clock),
            genesis=genesis["hash"],
            head=head["hash"],
            node=node["instanceId"],
            snapshot=snapshot,
        )

    async def restore(self, saved: SavedChain) -> SavedChain:
        """Have exactly a saved state again; return it as it is to be restored the next time.

        In the run of the node that it is from, states of older blocks come back as well; in another
        one the newest only. Either way blocks, accounts, receipts, the chain's number and how far
        its clock is ahead are as they were, and transactions in no block are gone.

        Raises:
            ChainRefused: it did not become what it was.
        """
        if not await self._reverted(saved):
            await self._check_number(saved)
            await self.reset()
        await self._laid_over(saved.dump)
        await self._test_call("anvil_dropAllTransactions")
        await self._test_call("anvil_setChainId", [saved.chain_id])
        node, clock, genesis, head, snapshot = await self._test_batch(
            [
                ("anvil_metadata", []),
                ("evm_increaseTime", [0]),
                ("eth_getBlockByNumber", ["0x0", False]),
                ("eth_getBlockByNumber", ["latest", False]),
                ("evm_snapshot", []),
            ]
        )
        for which, block, was in (("first", genesis, saved.genesis), ("newest", head, saved.head)):
            if block["hash"] != was:
                raise ChainRefused(
                    f"cannot restore the chain: its {which} block is {block['hash']}, not {was}"
                )
        await self._move_clock(saved.clock_s - _int(clock))
        await self.keep_clock_ahead()
        return SavedChain(**{**asdict(saved), "node": node["instanceId"], "snapshot": snapshot})

    async def clock_is_behind(self) -> bool:
        """Tell whether the next block would be older than the newest one."""
        head = await self.head()
        # Not all nodes tell what their clock shows: it is not asked for where it cannot be behind.
        return head.timestamp > time.time() and await self.time() < head.timestamp

    async def keep_clock_ahead(self) -> Block:
        """See that the next block will not be older than the newest one, which is returned."""
        head = await self.head()
        if await self.time() < head.timestamp:
            await self._test_call("evm_setTime", [head.timestamp])
        return head

    # ── beginning again ──────────────────────────────────────────────────────────────────────────

    async def reset(self, *, fork_url: str | None = None, fork_block: int | None = None) -> Block:
        """Begin again with an empty chain, or with a fork of another one; return its newest block.

        Snapshots and transactions in no block are gone. The first block is of the present time, so
        its hash is another one.

        Args:
            fork_url: of the other chain's JSON-RPC.
            fork_block: where to fork; None: at its newest block.
        """
        await self._forget(list(await self._listed() or ()))
        forking: dict[str, Any] = {}
        if fork_url is not None:
            forking["jsonRpcUrl"] = fork_url
            if fork_block is not None:
                forking["blockNumber"] = fork_block
        elif fork_block is not None:
            raise ChainRefused("cannot fork at a block: no chain to fork is named")
        params = [{"forking": forking}] if forking else []
        await self._test_call("anvil_reset", params)
        return await self.head()

    # ── parts of these ───────────────────────────────────────────────────────────────────────────

    async def _laid_over(self, dump: str) -> None:
        await self._test_call("anvil_loadState", [dump], timeout_s=_LONG_S)

    async def _reverted(self, saved: SavedChain) -> bool:
        metadata = await self._test_call("anvil_metadata")
        listed = _snapshots(metadata)
        if metadata["instanceId"] != saved.node or saved.snapshot not in listed:
            return False
        return await self._went_back(saved.snapshot, listed)

    async def _check_number(self, saved: SavedChain) -> None:
        if (number := await self.chain_id()) != saved.chain_id:
            raise ChainRefused(
                f"cannot restore the chain: it is number {saved.chain_id}, and this one {number}",
                hint=f"start the chain with --chain-id {saved.chain_id}",
            )

    async def _listed(self) -> Mapping[str, int] | None:
        """Return the snapshots that anvil lists: id → height; None: it is another node."""
        try:
            return _snapshots(await self._test_call("anvil_metadata"))
        except NotSupportedByChain:
            return None

    async def _went_back(self, snapshot: str, listed: Mapping[str, int]) -> bool:
        """Revert to a listed snapshot and have the later ones forgotten; False: it is gone."""
        guard = await self._test_call("evm_snapshot")
        try:
            done = await self._test_call("evm_revert", [snapshot])
        except RpcFault:
            done = False
        if not done:
            await self._test_call("evm_revert", [guard])
            return False
        height = await self.block_number()
        later = [
            name
            for name, at in listed.items()
            if number_of(name) > number_of(snapshot) and at >= height
        ]
        guard_again = await self._test_call("evm_snapshot")
        await self._forget([*later, guard])
        await self._test_call("evm_revert", [guard_again])
        return True

    async def _forget(self, snapshots: Sequence[str]) -> None:
        """Strike snapshots off anvil's list; the head must be put right afterwards."""
        with suppress(RpcFault):  # the states behind them are gone already
            await self.rpc.batch([("evm_revert", [name]) for name in snapshots])

    async def _move_clock(self, seconds: int) -> None:
        if seconds > 0:
            await self._test_call("evm_increaseTime", [seconds])
        elif seconds < 0:
            await self._test_call("evm_setTime", [await self.time() + seconds])


def _snapshots(metadata: Mapping[str, Any]) -> dict[str, int]:
    return {name: at for name, (at, _) in metadata["snapshots"].items()}


def _int(answer: Any) -> int:
    return number_of(answer) if isinstance(answer, str) else int(answer)
