"""The table, alone: complete, connected, and keeping its promises under any sequence of facts."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.model import Backoff, ExitStatus, RestartMode, RestartPolicy, ServiceState
from harness.supervisor.backoff import RestartHistory, decide
from harness.supervisor.machine import TABLE, Effect, IllegalTransition, Step, Trigger, transition

S, T, E = ServiceState, Trigger, Effect

BY_USER = (T.WANTED, T.UNWANTED, T.RESTART)

LISTED = {
    S.STOPPED: {T.WANTED, T.RESTART, T.UNWANTED},
    S.EXITED: {T.WANTED, T.RESTART, T.UNWANTED},
    S.FAILED: {T.WANTED, T.RESTART, T.UNWANTED},
    S.PENDING: {*BY_USER, T.CONDITIONS_MET, T.DEPENDENCY_FAILED},
    S.STARTING: {*BY_USER, T.STARTED, T.REMEMBERED, T.FAILED_AGAIN, T.FAILED_FOR_GOOD},
    S.RUNNING: {
        *BY_USER, T.UNHEALTHY, T.ENDED_WELL, T.FAILED_AGAIN, T.FAILED_FOR_GOOD, T.LOST,
    },
    S.STOPPING: {*BY_USER, T.EMPTY, T.FAILED_AGAIN, T.FAILED_FOR_GOOD, T.STUCK},
    S.BACKOFF: {*BY_USER, T.RETRY_DUE},
    S.UNKNOWN: {
        *BY_USER, T.EMPTY, T.ADOPTED, T.ENDED_WELL, T.FAILED_AGAIN, T.FAILED_FOR_GOOD,
    },
}  # fmt: skip


@pytest.mark.parametrize(("state", "trigger"), list(product(S, T)))
def test_every_pair_is_either_listed_or_refused(state: ServiceState, trigger: Trigger) -> None:
    if trigger in LISTED[state]:
        assert isinstance(transition(state, trigger), Step)
    else:
        with pytest.raises(IllegalTransition, match=trigger.value):
            transition(state, trigger)


def reachable(start: ServiceState, triggers: tuple[Trigger, ...] = tuple(T)) -> set[ServiceState]:
    found, open_states = {start}, [start]
    while open_states:
        state = open_states.pop()
        for trigger in triggers:
            step = TABLE.get((state, trigger))
            if step is not None and step.state not in found:
                found.add(step.state)
                open_states.append(step.state)
    return found


def test_every_state_is_reachable_from_stopped() -> None:
    # Only another daemon's record, or a survivor, makes a unit unknown; stuck stops lead there.
    assert reachable(S.STOPPED) == set(S)


@pytest.mark.parametrize("state", list(S))
def test_every_state_has_a_way_to_stopped(state: ServiceState) -> None:
    assert S.STOPPED in reachable(state)


@pytest.mark.parametrize("state", list(S))
def test_a_user_who_stops_a_unit_needs_only_its_emptiness_to_get_it_stopped(
    state: ServiceState,
) -> None:
    assert S.STOPPED in reachable(state, (T.UNWANTED, T.EMPTY))


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("trigger", BY_USER)
def test_a_user_may_ask_for_anything_in_every_state(state: ServiceState, trigger: Trigger) -> None:
    assert (state, trigger) in TABLE


def test_failed_is_left_only_when_a_user_acts() -> None:
    assert {trigger for state, trigger in TABLE if state is S.FAILED} == set(BY_USER)


def test_only_a_unit_whose_conditions_hold_is_launched() -> None:
    launching = [key for key, step in TABLE.items() if E.LAUNCH in step.effects]
    assert launching == [(S.PENDING, T.CONDITIONS_MET)]


def test_a_unit_is_watched_exactly_when_it_begins_to_run() -> None:
    for (state, _), step in TABLE.items():
        begins = step.state is S.RUNNING and state is not S.RUNNING
        assert (E.WATCH in step.effects) == begins


def test_whatever_enters_stopping_stops() -> None:
    for (state, _), step in TABLE.items():
        enters = step.state is S.STOPPING and state is not S.STOPPING
        assert (E.STOP in step.effects) == enters


def test_leaving_backoff_disarms_the_retry() -> None:
    for (state, trigger), step in TABLE.items():
        if state is S.BACKOFF and trigger is not T.RETRY_DUE:
            assert E.CANCEL_WAITING in step.effects


POLICY = RestartPolicy(
    mode=RestartMode.ON_FAILURE,
    max_attempts=4,
    backoff=Backoff(initial_s=0.1, factor=2.0, max_s=1.0, jitter=0.5, reset_after_s=10.0),
)


class Life(RuleBasedStateMachine):
    """One unit whose effects are carried out by a model: a process is there or it is not."""

    def __init__(self) -> None:
        super().__init__()
        self.state = S.STOPPED
        self.processes = 0
        self.launching = False
        self.stopping = False
        self.armed = False
        self.history = RestartHistory()
        self.now = 0.0
        self.last_plain_s = 0.0

    def post(self, trigger: Trigger) -> None:
        before = self.state
        step = transition(before, trigger)
        if before is S.FAILED and step.state is not S.FAILED:
            assert trigger in BY_USER
        self.state = step.state
        for effect in step.effects:
            match effect:
                case E.LAUNCH:
                    self.launching = True
                case E.STOP:
                    self.stopping, self.launching = True, False
                case E.ARM_RETRY:
                    self.armed = True
                case E.CANCEL_WAITING:
                    self.armed = False
                case _:
                    pass

    def judge(self, *, ran_s: float, jitter: float) -> None:
        calm = ran_s >= POLICY.backoff.reset_after_s
        self.now += ran_s
        decision = decide(
            POLICY, self.history, status=ExitStatus(code=1), now=self.now, ran_s=ran_s,
            jitter=jitter,
        )  # fmt: skip
        if decision.restart:
            plain = min(0.1 * 2.0 ** (decision.history.attempts - 1), 1.0)
            assert plain * 0.5 - 1e-9 <= decision.delay_s <= plain + 1e-9
            assert calm or plain >= self.last_plain_s
            self.last_plain_s = plain
        self.history = decision.history
        self.post(T.FAILED_AGAIN if decision.restart else T.FAILED_FOR_GOOD)

    @rule()
    def user_starts(self) -> None:
        if self.state in (S.STOPPED, S.FAILED, S.EXITED):
            self.history, self.last_plain_s = RestartHistory(), 0.0
        self.post(T.WANTED)

    @rule()
    def user_stops(self) -> None:
        self.post(T.UNWANTED)

    @rule()
    def user_restarts(self) -> None:
        self.post(T.RESTART)

    @precondition(lambda self: self.state is S.PENDING)
    @rule(good=st.booleans())
    def conditions_are_decided(self, good: bool) -> None:
        self.post(T.CONDITIONS_MET if good else T.DEPENDENCY_FAILED)

    @precondition(lambda self: self.launching)
    @rule(how=st.sampled_from(["up", "refused", "remembered"]), jitter=st.floats(0, 1))
    def launch_ends(self, how: str, jitter: float) -> None:
        self.launching = False
        if how == "up":
            self.processes += 1
            self.post(T.STARTED)
        elif how == "remembered":
            self.post(T.REMEMBERED)
        else:
            self.judge(ran_s=0.0, jitter=jitter)

    @precondition(lambda self: self.state is S.RUNNING)
    @rule(ran_s=st.sampled_from([0.0, 1.0, 9.9, 10.0, 60.0]), jitter=st.floats(0, 1))
    def process_dies(self, ran_s: float, jitter: float) -> None:
        self.processes -= 1
        self.judge(ran_s=ran_s, jitter=jitter)

    @precondition(lambda self: self.state is S.RUNNING)
    @rule()
    def process_ends_well(self) -> None:
        self.processes -= 1
        self.post(T.ENDED_WELL)

    @precondition(lambda self: self.state is S.RUNNING)
    @rule()
    def liveness_fails(self) -> None:
        self.post(T.UNHEALTHY)

    @precondition(lambda self: self.stopping)
    @rule(how=st.sampled_from(["empty", "again", "stuck"]), jitter=st.floats(0, 1))
    def stop_ends(self, how: str, jitter: float) -> None:
        self.stopping = False
        if how == "stuck":
            self.post(T.STUCK)
            return
        self.processes = 0
        if how == "empty":
            self.post(T.EMPTY)
        else:
            self.judge(ran_s=0.0, jitter=jitter)

    @precondition(lambda self: self.armed)
    @rule()
    def time_passes(self) -> None:
        self.armed = False
        self.post(T.RETRY_DUE)

    @invariant()
    def there_are_never_two_processes(self) -> None:
        assert 0 <= self.processes <= 1
        assert not (self.processes and self.launching)

    @invariant()
    def nothing_runs_in_a_state_of_rest(self) -> None:
        if self.state in (S.STOPPED, S.EXITED, S.FAILED, S.PENDING, S.BACKOFF):
            assert self.processes == 0
            assert not self.launching
            assert not self.stopping

    @invariant()
    def a_stop_is_always_under_way_while_stopping(self) -> None:
        assert (self.state is S.STOPPING) == self.stopping

    @invariant()
    def a_retry_is_armed_exactly_in_backoff(self) -> None:
        assert self.armed == (self.state is S.BACKOFF)


Life.TestCase.settings = settings(deadline=None, max_examples=150, stateful_step_count=40)
TestLife = Life.TestCase
