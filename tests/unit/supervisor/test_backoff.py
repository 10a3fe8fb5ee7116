from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import Backoff, ExitStatus, RestartMode, RestartPolicy
from harness.supervisor.backoff import Decision, RestartHistory, decide, delay_s

FAILED = ExitStatus(code=1)
WELL = ExitStatus(code=0)
PLAIN = Backoff(initial_s=0.1, factor=2.0, max_s=1.0, jitter=0.0, reset_after_s=10.0)


def policy(mode: RestartMode = RestartMode.ALWAYS, **more) -> RestartPolicy:
    return RestartPolicy(mode=mode, **{"backoff": PLAIN, **more})


def end(
    history: RestartHistory = RestartHistory(),  # noqa: B008 - frozen
    *,
    of: RestartPolicy | None = None,
    status: ExitStatus = FAILED,
    now: float = 0.0,
    ran_s: float = 0.0,
) -> Decision:
    return decide(of or policy(), history, status=status, now=now, ran_s=ran_s, jitter=0.0)


def test_delays_double_up_to_the_longest() -> None:
    delays = [delay_s(PLAIN, attempt, 0.0) for attempt in range(1, 7)]
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


def test_a_very_late_attempt_does_not_overflow() -> None:
    assert delay_s(PLAIN, 10**9, 0.0) == 1.0


@given(st.integers(1, 200), st.floats(0, 1), st.floats(0, 1))
def test_jitter_only_shortens_and_only_by_its_share(attempt, share, jitter) -> None:
    backoff = Backoff(initial_s=0.1, factor=3.0, max_s=7.0, jitter=share)
    longest = delay_s(backoff, attempt, 0.0)
    assert longest * (1 - share) - 1e-9 <= delay_s(backoff, attempt, jitter) <= longest <= 7.0


@given(st.floats(0.001, 10), st.floats(1, 5), st.floats(0.001, 100), st.integers(1, 100))
def test_the_plain_delay_never_shrinks(initial, factor, longest, attempt) -> None:
    backoff = Backoff(initial_s=initial, factor=factor, max_s=longest)
    assert delay_s(backoff, attempt, 0.0) <= delay_s(backoff, attempt + 1, 0.0)


@pytest.mark.parametrize(
    ("mode", "status", "restarts"),
    [
        (RestartMode.NO, FAILED, False),
        (RestartMode.NO, WELL, False),
        (RestartMode.ON_FAILURE, FAILED, True),
        (RestartMode.ON_FAILURE, WELL, False),
        (RestartMode.ON_FAILURE, ExitStatus(signal=15), True),
        (RestartMode.ON_FAILURE, ExitStatus(), True),
        (RestartMode.ALWAYS, WELL, True),
        (RestartMode.ALWAYS, FAILED, True),
        (RestartMode.UNLESS_STOPPED, WELL, True),
    ],
)
def test_the_mode_decides_which_ends_lead_to_a_restart(mode, status, restarts) -> None:
    decision = end(of=policy(mode), status=status)
    assert decision.restart is restarts
    assert not decision.crash_loop


def test_each_restart_waits_longer_than_the_one_before() -> None:
    history, delays = RestartHistory(), []
    for second in range(4):
        decision = end(history, now=float(second))
        history = decision.history
        delays.append(decision.delay_s)
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8])


def test_more_ends_than_attempts_are_a_crash_loop() -> None:
    limited, history, made = policy(max_attempts=2), RestartHistory(), 0
    while (decision := end(history, of=limited)).restart:
        history, made = decision.history, made + 1
    assert made == 2
    assert decision.crash_loop
    assert len(decision.history.ended_at) == 3


def test_no_attempts_allowed_is_a_crash_loop_at_once() -> None:
    assert end(of=policy(max_attempts=0)).crash_loop


def test_without_a_limit_it_is_tried_for_ever() -> None:
    history = RestartHistory()
    for _ in range(100):
        decision = end(history, of=policy(max_attempts=None))
        assert decision.restart
        history = decision.history


def test_ends_outside_the_window_do_not_count() -> None:
    windowed, history = policy(max_attempts=2, window_s=10.0), RestartHistory()
    for now in (0.0, 6.0, 12.0, 18.0, 24.0):
        decision = end(history, of=windowed, now=now)
        assert decision.restart
        history = decision.history
    assert end(history, of=windowed, now=25.0).crash_loop


def test_the_delay_goes_on_growing_although_the_window_moves() -> None:
    windowed = policy(max_attempts=1, window_s=1.0)
    first = end(of=windowed, now=0.0)
    second = end(first.history, of=windowed, now=5.0)
    assert second.delay_s > first.delay_s


def test_a_calm_period_resets_delay_and_count() -> None:
    worn = RestartHistory(attempts=5, ended_at=(1.0, 2.0, 3.0))
    decision = end(worn, of=policy(max_attempts=3), now=20.0, ran_s=10.0)
    assert decision.restart
    assert decision.delay_s == pytest.approx(0.1)
    assert decision.history == RestartHistory(attempts=1, ended_at=(20.0,))


def test_a_run_shorter_than_the_calm_period_resets_nothing() -> None:
    worn = RestartHistory(attempts=3, ended_at=(1.0, 2.0, 3.0))
    assert end(worn, of=policy(max_attempts=3), now=20.0, ran_s=9.99).crash_loop
