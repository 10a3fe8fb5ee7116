from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from harness.model import Condition, Dependency, ServiceState, UnitKind
from harness.supervisor.conditions import judge

S = ServiceState


@dataclass(kw_only=True)
class Other:
    name: str = "db"
    kind: UnitKind = UnitKind.SERVICE
    state: ServiceState = S.RUNNING
    is_ready: bool = False
    is_completed: bool = False
    stages: set[str] = field(default_factory=set)

    def has_reached(self, stage: str) -> bool:
        return stage in self.stages


def on(condition: Condition, stage: str | None = None) -> Dependency:
    return Dependency(on="db", condition=condition, stage=stage)


@pytest.mark.parametrize(
    ("condition", "other", "met"),
    [
        (Condition.STARTED, Other(), True),
        (Condition.STARTED, Other(state=S.STARTING), False),
        (Condition.STARTED, Other(state=S.EXITED, is_completed=True), True),
        (Condition.HEALTHY, Other(is_ready=True), True),
        (Condition.HEALTHY, Other(), False),
        (Condition.COMPLETED, Other(is_ready=True), False),
        (Condition.COMPLETED, Other(state=S.EXITED, is_completed=True), True),
        (Condition.HEALTHY, Other(kind=UnitKind.TASK), False),
        (Condition.HEALTHY, Other(kind=UnitKind.TASK, state=S.EXITED, is_completed=True), True),
        (Condition.STARTED, Other(kind=UnitKind.TASK), True),
    ],
)
def test_a_condition_holds_or_not(condition, other, met) -> None:
    need = judge(on(condition), other)
    assert need.met is met
    assert need.state is other.state


def test_a_stage_is_enough_before_the_unit_is_ready() -> None:
    assert judge(on(Condition.HEALTHY, "booted"), Other(stages={"booted"})).met
    assert not judge(on(Condition.HEALTHY, "synced"), Other(stages={"booted"})).met


def test_a_stage_of_a_run_that_is_over_does_not_count() -> None:
    assert not judge(on(Condition.HEALTHY, "booted"), Other(state=S.BACKOFF, stages={"booted"})).met


@pytest.mark.parametrize("state", list(S))
def test_only_an_end_for_good_is_hopeless(state: ServiceState) -> None:
    need = judge(on(Condition.COMPLETED), Other(state=state))
    assert need.hopeless == (state in (S.FAILED, S.EXITED))


def test_what_holds_is_never_hopeless() -> None:
    assert not judge(on(Condition.COMPLETED), Other(state=S.EXITED, is_completed=True)).hopeless
