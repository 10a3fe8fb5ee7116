"""The health of one unit over time, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from harness.errors import HandleLost
from harness.health import (
    HISTORY_LENGTH,
    LIVENESS,
    CheckRunner,
    HealthChanged,
    Monitor,
    ProbeFinished,
    StageReached,
)
from harness.model import (
    CheckSpec,
    CommandCheck,
    CompositeCheck,
    CompositeMode,
    HealthSpec,
    HealthState,
    LogCheck,
    ProbeSpec,
    Stage,
)
from tests.fakes.clock import FakeClock
from tests.unit.health.scripted import Recorder, ScriptedUnit

COMMAND = CommandCheck(argv=("check",))
READY_LINE = LogCheck(pattern="ready")


def probe(check: CheckSpec = COMMAND, **settings: float) -> ProbeSpec:
    fields = {"interval_s": 10.0, **settings}
    return ProbeSpec(check=check, **fields)  # type: ignore[arg-type]


def staged(*stages: tuple[str, ProbeSpec], liveness: ProbeSpec | None = None) -> HealthSpec:
    return HealthSpec(
        stages=tuple(Stage(name=name, probe=spec) for name, spec in stages), liveness=liveness
    )


class Watched:
    """A unit, its monitor, the clock and what was observed."""

    def __init__(
        self, spec: HealthSpec, runner: CheckRunner, reached: tuple[str, ...], phase: float
    ) -> None:
        self.clock = FakeClock()
        self.unit = ScriptedUnit(time=self.clock.monotonic)
        self.seen = Recorder()
        self.monitor = Monitor(
            spec=spec,
            runner=runner,
            context=self.unit,
            clock=self.clock,
            observe=self.seen,
            reached=reached,
            random=lambda: phase,
        )
        self.ended = anyio.Event()

    async def run(self) -> None:
        await self.monitor.run()
        self.ended.set()


@asynccontextmanager
async def watching(
    spec: HealthSpec,
    *,
    reached: tuple[str, ...] = (),
    phase: float = 0.0,
    prepare: Callable[[ScriptedUnit], object] = lambda _: None,
) -> AsyncIterator[Watched]:
    async with anyio.create_task_group() as tasks:
        watched = Watched(spec, CheckRunner(), reached, phase)
        prepare(watched.unit)
        tasks.start_soon(watched.run)
        await watched.clock.settle()
        with anyio.fail_after(10):
            yield watched
        tasks.cancel_scope.cancel()


def failing(unit: ScriptedUnit) -> None:
    unit.code = 1


# ── readiness ────────────────────────────────────────────────────────────────────────────────────


async def test_a_passing_check_makes_the_unit_healthy_at_once() -> None:
    async with watching(staged(("ready", probe()))) as it:
        first, second, third = it.seen.facts
    assert isinstance(first, ProbeFinished)
    assert (first.probe, first.result.ok, first.repeated) == ("ready", True, False)
    assert second == StageReached(at=it.clock.now(), stage="ready", after_s=0.0)
    assert third == HealthChanged(
        at=it.clock.now(),
        old=HealthState.STARTING,
        new=HealthState.HEALTHY,
        probe="ready",
        message="exit status 0",
    )


async def test_a_failing_check_is_tried_ever_more_slowly_until_it_passes() -> None:
    async with watching(staged(("ready", probe())), prepare=failing) as it:
        await it.clock.run_for(0.35)
        assert it.unit.called_at == [0.0, 0.1, 0.21, 0.331]
        assert it.seen.changes == []
        it.unit.code = 0
        await it.clock.run_for(0.2)
        assert it.seen.changes == ["starting→healthy"]


async def test_a_unit_is_unhealthy_when_it_fails_for_retries_times_the_interval() -> None:
    async with watching(staged(("ready", probe(retries=2))), prepare=failing) as it:
        await it.clock.run_for(19.9)
        assert it.seen.changes == []
        await it.clock.run_for(3)
        assert it.seen.changes == ["starting→unhealthy"]
        it.unit.code = 0
        await it.clock.run_for(10)
        assert it.seen.changes == ["starting→unhealthy", "unhealthy→healthy"]


async def test_the_start_period_is_added_to_the_patience() -> None:
    spec = staged(("ready", probe(retries=1, interval_s=1, start_period_s=30)))
    async with watching(spec, prepare=failing) as it:
        await it.clock.run_for(30.5)
        assert it.seen.changes == []
        await it.clock.run_for(2)
        assert it.seen.changes == ["starting→unhealthy"]


async def test_stages_are_probed_one_after_the_other_and_health_comes_with_the_last() -> None:
    one, two = LogCheck(pattern="booted"), LogCheck(pattern="synced")
    async with watching(staged(("booted", probe(one)), ("synced", probe(two)))) as it:
        it.unit.write("synced")
        it.unit.write("booted")
        await it.ended.wait()
    assert it.seen.stages == ["booted", "synced"]
    assert it.seen.changes == ["starting→healthy"]
    assert it.monitor.reached == ("booted", "synced")


async def test_a_stage_before_the_last_brings_an_unhealthy_unit_back_to_starting() -> None:
    spec = staged(("booted", probe(retries=1, interval_s=1)), ("ready", probe(READY_LINE)))
    async with watching(spec, prepare=failing) as it:
        await it.clock.run_for(3)
        it.unit.code = 0
        await it.clock.run_for(3)
        assert it.seen.changes == ["starting→unhealthy", "unhealthy→starting"]
        assert it.monitor.report().waiting_for == "ready"


async def test_a_unit_without_checks_has_no_health_and_is_not_watched() -> None:
    async with watching(HealthSpec()) as it:
        await it.ended.wait()
    assert it.monitor.health is HealthState.NONE
    assert it.seen.facts == []


# ── log checks ───────────────────────────────────────────────────────────────────────────────────


async def test_a_log_stage_is_reached_the_moment_the_line_appears() -> None:
    async with watching(staged(("ready", probe(READY_LINE)))) as it:
        it.unit.write("booting")
        await it.clock.run_for(1000)
        assert it.seen.facts == []
        assert it.monitor.report().probes[0].message == "no match for /ready/ in 1 line of output"
        it.unit.write("ready", "stderr")
        await it.ended.wait()
        assert it.seen.stages == ["ready"]
        assert it.monitor.health is HealthState.HEALTHY
        assert it.unit.closed == 1


async def test_a_line_written_during_an_earlier_stage_counts() -> None:
    spec = staged(("up", probe()), ("ready", probe(READY_LINE)))
    async with watching(spec, prepare=failing) as it:
        it.unit.write("ready")
        await it.clock.settle()
        it.unit.code = 0
        await it.clock.run_for(1)
        assert it.seen.stages == ["up", "ready"]


async def test_a_line_wakes_a_composite_between_its_tries() -> None:
    check = CompositeCheck(mode=CompositeMode.ALL, checks=(COMMAND, READY_LINE))
    async with watching(staged(("ready", probe(check)))) as it:
        await it.clock.run_for(60)
        tried = len(it.unit.called_at)
        it.unit.write("ready")
        await it.clock.settle()
        assert it.monitor.health is HealthState.HEALTHY
        assert len(it.unit.called_at) == tried + 1


async def test_output_that_ends_without_the_line_is_told_and_does_not_make_it_unhealthy() -> None:
    async with watching(staged(("ready", probe(READY_LINE, retries=1, interval_s=1)))) as it:
        await it.clock.run_for(60)
        it.unit.end()
        await it.clock.run_for(60)
        (fact,) = it.seen.tries
        assert fact.result.message == (
            "no match for /ready/ in 0 lines of output; the output has ended"
        )
        assert it.monitor.health is HealthState.STARTING


async def test_output_that_cannot_be_read_is_told() -> None:
    def lose(unit: ScriptedUnit) -> None:
        unit.log_error = HandleLost(service="db", executor="docker", cause="container gone")

    async with watching(staged(("ready", probe(READY_LINE))), prepare=lose) as it:
        assert "container gone" in it.seen.tries[0].result.message


# ── after readiness ──────────────────────────────────────────────────────────────────────────────


async def test_without_liveness_the_last_stage_goes_on_at_its_interval() -> None:
    async with watching(staged(("ready", probe(retries=2)))) as it:
        await it.clock.run_for(10)
        it.unit.code = 1
        await it.clock.run_for(10)
        assert it.seen.changes == ["starting→healthy"]
        await it.clock.run_for(10)
        assert it.seen.changes[1:] == ["healthy→unhealthy"]
        it.unit.code = 0
        await it.clock.run_for(10)
        assert it.seen.changes[2:] == ["unhealthy→healthy"]
        assert it.unit.called_at == [0.0, 10.0, 20.0, 30.0, 40.0]
        assert it.seen.stages == ["ready"]


@pytest.mark.parametrize(("phase", "first"), [(0.0, 10.0), (0.25, 7.5), (0.9, 1.0)])
async def test_the_first_try_after_readiness_comes_after_a_random_part_of_the_interval(
    phase: float, first: float
) -> None:
    async with watching(staged(("ready", probe())), phase=phase) as it:
        await it.clock.run_for(25)
        assert it.unit.called_at[1:3] == [first, first + 10]


async def test_a_try_that_takes_longer_than_the_interval_is_followed_by_a_whole_one() -> None:
    async with watching(staged(("ready", probe()))) as it:
        it.unit.during = lambda: it.clock.advance(25)
        await it.clock.run_for(10)
        it.unit.during = lambda: it.clock.advance(4)
        await it.clock.run_for(20)
        assert it.unit.called_at == [0.0, 10.0, 45.0, 55.0]


async def test_liveness_replaces_the_readiness_probe_and_decides_alone() -> None:
    live = probe(interval_s=5, retries=2)
    async with watching(staged(("ready", probe(READY_LINE)), liveness=live)) as it:
        it.unit.code = 1
        await it.clock.run_for(20)
        assert it.unit.called_at == []
        it.unit.write("ready")
        await it.clock.settle()
        await it.clock.run_for(10)
        assert it.unit.called_at == [25.0, 30.0]
        assert it.seen.changes == ["starting→healthy", "healthy→unhealthy"]
        last = it.seen.facts[-1]
        assert isinstance(last, HealthChanged)
        assert (last.probe, last.message) == (LIVENESS, "exit status 1")


async def test_liveness_has_its_start_period() -> None:
    live = probe(interval_s=5, retries=1, start_period_s=12)
    async with watching(staged(("ready", probe(READY_LINE)), liveness=live)) as it:
        it.unit.code = 1
        it.unit.write("ready")
        await it.clock.settle()
        await it.clock.run_for(11)
        assert it.seen.changes == ["starting→healthy"]
        await it.clock.run_for(5)
        assert it.seen.changes[1:] == ["healthy→unhealthy"]


async def test_a_unit_with_liveness_alone_is_healthy_once_that_passed() -> None:
    async with watching(HealthSpec(liveness=probe()), prepare=failing) as it:
        assert it.monitor.health is HealthState.STARTING
        it.unit.code = 0
        await it.clock.run_for(0.2)
        assert it.seen.changes == ["starting→healthy"]
        assert it.seen.stages == []
        await it.clock.run_for(30)
        assert len(it.unit.called_at) == 5


async def test_a_hanging_check_is_ended_at_its_timeout_and_counts_as_failed() -> None:
    async with watching(staged(("ready", probe(timeout_s=0.02, retries=1)))) as it:
        it.unit.code = None
        await it.clock.run_for(10)
        await it.seen.until(lambda seen: "healthy→unhealthy" in seen.changes)
        assert it.unit.cancelled == 1
        assert it.seen.tries[-1].result.message == "no answer within 0.02 s"


# ── an earlier daemon's run ──────────────────────────────────────────────────────────────────────


async def test_stages_reached_before_are_not_probed_again() -> None:
    spec = staged(("booted", probe(READY_LINE)), ("ready", probe()))
    async with watching(spec, reached=("booted",)) as it:
        assert it.seen.stages == ["ready"]
        assert it.seen.changes == ["starting→healthy"]


async def test_a_unit_that_was_ready_begins_healthy_and_can_turn_unhealthy() -> None:
    spec = staged(("ready", probe(retries=2)))
    async with watching(spec, reached=("ready",), prepare=failing) as it:
        assert it.monitor.health is HealthState.HEALTHY
        await it.clock.run_for(10)
        assert it.seen.changes == []
        await it.clock.run_for(10)
        assert it.seen.changes == ["healthy→unhealthy"]


# ── on demand, reports, cancellation ─────────────────────────────────────────────────────────────


async def test_a_check_on_demand_is_made_at_once_and_counts() -> None:
    async with watching(staged(("ready", probe(retries=1)))) as it:
        it.unit.code = 1
        fact = await it.monitor.check_now()
        assert fact is not None
        assert not fact.result.ok
        assert it.monitor.health is HealthState.UNHEALTHY
        assert it.unit.called_at == [0.0, 0.0]


async def test_a_check_on_demand_begins_after_it_was_asked_for() -> None:
    async with watching(staged(("ready", probe(timeout_s=0.05)))) as it:
        it.unit.code = None
        await it.clock.run_for(10)
        assert len(it.unit.called_at) == 2
        it.unit.code = 0
        fact = await it.monitor.check_now()
        assert fact is not None
        assert fact.result.ok
        assert len(it.unit.called_at) == 3


async def test_a_check_on_demand_of_a_log_stage_tells_what_was_read() -> None:
    async with watching(staged(("ready", probe(READY_LINE)))) as it:
        fact = await it.monitor.check_now()
        assert fact is not None
        assert fact.result.message == "no match for /ready/ in 0 lines of output"
        it.unit.write("ready")
        await it.ended.wait()


async def test_a_check_on_demand_answers_the_last_result_when_watching_ended() -> None:
    async with watching(staged(("ready", probe(READY_LINE)))) as it:
        assert await it.monitor.check_now() is not None
        it.unit.write("ready")
        await it.ended.wait()
        fact = await it.monitor.check_now()
        assert fact is not None
        assert fact.result.ok


async def test_a_check_on_demand_does_not_hang_when_watching_is_cancelled() -> None:
    async with anyio.create_task_group() as tasks:
        it = Watched(staged(("ready", probe(timeout_s=60))), CheckRunner(), (), 0.0)
        assert await it.monitor.check_now() is None
        it.unit.code = None
        scope = anyio.CancelScope()

        async def run() -> None:
            with scope:
                await it.run()

        tasks.start_soon(run)
        await it.clock.settle()
        tasks.start_soon(it.monitor.check_now)
        await it.clock.settle()
        scope.cancel()
    assert it.unit.cancelled == 1


async def test_the_history_keeps_the_newest_tries() -> None:
    async with watching(staged(("ready", probe())), prepare=failing) as it:
        await it.clock.run_for(100)
        it.unit.code = 0
        await it.clock.run_for(10)
        (report,) = it.monitor.report().probes
    assert len(report.history) == HISTORY_LENGTH
    assert report.history == tuple(it.seen.tries[-HISTORY_LENGTH:])
    assert report.tries == len(it.unit.called_at)
    assert (report.failures, report.message, report.check) == (0, "exit status 0", "command check")


async def test_a_result_that_says_nothing_new_is_marked() -> None:
    async with watching(staged(("ready", probe())), prepare=failing) as it:
        await it.clock.run_for(0.15)
        it.unit.code = 2
        await it.clock.run_for(0.3)
        assert [fact.repeated for fact in it.seen.tries] == [False, True, False, True]


async def test_a_report_tells_what_is_waited_for_and_how_often_it_failed() -> None:
    spec = staged(("booted", probe()), ("ready", probe(READY_LINE)))
    async with watching(spec, prepare=failing) as it:
        await it.clock.run_for(0.25)
        report = it.monitor.report()
        assert (report.health, report.reached, report.waiting_for) == (
            HealthState.STARTING,
            (),
            "booted",
        )
        assert [(p.probe, p.failures, p.message) for p in report.probes] == [
            ("booted", 3, "exit status 1")
        ]


async def test_cancelling_leaves_no_output_open() -> None:
    async with watching(staged(("ready", probe(READY_LINE)), liveness=probe())) as it:
        pass
    assert it.unit.closed == 1
    assert not it.ended.is_set()
