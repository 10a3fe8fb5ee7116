from __future__ import annotations

from typing import Any

import pytest

from harness.model import ExitStatus, RestartMode, RestartPolicy, UnitSpec
from harness.supervisor.backoff import RestartHistory
from harness.supervisor.judgement import Ending, judge_ending
from harness.supervisor.machine import Trigger
from tests.unit.supervisor.scene import service, task

WELL, BADLY = ExitStatus(code=0), ExitStatus(code=3)


def judge(
    spec: UnitSpec, status: ExitStatus, history: Any = None, *, failed: bool = False
) -> Ending:
    return judge_ending(
        spec, history or RestartHistory(), status=status, failed=failed, now=1.0, ran_s=0.0,
        jitter=0.0,
    )  # fmt: skip


def restarting(mode: RestartMode, **more: Any) -> UnitSpec:
    return service("s", restart=RestartPolicy(mode=mode, **more))


@pytest.mark.parametrize(
    ("spec", "status", "trigger"),
    [
        (service("s"), WELL, Trigger.ENDED_WELL),
        (service("s"), BADLY, Trigger.FAILED_FOR_GOOD),
        (service("s"), ExitStatus(), Trigger.FAILED_FOR_GOOD),
        (restarting(RestartMode.ON_FAILURE), WELL, Trigger.ENDED_WELL),
        (restarting(RestartMode.ON_FAILURE), BADLY, Trigger.FAILED_AGAIN),
        (restarting(RestartMode.ALWAYS), WELL, Trigger.FAILED_AGAIN),
        (task("t"), WELL, Trigger.ENDED_WELL),
        (task("t"), BADLY, Trigger.FAILED_FOR_GOOD),
        (task("t", retries=1), BADLY, Trigger.FAILED_AGAIN),
        (task("t", retries=1), WELL, Trigger.ENDED_WELL),
    ],
)
def test_an_end_becomes_the_trigger_its_policy_asks_for(spec, status, trigger) -> None:
    assert judge(spec, status).trigger is trigger


def test_a_failure_counts_whatever_the_status_says() -> None:
    assert judge(service("s"), WELL, failed=True).trigger is Trigger.FAILED_FOR_GOOD
    again = judge(restarting(RestartMode.ON_FAILURE), WELL, failed=True)
    assert again.trigger is Trigger.FAILED_AGAIN


def test_a_crash_loop_of_good_ends_is_a_failure() -> None:
    spec = restarting(RestartMode.ALWAYS, max_attempts=0)
    ending = judge(spec, WELL)
    assert ending.crash_loop
    assert ending.trigger is Trigger.FAILED_FOR_GOOD


def test_a_task_is_tried_again_as_often_as_it_says() -> None:
    spec, history, tries = task("t", retries=2), RestartHistory(), 1
    while (ending := judge(spec, BADLY, history)).trigger is Trigger.FAILED_AGAIN:
        history, tries = ending.history, tries + 1
    assert tries == 3
    assert ending.trigger is Trigger.FAILED_FOR_GOOD
