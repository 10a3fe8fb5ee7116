"""The service type itself: the chain's setup, and its share in snapshots of the stack."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import anyio

from graph_test_daemon.chain.blocks import Block
from graph_test_daemon.chain.mining import MiningMode
from graph_test_daemon.chain.states import SavedChain
from harness.actions import Call

from .account_actions import AccountActions
from .block_actions import BlockActions
from .connected import teller
from .contract_actions import ContractActions
from .events import BlockMined, ChainRestored
from .state_actions import StateActions
from .transaction_actions import TransactionActions

__all__ = ["Anvil"]

_STATE = "chain.json"


class Anvil(BlockActions, AccountActions, TransactionActions, ContractActions, StateActions):
    """A chain: anvil, or any other node as far as it has the methods.

    Setting it up mines the first block, which graph-node needs, unless the label `mine-first` is
    "false"; and a chain that goes on from an earlier run has a clock that is not behind its blocks.
    """

    name = "anvil"
    setup_timeout_s = 30.0
    setup_events = (BlockMined,)
    snapshot_events = (ChainRestored,)

    # ── setup ────────────────────────────────────────────────────────────────────────────────────

    async def is_set_up(self) -> bool:
        """Tell whether the clock is right, and a block there besides the first if it is to be."""
        async with self._chain() as chain:
            return self._has_enough(await chain.head()) and not await chain.clock_is_behind()

    async def set_up(self, call: Call) -> None:
        """Set the clock, and mine the first block."""
        async with self._chain() as chain:
            if await chain.clock_is_behind():
                await chain.keep_clock_ahead()
            if not self._has_enough(await chain.head()):
                await chain.mine(heard=teller(call))

    def _has_enough(self, head: Block) -> bool:
        return head.number > 0 or self.service.labels.get("mine-first") == "false"

    async def validate(self) -> None:
        """Ask for the chain's number."""
        async with self._chain() as chain:
            await chain.chain_id()

    # ── snapshots of the stack ───────────────────────────────────────────────────────────────────

    async def quiesce(self, call: Call) -> None:
        """Have no block come about by itself; remember how they did."""
        path = await self._mode_file()
        async with self._chain() as chain:
            mode = await chain.mining_mode()
            if not await path.exists():  # an interrupted one has remembered it already
                await path.write_text(json.dumps(asdict(mode)))
            await chain.set_mining_mode(MiningMode(automine=False, interval_s=0))

    async def resume(self, call: Call) -> None:
        """Have blocks come about as they did."""
        path = await self._mode_file()
        if not await path.exists():
            return
        mode = MiningMode(**json.loads(await path.read_text()))
        async with self._chain() as chain:
            await chain.set_mining_mode(mode)
        await path.unlink(missing_ok=True)

    async def snapshot(self, call: Call, directory: Path) -> None:
        """Write the chain's state."""
        async with self._chain() as chain:
            saved = await chain.save()
        await anyio.Path(directory / _STATE).write_text(saved.written())

    async def restore(self, call: Call, directory: Path) -> None:
        """Have exactly that state; also in another run of the node."""
        path = anyio.Path(directory / _STATE)
        async with self._chain() as chain:
            again = await chain.restore(SavedChain.read(await path.read_text()))
            head = await chain.head()
        await path.write_text(again.written())
        await call.emit(ChainRestored(number=head.number, hash=head.hash))

    async def _mode_file(self) -> anyio.Path:
        directory = anyio.Path(self.service.data_dir)
        await directory.mkdir(parents=True, exist_ok=True)
        return directory / "mining-before-quiescence.json"
