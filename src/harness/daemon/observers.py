"""Tells plugins' observers of every change of a unit's state, beside what the daemon does.

Each observer has a task and a queue of its own: one that is slow misses what does not fit into its
queue, one that raises goes on with the next change, and neither delays anything.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from harness.events import EventBus
from harness.model import Event, EventKind

if TYPE_CHECKING:
    from harness.plugins import Observer, PluginReport

    from .extensions import Extensions

__all__ = ["observing"]

logger = logging.getLogger(__name__)

_BEGIN_AFTER_S = 0.5
_LAST_S = 1.0
_QUEUE_LENGTH = 1000


@asynccontextmanager
async def observing(bus: EventBus, extensions: Extensions) -> AsyncIterator[None]:
    """Tell observers while the context is open; they are told of all since it was opened.

    Plugins are loaded a moment later, since the first commands have something else to wait for, and
    only where there are any. What happened until then is read from the store.
    """
    begun_at = bus.last_number
    closing = anyio.Event()

    async def begin() -> None:
        with anyio.move_on_after(_BEGIN_AFTER_S):
            await closing.wait()
        if not await extensions.are_there():
            return
        for report, observer in (await extensions.plugins()).observers:
            group.start_soon(_Observing(bus, report, observer).run, begun_at)

    async with anyio.create_task_group() as group:
        group.start_soon(begin)
        yield
        closing.set()
        # The last event of a daemon ends them; what they have not got to by then, they miss.
        group.cancel_scope.deadline = anyio.current_time() + _LAST_S


class _Observing:
    """One observer."""

    def __init__(self, bus: EventBus, report: PluginReport, observer: Observer) -> None:
        self._bus = bus
        self._report = report
        self._observer = observer
        self._name = getattr(observer, "__name__", type(observer).__name__)
        self._failures = 0
        self._missed = 0

    async def run(self, after: int) -> None:
        """Tell it of what comes after an event, until the daemon ends."""
        with self._bus.subscribe(after=after, queue_length=_QUEUE_LENGTH) as events:
            async for event in events:
                if event.kind is EventKind.DAEMON_STOPPED:
                    return
                if event.kind is EventKind.GAP:
                    self._missed += event.data["last"] - event.data["first"] + 1
                    self._tell(f"was too slow, and missed {self._missed} events")
                elif event.kind is EventKind.UNIT_STATE_CHANGED:
                    await self._observe(event)

    async def _observe(self, event: Event) -> None:
        from harness.plugins import Transition

        try:
            await self._observer(Transition.of(event))
        except (
            Exception,
            SystemExit,
        ) as error:  # a guard: somebody else's code, which may do anything
            self._failures += 1
            if self._failures == 1:
                logger.exception("The observer %s of %s failed", self._name, self._report.name)
            times = "once" if self._failures == 1 else f"{self._failures} times"
            self._tell(f"failed {times}, last with {type(error).__name__}: {error}")

    def _tell(self, what: str) -> None:
        logger.warning("The observer %s of %s %s", self._name, self._report.name, what)
        self._report.failures[f"observer {self._name}"] = what
