"""Drives the checks of one run of one unit: which probe is tried, when, and what follows from it.

It does not know what a check does (`CheckRunner`), how results count (`Tally`), or what the
supervisor makes of it: it reports facts to an observer and keeps the last results.
"""

from __future__ import annotations

import random as randomness
from collections import deque
from collections.abc import Callable, Collection

import anyio
from anyio import lowlevel

from harness.clock import Clock
from harness.model import HealthSpec, HealthState, LogCheck, ProbeSpec

from .context import ProbeContext
from .log_watch import LogWatch
from .observation import (
    HealthChanged,
    HealthReport,
    Observer,
    ProbeFinished,
    ProbeReport,
    StageReached,
)
from .runner import CheckRunner, question
from .schedule import delays, first_steady_try, log_checks
from .tally import Tally

__all__ = ["HISTORY_LENGTH", "LIVENESS", "Monitor"]

HISTORY_LENGTH = 20
LIVENESS = "liveness"


class _Probe:
    """One probe that was begun: its name, its count, its newest results."""

    def __init__(self, name: str, spec: ProbeSpec, tally: Tally) -> None:
        self.name = name
        self.spec = spec
        self.tally = tally
        self.history: deque[ProbeFinished] = deque(maxlen=HISTORY_LENGTH)


class Monitor:
    """Watches one run of a unit; made anew when the unit is started again.

    The stages are probed in order, each as `delays` says until it passes. After the last one the
    liveness probe, or without one the last stage's probe, is tried every `interval_s`; the first
    time after a random part of it, so that many units do not ask at once. A log check is followed
    and takes effect the moment its line appears; until then it does not fail. A unit with liveness
    alone is healthy once that has passed.
    """

    def __init__(
        self,
        *,
        spec: HealthSpec,
        runner: CheckRunner,
        context: ProbeContext,
        clock: Clock,
        observe: Observer,
        reached: Collection[str] = (),
        random: Callable[[], float] = randomness.random,
    ) -> None:
        """Prepare; nothing is tried before `run`.

        Args:
            spec: all `${…}` resolved.
            runner: runs the checks.
            context: the unit's place and output.
            clock: paces the tries; a try's own deadline is real time.
            observe: takes the facts.
            reached: stages that an earlier daemon saw this same run reach; they are not probed
                again, and after the last one the unit begins as healthy.
            random: returns numbers from 0 up to 1, for the phase.
        """
        self._spec = spec
        self._runner = runner
        self._context = context
        self._clock = clock
        self._observe = observe
        self._random = random
        names = [stage.name for stage in spec.stages]
        self._reached = [name for name in names if name in reached]
        self._probes: dict[str, _Probe] = {}
        self._current: _Probe | None = None
        self._roused = False
        self._pausing: anyio.CancelScope | None = None
        self._finished: anyio.Event | None = None
        self._last: ProbeFinished | None = None
        self._begun = 0
        self._done = 0
        self._health = self._first_health()
        self._began = clock.monotonic()
        pending = [stage.probe for stage in spec.stages if stage.name not in self._reached]
        pending += [spec.stages[-1].probe] if spec.stages and spec.liveness is None else []
        pending += [spec.liveness] if spec.liveness else []
        checks = (check for probe in pending for check in log_checks(probe.check))
        self._logs = LogWatch(checks, on_change=self._rouse)

    @property
    def health(self) -> HealthState:
        """What the checks found last; `none` if there is no check."""
        return self._health

    @property
    def reached(self) -> tuple[str, ...]:
        """Names of the stages reached, in order."""
        return tuple(self._reached)

    def report(self) -> HealthReport:
        """Return all that is known now, for people and for the text of a timeout."""
        waiting = [s.name for s in self._spec.stages if s.name not in self._reached]
        return HealthReport(
            health=self._health,
            reached=self.reached,
            waiting_for=waiting[0] if waiting else None,
            probes=tuple(self._report(probe) for probe in self._probes.values()),
        )

    async def run(self) -> None:
        """Watch until cancelled; return early when nothing is left that could change.

        That is so without any check, and after a log check that stands alone at the end.
        """
        self._began = self._clock.monotonic()
        if not self._logs.checks:
            await self._drive()
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._logs.follow, self._context)
            await self._drive()
            tasks.cancel_scope.cancel()

    async def check_now(self) -> ProbeFinished | None:
        """Try the current probe at once and return the result, which counts like any other.

        When nothing is tried any more it is the last result, or None if there never was one.
        """
        wanted = self._begun + 1  # a try under way began before it was asked for
        while self._done < wanted and self._current is not None:
            self._rouse()
            self._finished = self._finished or anyio.Event()
            await self._finished.wait()
        return self._last

    # ── the order of probes ──────────────────────────────────────────────────────────────────────

    async def _drive(self) -> None:
        try:
            probe = await self._readiness()
            if probe is not None and not isinstance(probe.spec.check, LogCheck):
                await self._keep(probe)
        finally:
            self._current = None
            self._tell_finished()

    async def _readiness(self) -> _Probe | None:
        """Pass every stage; return the probe that is to go on, or None."""
        probe = None
        stages = self._spec.stages
        for stage in stages:
            is_known = stage.name in self._reached
            probe = self._begin(stage.name, stage.probe, is_paced=is_known)
            if is_known:
                continue
            await self._until_passed(probe, then=self._after(stage.name))
        if self._spec.liveness is not None:
            probe = self._begin(LIVENESS, self._spec.liveness, is_paced=bool(stages))
            if not stages:
                await self._until_passed(probe, then=HealthState.HEALTHY)
        return probe

    async def _until_passed(self, probe: _Probe, *, then: HealthState) -> None:
        """Try until the probe passes, which makes the unit's health `then`."""
        check = probe.spec.check
        pauses = delays(probe.spec)
        if isinstance(check, LogCheck) and not self._logs.is_settled(check):
            await self._pause(None)
        while True:
            verdict = await self._try(probe)
            if probe.tally.has_passed:
                self._reach(probe, then)
                return
            if verdict is HealthState.UNHEALTHY and not isinstance(check, LogCheck):
                self._become(HealthState.UNHEALTHY, probe)
            await self._pause(None if isinstance(check, LogCheck) else next(pauses))

    async def _keep(self, probe: _Probe) -> None:
        """Try the probe at its interval for ever."""
        interval_s = probe.spec.interval_s
        due = first_steady_try(
            now=self._clock.monotonic(), interval_s=interval_s, phase=self._random()
        )
        while True:
            await self._pause(max(due - self._clock.monotonic(), 0.0))
            verdict = await self._try(probe)
            if verdict is not None:
                self._become(verdict, probe)
            # From due time to due time, unless a try takes longer than the interval.
            now = self._clock.monotonic()
            due = due + interval_s if now < due + interval_s else now + interval_s

    # ── one try, and the wait between tries ──────────────────────────────────────────────────────

    async def _try(self, probe: _Probe) -> HealthState | None:
        self._roused = False
        self._begun += 1
        result = await self._runner.run(
            probe.spec.check,
            context=self._context,
            timeout_s=probe.spec.timeout_s,
            logs=self._logs,
        )
        verdict = probe.tally.add(result.ok, at=self._clock.monotonic())
        last = probe.history[-1].result if probe.history else None
        repeated = last is not None and (last.ok, last.message) == (result.ok, result.message)
        fact = ProbeFinished(
            at=self._clock.now(), probe=probe.name, result=result, repeated=repeated
        )
        probe.history.append(fact)
        self._last = fact
        self._observe(fact)
        self._done += 1
        self._tell_finished()
        return verdict

    async def _pause(self, delay_s: float | None) -> None:
        """Wait `delay_s` seconds, or until roused; None: until then."""
        if self._roused:
            await lowlevel.checkpoint()
            return
        with anyio.CancelScope() as self._pausing:
            await (anyio.sleep_forever() if delay_s is None else self._clock.sleep(delay_s))
        self._pausing = None

    def _tell_finished(self) -> None:
        if self._finished is not None:
            self._finished.set()
            self._finished = None

    def _rouse(self) -> None:
        """End the pause, or the next one if a try is under way."""
        self._roused = True
        if self._pausing is not None:
            self._pausing.cancel()

    # ── what follows from it ─────────────────────────────────────────────────────────────────────

    def _begin(self, name: str, spec: ProbeSpec, *, is_paced: bool) -> _Probe:
        tally = Tally(spec, started=self._clock.monotonic(), is_paced=is_paced)
        probe = _Probe(name, spec, tally)
        self._probes[name] = self._current = probe
        return probe

    def _reach(self, probe: _Probe, then: HealthState) -> None:
        if probe.name != LIVENESS:
            self._reached.append(probe.name)
            after_s = self._clock.monotonic() - self._began
            self._observe(StageReached(at=self._clock.now(), stage=probe.name, after_s=after_s))
        self._become(then, probe)

    def _after(self, stage: str) -> HealthState:
        """Return the health once this stage is reached."""
        is_last = stage == self._spec.stages[-1].name
        return HealthState.HEALTHY if is_last else HealthState.STARTING

    def _become(self, new: HealthState, probe: _Probe) -> None:
        old = self._health
        if new is old:
            return
        self._health = new
        self._observe(
            HealthChanged(
                at=self._clock.now(),
                old=old,
                new=new,
                probe=probe.name,
                message=probe.history[-1].result.message,
            )
        )

    def _first_health(self) -> HealthState:
        if self._spec.stages:
            is_ready = len(self._reached) == len(self._spec.stages)
            return HealthState.HEALTHY if is_ready else HealthState.STARTING
        return HealthState.NONE if self._spec.liveness is None else HealthState.STARTING

    def _report(self, probe: _Probe) -> ProbeReport:
        check = probe.spec.check
        pending = None
        is_done = probe.tally.has_passed or probe.name in self._reached
        if isinstance(check, LogCheck) and not is_done:
            pending = self._logs.outcome(check)[1]
        return ProbeReport(
            probe=probe.name,
            check=question(check),
            tries=probe.tally.tries,
            failures=probe.tally.failures,
            history=tuple(probe.history),
            pending=pending,
        )
