"""Actions on epochs."""

from __future__ import annotations

from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.network.epochs import Epoch, EpochAdvanced, EpochLengthChanged
from harness.actions import Call, action

__all__ = ["EpochActions"]


class EpochActions(NetworkBase):
    """Epochs."""

    @action()
    async def epoch(self) -> Epoch:
        """Return which epoch it is, and how far the next one is."""
        return await (await self.network()).epochs.now()

    @action(events=[EpochAdvanced])
    async def advance_epoch(
        self, call: Call, count: int = 1, to: int | None = None, run: bool = True
    ) -> Epoch:
        """Mine until another epoch has begun; where it is several, one after the other.

        Args:
            count: so many epochs.
            to: until this one, in place of a count; nothing is done when it has begun.
            run: do each epoch's bookkeeping, which those who follow epochs need.
        """
        epochs = (await self.network()).epochs
        if to is not None:
            return await epochs.advance_to(to, run=run, tell=call.emit)
        return await epochs.advance(count, run=run, tell=call.emit)

    @action(events=[EpochLengthChanged])
    async def set_epoch_length(self, call: Call, length: int) -> EpochLengthChanged:
        """Give epochs another length, as the governor.

        Args:
            length: in blocks; each transaction is one where the chain mines it at once.
        """
        changed = await (await self.network()).epochs.set_length(length)
        await call.emit(changed)
        return changed

    @action()
    async def wait_for_epoch(self, epoch: int, timeout_s: float = 60.0) -> Epoch:
        """Return when an epoch has begun, on a chain that others mine.

        Args:
            epoch: its number.
            timeout_s: how long it may take.
        """
        return await (await self.network()).epochs.wait_for(epoch, timeout_s=timeout_s)
