"""Ends what ended runs of a unit left behind, and removes their directories.

A run's directory is there until it was swept, so that the next daemon goes on where this one was
killed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from harness.errors import StopFailed
from harness.executors import Executor
from harness.model import EventKind

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Sweeper"]

logger = logging.getLogger(__name__)

_DELAY_S = 0.1


class Sweeper:
    """The one who cleans up after the runs of a unit.

    Args:
        unit: whose.
        is_busy: tells whether the unit's next run is about to start: a look at every process of
            the machine would delay it, so sweeping waits a moment.
    """

    def __init__(self, unit: Unit, *, is_busy: Callable[[], bool]) -> None:
        self._unit = unit
        self._is_busy = is_busy
        self._upto = 0
        self._executor: Executor | None = None
        self._done: anyio.Event | None = None

    def begin(self, upto: int, executor: Executor) -> None:
        """Sweep every run up to this number, and any before the newest; none of them may run.

        Args:
            upto: number of a run that has ended.
            executor: who started it.
        """
        self._upto, self._executor = max(self._upto, upto), executor
        if self._done is None:
            self._done = anyio.Event()
            self._unit.context.tasks.start_soon(self._run, self._done)

    async def wait(self) -> None:
        """Return once nothing that is to be swept is left."""
        while self._done is not None:
            await self._done.wait()

    async def _run(self, done: anyio.Event) -> None:
        unit = self._unit
        try:
            with anyio.move_on_after(_DELAY_S):
                await unit.until(lambda _: not self._is_busy())
            swept = -1
            while swept < self._upto:
                upto = self._upto
                ended = await self._ended()
                for generation in ended:
                    if generation > swept:
                        await self._sweep(generation)
                # Not those that ended meanwhile; and the newest tells how it ended.
                below = min(unit.record.generation, max(ended, default=-1) + 1)
                await to_thread.run_sync(unit.directories.remove_runs, below)
                # Nothing is awaited from here to the end, so what came meanwhile is seen.
                swept = upto
        except OSError as error:
            logger.warning("Cannot clean up after %s: %s", unit.name, error)
        finally:
            self._done = None
            done.set()

    async def _ended(self) -> list[int]:
        numbers = await to_thread.run_sync(self._unit.directories.generations)
        newest = self._unit.record.generation
        return [number for number in numbers if number <= self._upto or number < newest]

    async def _sweep(self, generation: int) -> None:
        unit = self._unit
        assert self._executor is not None  # noqa: S101 - `begin` has set it
        try:
            for command in await self._executor.sweep(unit.directories.run(generation)):
                unit.context.publish(EventKind.SURVIVOR_FOUND, unit.name, command=command)
        except StopFailed as error:
            unit.context.publish(EventKind.SURVIVOR_FOUND, unit.name, message=str(error))
