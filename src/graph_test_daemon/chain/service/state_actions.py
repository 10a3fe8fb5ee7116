"""Actions that go back: snapshots, reorganisations, dumps, beginning again."""

from __future__ import annotations

from dataclasses import asdict

import anyio

from graph_test_daemon.chain.blocks import Block
from graph_test_daemon.chain.errors import ChainRefused
from graph_test_daemon.chain.reorgs import RawTransaction, Reorg
from graph_test_daemon.chain.states import Snapshot
from harness.actions import Call, action

from .connected import Connected, teller
from .events import BlockMined, ChainRestored, ReorgInjected, SnapshotReverted, SnapshotTaken

__all__ = ["StateActions"]


class StateActions(Connected):
    """Going back."""

    @action(name="snapshot", events=[SnapshotTaken])
    async def take_snapshot(self, call: Call) -> Snapshot:
        """Have the node keep the present state; `revert` goes back to it, once."""
        async with self._chain() as chain:
            taken = await chain.snapshot()
        await call.emit(SnapshotTaken(**asdict(taken)))
        return taken

    @action(events=[SnapshotReverted])
    async def revert(self, call: Call, *, id: str) -> Block:  # noqa: A002 - its name on the wire
        """Go back to a snapshot, which uses it up and all later ones.

        Args:
            id: as `snapshot` has returned it.
        """
        async with self._chain() as chain:
            head = await chain.revert(id)
        await call.emit(SnapshotReverted(id=id, number=head.number, hash=head.hash))
        return head

    @action(events=[ReorgInjected, BlockMined])
    async def reorg(
        self,
        call: Call,
        *,
        depth: int,
        include: list[str] = [],  # noqa: B006 - is never changed
        raw: list[RawTransaction] = [],  # noqa: B006 - is never changed
        mine: int = 0,
    ) -> Reorg:
        """Replace the last blocks by as many new ones.

        Nodes that follow the chain notice with the next block only.

        Args:
            depth: so many blocks.
            include: hashes of dropped transactions that are to be in the new blocks.
            raw: further signed transactions, each with the offset of its block.
            mine: so many blocks afterwards.
        """
        async with self._chain() as chain:
            done = await chain.reorg(depth, include=include, raw=raw)
            last = done.blocks[-1]
            await call.emit(
                ReorgInjected(
                    depth=depth,
                    old_number=last.number,
                    old_hash=last.old,
                    new_number=last.number,
                    new_hash=last.new,
                )
            )
            if mine:
                await chain.mine(mine, heard=teller(call, mine))
        return done

    @action(events=[ReorgInjected])
    async def rollback(self, call: Call, *, depth: int = 1) -> Block:
        """Remove the last blocks; return the newest one that is left.

        Nodes that follow the chain notice once it is longer than it was.

        Args:
            depth: so many blocks.
        """
        async with self._chain() as chain:
            old = await chain.head()
            new = await chain.rollback(depth)
        await call.emit(
            ReorgInjected(
                depth=depth,
                old_number=old.number,
                old_hash=old.hash,
                new_number=new.number,
                new_hash=new.hash,
            )
        )
        return new

    @action(events=[ChainRestored])
    async def reset(
        self, call: Call, *, fork_url: str | None = None, fork_block: int | None = None
    ) -> Block:
        """Begin again with an empty chain, or with a fork of another one.

        Args:
            fork_url: of the other chain's JSON-RPC.
            fork_block: where to fork; at its newest block unless given.
        """
        async with self._chain() as chain:
            head = await chain.reset(fork_url=fork_url, fork_block=fork_block)
        await call.emit(ChainRestored(number=head.number, hash=head.hash))
        return head

    @action()
    async def dump_state(self, *, path: str, history: bool = False) -> int:
        """Write the chain's state to a file; return its size in bytes.

        Args:
            path: to write; relative to the stack file.
            history: with the state at each older block, for chains of some hundred blocks.
        """
        async with self._chain() as chain:
            dump = await chain.dump(history=history)
        return await anyio.Path(self.service.directory / path).write_text(dump)

    @action(events=[ChainRestored])
    async def load_state(self, call: Call, *, path: str) -> Block:
        """Have the state of a file and nothing of the present one; return the newest block.

        Args:
            path: that `dump-state` has written; relative to the stack file.
        """
        source = anyio.Path(self.service.directory / path)
        try:
            dump = (await source.read_text()).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ChainRefused(f"cannot load the chain's state: {error}") from error
        async with self._chain() as chain:
            head = await chain.load(dump)
        await call.emit(ChainRestored(number=head.number, hash=head.hash))
        return head
