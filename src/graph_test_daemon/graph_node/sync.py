"""Waits until a subgraph has indexed the chain up to a block, and knows the chain's own block.

`synced` of graph-node is no measure: it stays true after a reorganisation and after a failure. A
subgraph is there when the block that its queries know is not below the wanted one and is the one
that the chain has at that height.

A handler's error is written with its block, in one transaction, and only then graph-node notes that
the subgraph has failed. So errors at a block are those of a failing subgraph, unless it says that
it goes on in spite of them; that it has failed is waited for then.

An error that graph-node takes for one that passes, such as a field that a mapping has left out, is
tried again after minutes, or with its next start. One of a mapping that stays ends a wait, too.

Source: graph-node, `core/src/subgraph/runner`, `transact_block_state`; seen with version 0.45.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import anyio

from graph_test_daemon.chain import Chain
from graph_test_daemon.errors import QueryFailed
from harness.errors import HarnessError

from .errors import IndexingFailed, NotSynced
from .node import GraphNode, Indexed, is_passing
from .nudging import Nudges
from .stalling import why_stalled
from .status import BlockPointer, DeploymentStatus, IndexingError

__all__ = ["SyncProgressed", "Synced", "wait_for_sync"]

_LOOK_AGAIN_S = 0.03
_LOOK_AT_STATUS_S = 0.5
_REMIND_AFTER_S = 0.8  # a block is usually indexed 0.6 s after it was mined
_FAILS_WITHIN_S = 10.0
_PASSES_WITHIN_S = 10.0
_GOES_ON = "nonFatalErrors"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncProgressed:
    """Queries of a subgraph know a later block.

    Attributes:
        subgraph: as it was asked for.
        block: that queries know.
        wanted: that is waited for.
    """

    subgraph: str
    block: int
    wanted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """A subgraph is where it was waited for to be.

    Attributes:
        deployment: its id.
        block: that queries know, the chain's own.
        has_errors: it went on in spite of some.
        took_s: how long it was waited for.
    """

    deployment: str
    block: BlockPointer
    has_errors: bool
    took_s: float


Tell = Callable[[SyncProgressed], Awaitable[None]]


async def wait_for_sync(
    node: GraphNode,
    chain: Chain,
    subgraph: str,
    *,
    block: int | None = None,
    timeout_s: float = 60.0,
    stall_s: float = 30.0,
    mine: bool | Nudges = False,
    tell: Tell | None = None,
    log: Callable[[], Sequence[str]] = tuple,
) -> Synced:
    """Return when a subgraph has indexed the chain up to a block.

    Args:
        node: that indexes it.
        chain: that it is about.
        subgraph: its name, or the id of a deployment.
        block: the height; None: of the chain's head now.
        timeout_s: how long it may take.
        stall_s: how long its block may stay the same.
        mine: mine a block when nothing has moved for a second, ten in vain at most: on a chain
            where nothing happens graph-node notices nothing, for example after a reorganisation.
        tell: is awaited with its progress.
        log: gives the node's last lines of output, for errors.

    Raises:
        IndexingFailed: it has stopped at an error.
        NotSynced: the time is up, or it does not move.
        QueryFailed: there is no such subgraph.
    """
    wanted = await chain.block_number() if block is None else block
    nudges = Nudges(chain) if mine is True else mine or None
    waiting = _Waiting(node, chain, subgraph, wanted, nudges, tell, log)
    began_at = anyio.current_time()
    cause = f"it took longer than {timeout_s:g} s"
    with anyio.move_on_after(timeout_s):
        while (found := await waiting.look()) is None:
            if waiting.still_for_s() > stall_s:
                cause = f"it has not moved for {stall_s:g} s"
                break
            await waiting.nudge()
            await anyio.sleep(_LOOK_AGAIN_S)
        else:
            return Synced(
                deployment=found.deployment,
                block=found.block,
                has_errors=found.has_errors,
                took_s=round(anyio.current_time() - began_at, 3),
            )
    raise await waiting.explain(cause)


@dataclass(slots=True)
class _Waiting:
    node: GraphNode
    chain: Chain
    subgraph: str
    wanted: int
    nudges: Nudges | None
    tell: Tell | None
    log: Callable[[], Sequence[str]]
    at: BlockPointer | None = None
    moved_at: float = field(default_factory=anyio.current_time)
    looked_at_status_at: float = 0.0
    reminded_at: float = field(default_factory=anyio.current_time)
    error: IndexingError | None = None
    error_since: float = 0.0

    async def look(self) -> Indexed | None:
        """Return how far queries are when that is far enough."""
        try:
            found = await self.node.indexed(self.subgraph)
        except QueryFailed as error:
            if is_passing(error):
                return None
            await self._raise_if_failed()
            raise
        if found is not None and found.block != self.at:
            self.at, self.moved_at = found.block, anyio.current_time()
            if self.nudges is not None:
                self.nudges.moved()
            if self.tell is not None:
                told = SyncProgressed(
                    subgraph=self.subgraph, block=found.block.number, wanted=self.wanted
                )
                await self.tell(told)
        if (
            found is not None
            and found.block.number >= self.wanted
            and await self.chain.has(found.block.number, found.block.hash)
        ):
            if found.has_errors:
                await self._raise_if_failing(found.deployment)
            return found
        if anyio.current_time() - self.looked_at_status_at > _LOOK_AT_STATUS_S:
            self.looked_at_status_at = anyio.current_time()
            await self._raise_if_failed()
        return None

    def still_for_s(self) -> float:
        return anyio.current_time() - self.moved_at

    async def nudge(self) -> None:
        """Where nothing moves, have graph-node look again, or give it something to look at."""
        now = anyio.current_time()
        if now - max(self.moved_at, self.reminded_at) > _REMIND_AFTER_S:
            self.reminded_at = now
            if self.node.store is not None:
                with suppress(HarnessError):  # it may just be restarted
                    await self.node.store.remind()
        if self.nudges is not None:
            await self.nudges.nudge(still_for_s=self.still_for_s())

    async def _raise_if_failing(self, deployment: str) -> None:
        """Do nothing where errors do not stop it; else wait until it is noted that they have.

        Raises:
            IndexingFailed: it is.
        """
        if _GOES_ON in (await self.node.features(deployment)).features:
            return
        with anyio.move_on_after(_FAILS_WITHIN_S):
            while True:
                await self._raise_if_failed()
                await anyio.sleep(_LOOK_AGAIN_S)
        status = await self._status()
        if status is not None and status.errors:
            raise await self._failed(status, status.errors[0])

    async def _raise_if_failed(self) -> None:
        try:
            status = await self._status()
        except QueryFailed as error:
            if is_passing(error):
                return
            raise
        fatal = None if status is None or status.health != "failed" else status.fatal_error
        if fatal != self.error:
            self.error, self.error_since = fatal, anyio.current_time()
        if status is not None and fatal is not None and (fatal.deterministic or self._stays(fatal)):
            raise await self._failed(status, fatal)

    def _stays(self, error: IndexingError) -> bool:
        """Tell whether an error of a mapping has been there for so long that it will stay."""
        return bool(error.backtrace) and anyio.current_time() - self.error_since > _PASSES_WITHIN_S

    async def _failed(self, status: DeploymentStatus, error: IndexingError) -> IndexingFailed:
        return IndexingFailed(
            deployment=status.deployment,
            message=error.message,
            handler=error.handler,
            block=None if error.block is None else error.block.number,
            transaction=error.transaction,
            backtrace=error.backtrace,
            deterministic=error.deterministic,
            head=await self.chain.block_number(),  # the node's own idea of it is an older one
            log=self.log(),
        )

    async def _status(self) -> DeploymentStatus | None:
        status = await self.node.status_of_name(self.subgraph)
        return status or await self.node.status(self.subgraph)

    async def explain(self, cause: str) -> NotSynced:
        """Return the error that says where it is, and what is known of why."""
        status = await self._status()
        head = await self.chain.block_number()
        details: dict[str, object] = {"chain_head": head, "log": list(self.log())}
        if self.nudges is not None and (mined := self.nudges.count):
            details["mined"] = mined
            cause += f", and {mined} block{'s' * (mined > 1)} mined meanwhile did not help"
        if status is not None:
            details |= {"health": status.health, "paused": status.paused, "node": status.node}
        why, hint = why_stalled(status, at=self.at, wanted=self.wanted, head=head)
        return NotSynced(
            deployment=self.subgraph,
            at=None if self.at is None else self.at.number,
            wanted=self.wanted,
            cause=cause if why is None else f"{cause}; {why}",
            hint=hint,
            details=details,
        )
