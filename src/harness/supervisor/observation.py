"""Runs a unit's checks and turns what they find into facts about the unit."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

import anyio

from harness.commands import Command, Output, Process
from harness.health import (
    LIVENESS,
    HealthChanged,
    Monitor,
    ProbeFinished,
    StageReached,
    without_absent,
)
from harness.health import Observation as Fact
from harness.model import EventKind, ExitStatus, HealthState

from .launch import Run

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Observation", "UnitProbeContext"]

_SHOWN_OUTPUT_BYTES = 400


class UnitProbeContext:
    """What checks may use of a unit: its place, its environment, its output."""

    def __init__(self, unit: Unit, of: Run) -> None:
        self._unit = unit
        self._run = of

    async def run_command(
        self, argv: tuple[str, ...], *, timeout_s: float
    ) -> tuple[ExitStatus, str]:
        """Run a command where and as the unit runs; return how it ended and its last output."""
        unit = self._unit
        handle = unit.record.handle
        executor = unit.context.executors[handle.executor] if handle is not None else None
        if handle is not None and executor is not None and executor.capabilities.exec:
            process = await executor.execute(handle, Command(argv=argv))
        else:
            request = self._run.request
            command = Command(
                argv=argv,
                env=request.env,
                inherit_env=False,
                working_dir=str(request.base_dir),
            )
            process = Process(command)
        tail = b""
        with anyio.fail_after(timeout_s):
            async with process:
                async for event in process:
                    if isinstance(event, Output):
                        tail = (tail + event.data)[-_SHOWN_OUTPUT_BYTES:]
                status = await process.wait()
        return status, tail.decode("utf-8", "replace").strip()

    async def log_lines(self) -> AsyncGenerator[tuple[str, str], None]:
        """Yield (stream, line) of the unit's output since this run started, then follow it."""
        unit = self._unit
        async for stream, line in unit.log.lines_since(unit.record.log_offsets):
            yield stream, line.decode("utf-8", "replace")


class Observation:
    """One run's monitor with the unit as its audience.

    Args:
        unit: whose health.
        of: its run, with resolved checks.
        liveness_failed: called with the message when liveness turned unhealthy.
    """

    def __init__(self, unit: Unit, of: Run, *, liveness_failed: Callable[[str], None]) -> None:
        if of.health is None:
            raise ValueError(f"{unit.name} has no checks")
        self._unit = unit
        self._liveness_failed = liveness_failed
        self.monitor = Monitor(
            spec=without_absent(of.health, unit.context.checks.custom),
            runner=unit.context.checks,
            context=UnitProbeContext(unit, of),
            clock=unit.context.clock,
            observe=self._observe,
            reached=tuple(unit.stages),
            random=unit.context.random,
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        if self.monitor.health is not self._unit.health:
            # An adopted run that was healthy before begins so.
            self._unit.health_changed(self.monitor.health, message="as before the daemon's restart")
        await self.monitor.run()

    def _observe(self, fact: Fact) -> None:
        unit = self._unit
        match fact:
            case ProbeFinished(repeated=False):
                unit.context.publish(
                    EventKind.PROBE_FINISHED,
                    unit.name,
                    stage=fact.probe,
                    ok=fact.result.ok,
                    latency_ms=round(fact.result.latency_s * 1000, 3),
                    message=fact.result.message,
                )
            case StageReached():
                unit.stage_reached(fact.stage, after_s=fact.after_s)
            case HealthChanged():
                unit.health_changed(fact.new, message=fact.message)
                if fact.new is HealthState.UNHEALTHY and fact.probe == LIVENESS:
                    self._liveness_failed(fact.message)
            case _:
                # A repeated result is in the monitor's history and is no news.
                pass
