"""When a probe is tried again before its first success."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.health import delays
from harness.health.schedule import first_steady_try, log_checks
from harness.model import (
    CommandCheck,
    CompositeCheck,
    CompositeMode,
    HttpCheck,
    LogCheck,
    ProbeSpec,
    TcpCheck,
)

TCP = TcpCheck(port="1")
COMMAND = CommandCheck(argv=("true",))


def first(probe: ProbeSpec, count: int) -> list[float]:
    return list(islice(delays(probe), count))


def tries_within(probe: ProbeSpec, seconds: float) -> int:
    elapsed, tries = 0.0, 1
    for delay in delays(probe):
        elapsed += delay
        if elapsed > seconds:
            return tries
        tries += 1
    raise AssertionError("the schedule ended")


def test_a_socket_check_is_tried_again_after_ten_milliseconds_and_then_half_as_long_again() -> None:
    steps = first(ProbeSpec(check=TCP), 8)
    assert steps == pytest.approx([0.01, 0.015, 0.0225, 0.03375, 0.050625, 0.0759375, 0.1, 0.11])


def test_a_command_check_begins_with_the_initial_interval() -> None:
    assert first(ProbeSpec(check=COMMAND), 3) == pytest.approx([0.1, 0.11, 0.121])


def test_a_composite_with_a_command_in_it_begins_with_the_initial_interval() -> None:
    check = CompositeCheck(mode=CompositeMode.ALL, checks=(TCP, COMMAND))
    assert first(ProbeSpec(check=check), 1) == [0.1]


def test_the_wait_never_exceeds_the_interval() -> None:
    steps = first(ProbeSpec(check=TCP, interval_s=0.25), 60)
    assert max(steps) == 0.25
    assert steps[-1] == 0.25


def test_an_interval_below_the_initial_one_rules_from_the_start() -> None:
    steps = first(ProbeSpec(check=TCP, interval_s=0.02), 10)
    assert max(steps) == 0.02
    assert steps[0] == pytest.approx(0.002)


@pytest.mark.parametrize("ready_after_s", [0.05, 0.3, 1.0, 5.0, 20.0, 60.0])
def test_a_service_is_noticed_within_a_tenth_of_its_start_time_and_a_tenth_of_a_second(
    ready_after_s: float,
) -> None:
    elapsed = 0.0
    for delay in delays(ProbeSpec(check=TCP)):
        if elapsed >= ready_after_s:
            break
        elapsed += delay
    assert elapsed - ready_after_s <= 0.1 + ready_after_s / 10


@pytest.mark.parametrize(("seconds", "most"), [(0.31, 8), (10, 31), (60, 50)])
def test_few_tries_are_made_while_a_service_starts(seconds: float, most: int) -> None:
    assert tries_within(ProbeSpec(check=TCP), seconds) <= most


def test_log_checks_are_found_at_any_depth_in_order() -> None:
    one, two = LogCheck(pattern="one"), LogCheck(pattern="two")
    inner = CompositeCheck(mode=CompositeMode.ANY, checks=(TCP, two))
    check = CompositeCheck(mode=CompositeMode.ALL, checks=(one, inner, HttpCheck(url="x")))
    assert list(log_checks(check)) == [one, two]


@given(
    now=st.floats(0, 1e6), interval_s=st.floats(0.01, 3600), phase=st.floats(0, 1, exclude_max=True)
)
def test_the_first_steady_try_comes_within_the_interval_and_its_rounding(
    now: float, interval_s: float, phase: float
) -> None:
    due = first_steady_try(now=now, interval_s=interval_s, phase=phase)
    assert now <= due <= now + interval_s * 1.03 + 1e-6


def test_units_that_were_ready_together_are_spread_over_a_few_marks() -> None:
    marks = Counter(first_steady_try(now=123.456, interval_s=10, phase=n / 200) for n in range(200))
    assert all(mark % 0.5 == 0 for mark in marks)
    assert len(marks) >= 20
    assert max(marks.values()) <= 10
