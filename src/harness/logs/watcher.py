"""The one task that notices growth: wakes readers, marks times, keeps logs within their limits.

A watch fires once. While a stream grows its file is looked at in growing intervals, unwatched, so
a service that prints as fast as it can pays nothing; once it is quiet the watch is armed again.
The task spends at most about a twenty-fifth of its time looking, however many services print.
Between two looks it glances at the sizes of the streams that could pass their caps meanwhile, and
cuts those that did: for that it takes up to a quarter of its time while a stream is about to pass
its cap, and else a fiftieth.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import monotonic, thread_time
from types import TracebackType
from typing import Self, TypeVar

import anyio
import anyio.abc
from anyio import to_thread

from .keeper import StreamKeeper
from .kernel import Inotify
from .notice import LogNotice
from .unit_log import UnitLog

__all__ = ["Watcher"]

_T = TypeVar("_T")

logger = logging.getLogger(__name__)

_SHORTEST_PAUSE_S = 0.004
_LONGEST_PAUSE_S = 0.032
_REST_FACTOR = 25
_LONGEST_REST_S = 0.25
_FAST_REST_FACTOR = 3
_SLOW_REST_FACTOR = 50
_SLICE_S = 0.002  # of looking in one go, before a glance may come between
_HOP_COST_S = 0.0003  # of a round trip to the worker thread
_IDLE_DISK_CHECK_S = 5.0
_BUSY_DISK_CHECK_S = 0.2
_DISK_CHECK_BYTES = 256 * 1024
_LARGEST_RESERVE = 200_000_000
_FLOOR_BYTES = 256 * 1024


@dataclass(slots=True)
class _Round:
    """What one look at the dirty streams brought."""

    grown: list[StreamKeeper] = field(default_factory=list)
    quiet: list[tuple[StreamKeeper, int | None]] = field(default_factory=list)
    notices: list[LogNotice] = field(default_factory=list)
    left: list[StreamKeeper] = field(default_factory=list)
    trouble: OSError | None = None
    grown_bytes: int = 0
    cost_s: float = 0.0


class Watcher:
    """Watches the logs it is given while it is open; used from one event loop only.

    Args:
        on_notice: told in the event loop what was dropped, and what cannot be; must not raise.
        reserve_bytes: free space below which logs are cut down to `floor_bytes` a stream, the
            oldest bytes of the largest first; None: a twentieth of the disk, at most 200 MB.
        floor_bytes: what low space leaves of each stream.
    """

    def __init__(
        self,
        *,
        on_notice: Callable[[LogNotice], None],
        reserve_bytes: int | None = None,
        floor_bytes: int = _FLOOR_BYTES,
    ) -> None:
        self._on_notice = on_notice
        self._reserve_bytes = reserve_bytes
        self._floor_bytes = floor_bytes
        self._keepers: dict[UnitLog, tuple[StreamKeeper, ...]] = {}
        self._armed: dict[int, StreamKeeper] = {}
        self._dirty: dict[StreamKeeper, None] = {}
        self._waiting: anyio.CancelScope | None = None
        self._is_called = False
        self._watched: dict[StreamKeeper, None] = {}
        self._fast_from = self._slow_from = 0.0
        self._unchecked_bytes = 0
        self._disk_checked_at = float("-inf")
        self._has_index_trouble = False
        self._has_watch_trouble = False

    async def __aenter__(self) -> Self:
        self._inotify = Inotify()
        self._limiter = anyio.CapacityLimiter(1)
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._run)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._tasks.cancel_scope.cancel()
        try:
            return await self._tasks.__aexit__(kind, error, trace)
        finally:
            for log in list(self._keepers):
                self.forget(log)
            self._inotify.close()

    def watch(self, log: UnitLog) -> None:
        """Watch a unit's log from now on; its directory and files are created when missing.

        Watching again is harmless, and takes up a log whose files were deleted meanwhile. One
        `UnitLog` for a directory: its readers are woken, not those of another one.
        """
        self.forget(log)
        log.limiter = self._limiter
        keepers = tuple(StreamKeeper(s, max_bytes=log.max_bytes) for s in log.streams.values())
        self._keepers[log] = keepers
        self._watched.update(dict.fromkeys(keepers))
        self._dirty.update(dict.fromkeys(keepers))
        self._is_called = True
        if self._waiting is not None:
            self._waiting.cancel()

    def forget(self, log: UnitLog) -> None:
        """Stop watching a unit's log; nothing happens when it is not watched."""
        keepers = self._keepers.pop(log, ())
        log.limiter = None
        for keeper in keepers:
            self._dirty.pop(keeper, None)
            self._watched.pop(keeper, None)
        self._armed = {n: keeper for n, keeper in self._armed.items() if keeper not in keepers}

    async def _run(self) -> None:
        pause_s = _SHORTEST_PAUSE_S
        while True:
            if await self._pause(pause_s if self._dirty else _IDLE_DISK_CHECK_S):
                pause_s = _SHORTEST_PAUSE_S
            else:
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            cost_s, grown_bytes = await self._look_at_all()
            if self._is_disk_due(grown_bytes):
                self._tell(await self._in_thread(self._relieve, list(self._watched)))
            if self._dirty:
                await self._rest(min(_REST_FACTOR * cost_s, _LONGEST_REST_S))

    async def _pause(self, pause_s: float) -> bool:
        """Wait for news, glancing meanwhile; tell whether there is some."""
        until = monotonic() + pause_s
        while not await self._news_within(min(until, self._glance_at()) - monotonic()):
            if monotonic() >= until:
                return False
            await self._glance()
        return True

    async def _rest(self, rest_s: float) -> None:
        """Take no news, so that many services that print a little cost little; glance meanwhile."""
        until = monotonic() + rest_s
        while (now := monotonic()) < until:
            await anyio.sleep(max(0.0, min(until, self._glance_at()) - now))
            self._take_fired()
            await self._glance()

    async def _look_at_all(self) -> tuple[float, int]:
        """Look at all dirty streams; return what that cost, in seconds, and how much they grew.

        No more than a slice at once, so that none of them waits long for a glance.
        """
        cost_s, grown_bytes = 0.0, 0
        left = list(self._dirty)
        while True:
            outcome = await self._in_thread(self._look, left)
            self._settle(outcome)
            cost_s += outcome.cost_s
            grown_bytes += outcome.grown_bytes
            left = [keeper for keeper in outcome.left if keeper in self._watched]
            if not left:
                return cost_s, grown_bytes
            self._take_fired()
            await self._glance()

    async def _glance(self) -> None:
        """Cut the streams that are over their caps, of those that could be.

        The slow ones come after the fast ones, a slice of them at a time, and have a small budget
        of their own: they must not delay those that are fast.
        """
        if monotonic() >= self._fast_from:
            cost_s = await self._glance_at_those(is_fast=True, limit_s=float("inf"))
            self._fast_from = monotonic() + _FAST_REST_FACTOR * cost_s
        if monotonic() >= self._slow_from:
            cost_s = await self._glance_at_those(is_fast=False, limit_s=_SLICE_S)
            self._slow_from = monotonic() + _SLOW_REST_FACTOR * cost_s

    async def _glance_at_those(self, *, is_fast: bool, limit_s: float) -> float:
        """Glance at those that are due; return what that cost, in seconds."""
        now = monotonic()
        due = [k for k in self._dirty if k.is_fast is is_fast and k.due_at <= now]
        if not due:
            return 0.0
        # Who was left out last time is first now.
        due.sort(key=lambda keeper: keeper.due_at)
        outcome = await self._in_thread(partial(self._cut_back, limit_s=limit_s), due)
        self._settle(outcome)
        self._unchecked_bytes += outcome.grown_bytes
        return outcome.cost_s

    def _glance_at(self) -> float:
        """Return the monotonic moment of the next glance."""
        fast = min((k.due_at for k in self._dirty if k.is_fast), default=float("inf"))
        slow = min((k.due_at for k in self._dirty if not k.is_fast), default=float("inf"))
        return min(max(fast, self._fast_from), max(slow, self._slow_from))

    async def _in_thread(
        self, work: Callable[[list[StreamKeeper]], _T], keepers: list[StreamKeeper]
    ) -> _T:
        return await to_thread.run_sync(work, keepers, limiter=self._limiter)

    async def _news_within(self, wait_s: float) -> bool:
        """Wait for a watch to fire, or for `watch`; tell whether there is something new."""
        if not self._is_called:
            with anyio.CancelScope(deadline=anyio.current_time() + wait_s) as self._waiting:
                await anyio.wait_readable(self._inotify.descriptor)
            self._waiting = None
        is_called, self._is_called = self._is_called, False
        return self._take_fired() or is_called

    def _take_fired(self) -> bool:
        """Make the streams whose watches fired dirty; tell whether there was one."""
        fired = self._inotify.fired()
        if fired is None:
            self._armed.clear()
            for keeper in self._watched:
                self._wake(keeper)
            return True
        for number in fired:
            if number in self._armed:
                self._wake(self._armed.pop(number))
        return bool(fired)

    def _wake(self, keeper: StreamKeeper) -> None:
        if keeper not in self._dirty:
            keeper.wake()
            self._dirty[keeper] = None

    def _is_disk_due(self, grown_bytes: int) -> bool:
        """Tell whether free space must be looked at: in intervals, and after much growth."""
        now = anyio.current_time()
        self._unchecked_bytes += grown_bytes
        if self._unchecked_bytes < _DISK_CHECK_BYTES and now < self._disk_checked_at + (
            _BUSY_DISK_CHECK_S if grown_bytes else _IDLE_DISK_CHECK_S
        ):
            return False
        self._unchecked_bytes, self._disk_checked_at = 0, now
        return True

    def _tell(self, notices: list[LogNotice]) -> None:
        for notice in notices:
            self._on_notice(notice)

    def _settle(self, outcome: _Round) -> None:
        """Wake the readers of what grew, and let what is quiet wait for its watch."""
        self._tell(outcome.notices)
        for keeper in outcome.grown:
            keeper.stream.announce()
        for keeper, number in outcome.quiet:
            self._dirty.pop(keeper, None)
            if number is not None and keeper in self._watched:
                self._armed[number] = keeper

    # ── in a worker thread ───────────────────────────────────────────────────────────────────────

    def _look(self, dirty: list[StreamKeeper]) -> _Round:
        began = thread_time()
        outcome = _Round()
        for position, keeper in enumerate(dirty):
            if thread_time() - began > _SLICE_S:
                outcome.left = dirty[position:]
                break
            if _has_changed(keeper, outcome):
                outcome.grown.append(keeper)
                _note(outcome.notices, keeper.trim())
                continue
            number = self._arm(keeper)
            # What was written before the watch was armed fires nothing, so look once more.
            if number is not None and _has_changed(keeper, outcome):
                outcome.grown.append(keeper)
            elif number is not None or keeper.is_gone:
                outcome.quiet.append((keeper, number))
        if outcome.trouble is not None and not self._has_index_trouble:
            logger.warning("Cannot note the times of log lines: %s", outcome.trouble)
        self._has_index_trouble = outcome.trouble is not None
        outcome.cost_s = thread_time() - began + _HOP_COST_S
        return outcome

    def _cut_back(self, due: list[StreamKeeper], *, limit_s: float) -> _Round:
        """Look at those of the streams that are over their caps, and at the size of the others.

        Whoever is not reached within the limit stays due.
        """
        began = thread_time()
        outcome = _Round()
        for keeper in due:
            if thread_time() - began > limit_s:
                break
            if keeper.is_over() and _has_changed(keeper, outcome):
                outcome.grown.append(keeper)
                _note(outcome.notices, keeper.trim())
        outcome.cost_s = thread_time() - began + _HOP_COST_S
        return outcome

    def _arm(self, keeper: StreamKeeper) -> int | None:
        """Arm a stream's watch; None: impossible, it is looked at in intervals instead."""
        try:
            return self._inotify.arm(keeper.stream.path)
        except FileNotFoundError:
            keeper.is_gone = True
        except OSError as error:
            if not self._has_watch_trouble:
                logger.warning("Cannot watch %s: %s", keeper.stream.path, error)
            self._has_watch_trouble = True
        return None

    def _relieve(self, watched: list[StreamKeeper]) -> list[LogNotice]:
        """Cut logs down where a file system has less free space than its reserve."""
        notices: list[LogNotice] = []
        by_device: dict[int, list[StreamKeeper]] = {}
        for keeper in watched:
            if not keeper.is_gone and keeper.kept_bytes > 2 * self._floor_bytes:
                by_device.setdefault(keeper.device, []).append(keeper)
        for keepers in by_device.values():
            needed = self._needed_bytes(keepers[0])
            for keeper in sorted(keepers, key=lambda k: k.kept_bytes, reverse=True):
                if needed <= 0:
                    break
                before = keeper.kept_bytes
                kept = max(self._floor_bytes, before - needed)
                _note(notices, keeper.drop_to(kept, cause="disk-low"))
                needed -= before - keeper.kept_bytes
        return notices

    def _needed_bytes(self, keeper: StreamKeeper) -> int:
        """Return how much must be freed; a quarter more than is missing, to do it seldom."""
        try:
            status = os.statvfs(keeper.directory)
        except OSError:
            return 0
        free = status.f_bavail * status.f_frsize
        reserve = self._reserve_bytes
        if reserve is None:
            reserve = min(_LARGEST_RESERVE, status.f_blocks * status.f_frsize // 20)
        return reserve - free + reserve // 4 if free < reserve else 0


def _has_changed(keeper: StreamKeeper, outcome: _Round) -> bool:
    before = keeper.size
    has_changed, trouble = keeper.observe()
    outcome.grown_bytes += max(0, keeper.size - before)
    outcome.trouble = trouble or outcome.trouble
    return has_changed


def _note(notices: list[LogNotice], notice: LogNotice | None) -> None:
    if notice is not None:
        notices.append(notice)
