"""How many failures count, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.health.tally import Tally
from harness.model import HealthState, ProbeSpec, TcpCheck

UNHEALTHY, HEALTHY = HealthState.UNHEALTHY, HealthState.HEALTHY


def probe(**settings: float) -> ProbeSpec:
    retries = int(settings.pop("retries", 3))
    return ProbeSpec(check=TcpCheck(port="1"), retries=retries, **settings)


def test_a_success_is_healthy_at_once() -> None:
    assert Tally(probe(), started=0).add(True, at=0) is HEALTHY


def test_after_a_success_failures_in_a_row_make_it_unhealthy() -> None:
    tally = Tally(probe(), started=0)
    tally.add(True, at=0)
    assert [tally.add(False, at=n) for n in (1, 2, 3, 4)] == [None, None, UNHEALTHY, UNHEALTHY]


def test_a_success_resets_the_count() -> None:
    tally = Tally(probe(retries=2), started=0)
    tally.add(True, at=0)
    tally.add(False, at=1)
    tally.add(True, at=2)
    assert tally.add(False, at=3) is None
    assert tally.failures == 1


def test_quick_failures_before_the_first_success_do_not_make_it_unhealthy() -> None:
    tally = Tally(probe(interval_s=10), started=100)
    assert [tally.add(False, at=100 + n / 100) for n in range(10)] == [None] * 10
    assert tally.add(False, at=129.9) is None
    assert tally.add(False, at=130) is UNHEALTHY


def test_failures_in_the_start_period_do_not_count() -> None:
    tally = Tally(probe(interval_s=1, start_period_s=60), started=0)
    assert [tally.add(False, at=n) for n in range(0, 63, 3)] == [None] * 21
    assert tally.add(False, at=63) is UNHEALTHY


def test_a_success_ends_the_start_period() -> None:
    tally = Tally(probe(retries=1, start_period_s=60), started=0)
    tally.add(True, at=1)
    assert tally.add(False, at=2) is UNHEALTHY


def test_a_single_late_try_is_not_enough_when_several_are_asked_for() -> None:
    tally = Tally(probe(retries=3, interval_s=1), started=0)
    assert tally.add(False, at=1000) is None


def test_a_paced_probe_counts_from_its_first_failure() -> None:
    tally = Tally(probe(retries=2), started=0, is_paced=True)
    assert [tally.add(False, at=n) for n in (1, 2)] == [None, UNHEALTHY]


def test_a_paced_probe_has_its_start_period_too() -> None:
    tally = Tally(probe(retries=1, start_period_s=5), started=10, is_paced=True)
    assert [tally.add(False, at=n) for n in (11, 14.9, 15)] == [None, None, UNHEALTHY]


@given(results=st.lists(st.booleans(), min_size=1), retries=st.integers(1, 5))
def test_unhealthy_means_exactly_that_the_last_retries_failed(
    results: list[bool], retries: int
) -> None:
    tally = Tally(probe(retries=retries), started=0, is_paced=True)
    verdicts = [tally.add(ok, at=n) for n, ok in enumerate(results)]
    tail = results[-retries:]
    is_unhealthy = len(tail) == retries and not any(tail)
    assert (verdicts[-1] is UNHEALTHY) == is_unhealthy
    assert (verdicts[-1] is HEALTHY) == results[-1]
