"""What the end of a run means for its unit: pure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import (
    Backoff,
    ExitStatus,
    RestartMode,
    RestartPolicy,
    ServiceSpec,
    TaskSpec,
    UnitSpec,
)

from .backoff import RestartHistory, decide
from .machine import Trigger

__all__ = ["Ending", "judge_ending", "policy_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The trigger an end becomes, with what the next attempt needs."""

    trigger: Trigger
    history: RestartHistory
    delay_s: float = 0.0
    crash_loop: bool = False


def judge_ending(
    spec: UnitSpec,
    history: RestartHistory,
    *,
    status: ExitStatus,
    failed: bool,
    now: float,
    ran_s: float,
    jitter: float,
) -> Ending:
    """Judge how a run ended.

    Args:
        spec: whose run it was.
        history: its earlier restarts.
        status: exit status; all None for a run that never started or whose end nobody saw.
        failed: it counts as a failure whatever the status says (unhealthy, timed out, no output).
        now: monotonic seconds.
        ran_s: for how long it was ready.
        jitter: random, 0 to 1.
    """
    judged = ExitStatus() if failed else status
    decision = decide(policy_of(spec), history, status=judged, now=now, ran_s=ran_s, jitter=jitter)
    if decision.restart:
        trigger = Trigger.FAILED_AGAIN
    elif judged.is_success and not decision.crash_loop:
        trigger = Trigger.ENDED_WELL
    else:
        trigger = Trigger.FAILED_FOR_GOOD
    return Ending(
        trigger=trigger,
        history=decision.history,
        delay_s=decision.delay_s,
        crash_loop=decision.crash_loop,
    )


def policy_of(spec: UnitSpec) -> RestartPolicy:
    """Return when and how often a unit is started again; a task, as often as it may be retried."""
    match spec:
        case ServiceSpec():
            return spec.restart
        case TaskSpec() if spec.retries:
            return RestartPolicy(
                mode=RestartMode.ON_FAILURE, max_attempts=spec.retries, backoff=Backoff()
            )
        case _:
            return RestartPolicy(mode=RestartMode.NO)
