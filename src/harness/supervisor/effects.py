"""Carries out what the table decided for one unit: launch, watch, stop, wait before a retry.

Each effect is a task with a cancel scope of its own; a trigger from a cancelled effect is dropped,
so nothing that an earlier run set off can disturb a later one. This is the unit's guard: whatever
an executor, a check or a hook raises ends here, as a failure of this unit and of no other.
"""

from __future__ import annotations

import logging
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from harness.commands import end_orphans
from harness.errors import HandleLost, HarnessError, StopFailed
from harness.executors import Executor, StopReport
from harness.health import HealthReport, Monitor
from harness.model import (
    EventKind,
    ExitStatus,
    Goal,
    Handle,
    HealthState,
    ServiceState,
    TaskSpec,
    UnitKind,
)

from .adoption import adopt_run
from .completion import NotCreated, OutputMissing, complete_task, is_done_already
from .hooks import HookFailed, run_hooks
from .judgement import Ending, judge_ending, policy_of
from .launch import Run, discard_run, prepare_run
from .machine import Effect, Trigger
from .named_tasks import NamedTasks, is_cancelled
from .observation import Observation
from .reasons import cause_of, stop_text, waited_probe
from .setup import set_up
from .sweeper import Sweeper

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Effects"]

logger = logging.getLogger(__name__)

_CLEANUP_DEADLINE_S = 30.0
_SOON_S = 0.05
_ADOPTED_S = 1.0


class Effects:
    """The running side of one unit."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._tasks = NamedTasks(unit.context.tasks, owner=self._owner, on_defect=self._take_defect)
        self.run: Run | None = None
        self._ready_at: float | None = None
        self._failure: str | None = None
        self._is_adopted = False
        self.next_delay_s = 0.0
        self.monitor: Monitor | None = None
        self._last_report: HealthReport | None = None
        self.sweeper = Sweeper(unit, is_busy=self._is_about_to_run)

    def carry_out(self, effect: Effect) -> None:
        """Begin an effect; called from the trigger queue."""
        unit = self._unit
        match effect:
            case Effect.AWAIT_CONDITIONS:
                unit.reconsider()
            case Effect.CANCEL_WAITING:
                self._tasks.cancel("retry")
            case Effect.LAUNCH:
                self._tasks.begin("launch", self._launch)
            case Effect.WATCH:
                self._tasks.begin("watch", self._watch)
            case Effect.STOP:
                # At once: what they would still find out must not count any more.
                self._tasks.cancel("launch")
                self._tasks.cancel("watch")
                failure, self._failure = self._failure, None
                self._tasks.begin("stop", lambda: self._stop(failure))
            case Effect.ARM_RETRY:
                unit.next_try_due_s = unit.context.clock.monotonic() + self.next_delay_s
                self._tasks.begin("retry", self._retry)
            case Effect.CLEAN_UP:
                self._tasks.cancel("watch")
                if unit.state is not ServiceState.BACKOFF:
                    unit.context.ports.release(self._owner)

    def report(self) -> HealthReport | None:
        """Return what the checks found in the run there is, else in the one before."""
        return self.monitor.report() if self.monitor is not None else self._last_report

    async def adopt(self) -> None:
        """Find out what became of the run an earlier daemon started."""
        ended = self._tasks.begin("launch", self._adopt)
        await ended.wait()

    def resume_retry(self) -> None:
        """Wait for what is left of the delay that an earlier daemon began."""
        unit = self._unit
        due_at = unit.record.next_try_at
        left = datetime.fromisoformat(due_at) - unit.context.clock.now() if due_at else timedelta()
        # No longer than ever, whatever became of the machine's clock meanwhile.
        longest_s = policy_of(unit.spec).backoff.max_s
        self.next_delay_s = min(max(0.0, left.total_seconds()), longest_s)
        self.carry_out(Effect.ARM_RETRY)

    def sweep_leftovers(self) -> None:
        """Go on with what an earlier daemon did not get to: sweep the runs that have ended."""
        unit = self._unit
        ended = unit.record.generation - (1 if unit.is_live else 0)
        if any(number <= ended for number in unit.directories.generations()):
            self.sweeper.begin(ended, self._executor_of(unit.record.handle))

    async def aclose(self) -> None:
        """Cancel every effect and wait until they have ended."""
        await self._tasks.aclose()
        await self.sweeper.wait()

    def _post(self, trigger: Trigger, *, reason: str | None = None) -> None:
        """Post a trigger from within an effect, unless that was cancelled meanwhile."""
        if not is_cancelled():
            self._unit.post(trigger, reason=reason)

    def _take_defect(self, effect: str) -> None:
        """End a run that is not looked after any more, or say that it cannot be ended."""
        reason = "a defect in the harness; its log says more"
        match self._unit.state:
            case ServiceState.STARTING | ServiceState.RUNNING:
                self._failure = reason
                self._unit.post(Trigger.RESTART, reason=reason)
            case ServiceState.STOPPING if effect == "stop":
                self._unit.post(Trigger.STUCK, reason=reason)
            case _:
                self._unit.record.reason = reason

    # ── launch ───────────────────────────────────────────────────────────────────────────────────

    async def _launch(self) -> None:
        unit = self._unit
        try:
            if unit.context.starts is None:
                await self._start()
            else:
                async with unit.context.starts:
                    await self._start()
        except (HarnessError, HookFailed, OSError) as error:
            self._failed_to_start(error)

    async def _start(self) -> None:
        unit = self._unit
        self._last_report = None
        run = self.run = await prepare_run(unit)
        if unit.kind is UnitKind.TASK and await is_done_already(unit, run.request, run.input_hash):
            unit.context.publish(
                EventKind.TASK_COMPLETED,
                unit.name,
                outputs=unit.record.outputs,
                skipped=True,
            )
            discard_run(run)
            unit.was_remembered = True
            self._post(Trigger.REMEMBERED, reason="it was done already, with the same inputs")
            return
        unit.forces_run = unit.was_remembered = False
        await run_hooks("pre_start", run.hooks.pre_start, unit=unit, run=run)
        executor = unit.context.executors[unit.spec.type]
        self._take(await executor.start(run.request))
        self._post(Trigger.STARTED)

    def _take(self, handle: Handle) -> None:
        """Note the handle before anything else can happen."""
        record = self._unit.record
        record.handle = handle
        record.started_at = self._unit.context.clock.now().isoformat()
        record.exit = None
        self._is_adopted = False
        self._ready_at = None

    def _failed_to_start(self, error: Exception) -> None:
        unit = self._unit
        unit.record.handle = None
        self._conclude(ExitStatus(), reason=f"it could not be started: {cause_of(error)}")

    # ── adoption ─────────────────────────────────────────────────────────────────────────────────

    async def _adopt(self) -> None:
        unit = self._unit
        was_stopping = unit.was_stopping
        try:
            recovery = await adopt_run(unit)
        except HarnessError as error:
            unit.record.reason = f"it cannot be found again: {error}"
            return
        await end_orphans(f"HARNESS_UNIT={unit.marker}")
        if recovery.handle is not None:
            if unit.record.handle is None:
                self._take(recovery.handle)
            unit.record.handle = recovery.handle
            self._is_adopted = True
            unit.context.ports.hold(self._owner, unit.record.ports, unit.spec.ports)
            unit.context.publish(EventKind.UNIT_ADOPTED, unit.name, pid=recovery.handle.pid)
            is_restarting = was_stopping and unit.goal is Goal.UP
            unit.post(Trigger.RESTART if is_restarting else Trigger.ADOPTED)
            return
        # Its main process ended, perhaps unseen; others of its processes may go on.
        self.sweeper.begin(unit.record.generation, self._executor_of(unit.record.handle))
        await self.sweeper.wait()
        if recovery.exit is not None and not was_stopping and unit.goal is Goal.UP:
            await self._take_end(recovery.exit, expected=ServiceState.UNKNOWN)
        else:
            unit.record.handle = None
            unit.ended_as(recovery.exit or unit.record.exit)
            unit.post(Trigger.EMPTY)
            if unit.goal is Goal.UP:
                unit.post(Trigger.WANTED)

    # ── watch ────────────────────────────────────────────────────────────────────────────────────

    async def _watch(self) -> None:
        unit = self._unit
        handle = unit.record.handle
        if handle is None:
            raise RuntimeError(f"{self._owner} runs without a handle")
        if self._has_more_to_watch():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch_health)
                tasks.start_soon(self._watch_deadline)
                status = await self._await_end(handle)
                tasks.cancel_scope.cancel()
        else:
            self._note_ready()
            status = await self._await_end(handle)
        ended = unit.record.generation
        executor = self._executor_of(handle)
        if not executor.seems_gone(handle):
            # Whatever the main process left behind is ended before another run may start.
            with anyio.CancelScope(shield=True):
                await self._end_stragglers(handle)
        await self._take_end(status, expected=ServiceState.RUNNING)
        if unit.state is not ServiceState.STOPPING:
            # A stop sees to what is left by itself, and gives it the time that it may take.
            self.sweeper.begin(ended, executor)

    def _has_more_to_watch(self) -> bool:
        """Tell whether anything but the end of the run matters; most units have nothing more."""
        spec = self._unit.spec
        has_limit = isinstance(spec, TaskSpec) and spec.timeout_s is not None
        is_watched = spec.health is not None or bool(spec.hooks.post_start)
        return has_limit or is_watched or self._unit.has_setup

    async def _await_end(self, handle: Handle) -> ExitStatus:
        try:
            return await self._executor_of(handle).wait(handle)
        except HandleLost as error:
            logger.warning("%s", error, extra={"service": self._unit.name})
            return ExitStatus()

    async def _watch_health(self) -> None:
        unit = self._unit
        try:
            run = self.run = self.run or await prepare_run(unit, anew=False)
        except HarnessError as error:
            # Adopted, and what its checks ask for has no value any more: it goes on, not ready.
            unit.health_changed(HealthState.UNHEALTHY, message=str(error))
            return
        if unit.record.awaits_hooks:
            # Also those that an earlier daemon began: how they ended nobody saw.
            try:
                await run_hooks("post_start", run.hooks.post_start, unit=unit, run=run)
            except HookFailed as error:
                self._stop_failed_run(str(error))
                return
            unit.hooks_succeeded()
        if run.health is None:
            await self._set_up()
            self._note_ready()
            return
        observation = Observation(unit, run, liveness_failed=self._liveness_failed)
        self.monitor = observation.monitor
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(observation.run)
                await unit.until(lambda changed: changed.is_usable)
                await self._set_up()
        finally:
            self._last_report = observation.monitor.report()
            self.monitor = None

    async def _set_up(self) -> None:
        unit = self._unit
        if unit.has_setup and unit.context.setups is not None:
            cause = await set_up(unit, unit.context.setups)
            if cause is not None:
                self._stop_failed_run(f"its setup failed: {cause}")

    def _liveness_failed(self, message: str) -> None:
        self._stop_failed_run(f"its liveness check failed: {message}")

    def _note_ready(self) -> None:
        if self._ready_at is None:
            self._ready_at = self._unit.context.clock.monotonic()

    async def _watch_deadline(self) -> None:
        unit = self._unit
        if unit.kind is UnitKind.TASK:
            limit_s = unit.task.timeout_s
            if limit_s is None:
                return
            await unit.context.clock.sleep(self._left_of(limit_s))
            self._stop_failed_run(f"it was still running after {limit_s:g} s, its timeout")
            return
        if unit.spec.health is None:
            return
        limit_s = unit.spec.startup_timeout_s
        async with anyio.create_task_group() as tasks:
            if math.isfinite(limit_s):
                tasks.start_soon(self._expire, limit_s)
            await unit.until(lambda changed: changed.is_usable)
            self._note_ready()
            tasks.cancel_scope.cancel()

    def _left_of(self, limit_s: float) -> float:
        """Return what is left of a limit; an adopted run has used some of it."""
        started_at = self._unit.record.started_at
        if not self._is_adopted or started_at is None:
            return limit_s
        ran_s = self._unit.context.clock.now() - datetime.fromisoformat(started_at)
        return max(0.0, limit_s - max(0.0, ran_s.total_seconds()))

    async def _expire(self, limit_s: float) -> None:
        # One that was ready before it was adopted is found to be so at once.
        await self._unit.context.clock.sleep(max(self._left_of(limit_s), min(limit_s, _ADOPTED_S)))
        text = f"it was not ready {limit_s:g} s after its start"
        probe = waited_probe(self.report())
        if probe is not None and probe.message:
            text += f": {probe.message}"
        if probe is not None and probe.tries:
            text += " (1 try)" if probe.tries == 1 else f" ({probe.tries} tries)"
        self._stop_failed_run(text)

    def _stop_failed_run(self, reason: str) -> None:
        if self._unit.state is ServiceState.RUNNING and not is_cancelled():
            self._failure = reason
            self._unit.post(Trigger.UNHEALTHY, reason=reason)

    async def _end_stragglers(self, handle: Handle) -> None:
        unit = self._unit
        stop = self._executor_of(handle).stop
        try:
            with anyio.move_on_after(_CLEANUP_DEADLINE_S):
                report = await stop(handle, stop_signal=unit.spec.stop_signal, timeout_s=0.0)
                for command in report.stragglers:
                    unit.context.publish(EventKind.SURVIVOR_FOUND, unit.name, command=command)
        except StopFailed as error:
            unit.context.publish(EventKind.SURVIVOR_FOUND, unit.name, message=str(error))

    async def _take_end(self, status: ExitStatus, *, expected: ServiceState) -> None:
        """Judge the end of a run that nobody asked for.

        Once the unit is no longer in the expected state somebody did ask, and a stop is under way
        that finds out about the end by itself.
        """
        unit = self._unit
        if unit.state is not expected:
            return
        unit.ended_as(status)
        unit.record.handle = None
        if is_cancelled():
            # It is being stopped: the stop says what its end means.
            return
        if unit.kind is UnitKind.TASK and status.is_success:
            try:
                run = self.run or await prepare_run(unit, anew=False)
                await complete_task(unit, run.input_hash)
            except (NotCreated, OutputMissing, HarnessError, OSError) as error:
                self._conclude(ExitStatus(code=0), reason=cause_of(error), failed=True)
                return
        if unit.state is expected:
            self._conclude(status, reason=None)

    def _conclude(self, status: ExitStatus, *, reason: str | None, failed: bool = False) -> None:
        """Post what the restart policy makes of an end."""
        unit = self._unit
        ready_at, self._ready_at = self._ready_at, None
        now = unit.context.clock.monotonic()
        ending = judge_ending(
            unit.spec,
            unit.history,
            status=status,
            failed=failed,
            now=now,
            ran_s=0.0 if ready_at is None else now - ready_at,
            jitter=unit.context.random(),
        )
        unit.note_history(ending.history)
        self.next_delay_s = ending.delay_s
        if ending.crash_loop:
            unit.context.publish(
                EventKind.CRASH_LOOP_DETECTED, unit.name, attempts=len(ending.history.ended_at)
            )
        self._post(ending.trigger, reason=_why(status, reason, ending))

    # ── stop ─────────────────────────────────────────────────────────────────────────────────────

    async def _stop(self, failure: str | None) -> None:
        """Stop the run; `failure` says why the harness itself wants that, None when a user does."""
        unit = self._unit
        await self._tasks.end("launch")
        try:
            handle = unit.record.handle or (await adopt_run(unit)).handle
            if handle is None:
                await self._tasks.end("watch")
                self.sweeper.begin(unit.record.generation, self._executor_of(None))
            # Empty means that nothing of earlier runs is left either.
            await self.sweeper.wait()
            report = await self._stop_run(handle) if handle is not None else None
        except HarnessError as error:
            if isinstance(error, StopFailed):
                unit.context.publish(EventKind.SURVIVOR_FOUND, unit.name, message=str(error))
            unit.post(Trigger.STUCK, reason=cause_of(error))
            return
        has_exit = handle is not None and self._executor_of(handle).capabilities.starts
        unit.record.handle = None
        if report is not None:
            unit.ended_as(report.exit if has_exit else None)
        if failure is not None and unit.goal is Goal.UP:
            self._conclude(ExitStatus(), reason=failure, failed=True)
            return
        # The directory holds the environment, secrets too; how the run ended is in the record.
        below = unit.record.generation + 1
        self._tasks.begin("clean", lambda: to_thread.run_sync(unit.directories.remove_runs, below))
        unit.post(
            Trigger.EMPTY,
            reason=failure
            or unit.stop_cause
            or (
                stop_text(unit.spec, report) if has_exit or report is None else "stopped on request"
            ),
        )
        if unit.goal is Goal.UP and not unit.held:
            unit.post(Trigger.WANTED)

    async def _stop_run(self, handle: Handle) -> StopReport:
        unit = self._unit
        run = await self._run_for_hooks()
        if run is not None:
            await run_hooks("pre_stop", run.hooks.pre_stop, unit=unit, run=run, must_succeed=False)
        await self._tasks.end("watch")
        report = await self._executor_of(handle).stop(
            handle,
            stop_signal=unit.spec.stop_signal,
            timeout_s=unit.spec.shutdown_timeout_s,
        )
        if run is not None:
            await run_hooks(
                "post_stop", run.hooks.post_stop, unit=unit, run=run, must_succeed=False
            )
        return report

    async def _run_for_hooks(self) -> Run | None:
        """Return the run; None when an adopted one's references have no value: it still stops."""
        unit = self._unit
        try:
            return self.run or await prepare_run(unit, anew=False)
        except HarnessError as error:
            logger.error("Cannot run stop hooks of %s: %s", self._owner, error)
            return None

    # ── retry ────────────────────────────────────────────────────────────────────────────────────

    async def _retry(self) -> None:
        await self._unit.context.clock.sleep(self.next_delay_s)
        self._post(Trigger.RETRY_DUE, reason=self._unit.record.reason)

    # ── names ────────────────────────────────────────────────────────────────────────────────────

    @property
    def _owner(self) -> str:
        return f"{self._unit.context.project}/{self._unit.name}"

    def _executor_of(self, handle: Handle | None) -> Executor:
        """Return who made the handle: a changed definition may name another executor."""
        name = self._unit.spec.type if handle is None else handle.executor
        return self._unit.context.executors[name]

    def _is_about_to_run(self) -> bool:
        match self._unit.state:
            case ServiceState.PENDING | ServiceState.STARTING:
                return True
            case ServiceState.BACKOFF:
                return self.next_delay_s < _SOON_S
            case _:
                return False


def _why(status: ExitStatus, reason: str | None, ending: Ending) -> str | None:
    text = reason or str(status)
    if ending.crash_loop:
        count = len(ending.history.ended_at)
        return f"{text}; it ended {count} times and is not started again"
    return text
