"""How long to wait before a restart, and when to give up; pure.

Time enters as seconds of a monotonic scale, randomness as a number from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.model import Backoff, ExitStatus, RestartMode, RestartPolicy

__all__ = ["Decision", "RestartHistory", "decide", "delay_s"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartHistory:
    """What happened since the last calm period.

    Attributes:
        attempts: consecutive restarts, which set the length of the next delay.
        ended_at: monotonic seconds of the ends that count for the crash-loop limit, oldest first.
    """

    attempts: int = 0
    ended_at: Sequence[float] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows an end.

    Attributes:
        restart: start again after `delay_s` seconds.
        crash_loop: not started again only because the limit is reached.
        history: the history to keep.
    """

    restart: bool
    delay_s: float = 0.0
    crash_loop: bool = False
    history: RestartHistory


def delay_s(backoff: Backoff, attempt: int, jitter: float) -> float:
    """Return the delay before restart number `attempt` (from 1); `jitter` is random, 0 to 1.

    Jitter only ever shortens the delay, so `max_s` holds and delays never shrink by more than it.
    """
    # Past about 60 doublings a float would overflow long after the cap was reached.
    exponent = min(attempt - 1, 64)
    plain = min(backoff.initial_s * backoff.factor**exponent, backoff.max_s)
    return float(plain * (1.0 - backoff.jitter * jitter))


def decide(
    policy: RestartPolicy,
    history: RestartHistory,
    *,
    status: ExitStatus,
    now: float,
    ran_s: float,
    jitter: float,
) -> Decision:
    """Judge an end.

    Args:
        policy: the unit's restart policy.
        history: what came before.
        status: how it ended; a failed start or a failed health check counts as a failure.
        now: monotonic seconds.
        ran_s: how long it was ready before it ended; a calm period resets the history.
        jitter: random, 0 to 1.
    """
    if ran_s >= policy.backoff.reset_after_s:
        history = RestartHistory()
    if not _applies(policy.mode, status):
        return Decision(restart=False, history=history)
    ended_at = [*history.ended_at, now]
    if policy.window_s is not None:
        ended_at = [at for at in ended_at if now - at <= policy.window_s]
    if policy.max_attempts is not None and len(ended_at) > policy.max_attempts:
        return Decision(
            restart=False, crash_loop=True, history=replace(history, ended_at=tuple(ended_at))
        )
    attempts = history.attempts + 1
    return Decision(
        restart=True,
        delay_s=delay_s(policy.backoff, attempts, jitter),
        history=RestartHistory(attempts=attempts, ended_at=tuple(ended_at)),
    )


def _applies(mode: RestartMode, status: ExitStatus) -> bool:
    match mode:
        case RestartMode.NO:
            return False
        case RestartMode.ON_FAILURE:
            return not status.is_success
        case RestartMode.ALWAYS | RestartMode.UNLESS_STOPPED:
            return True
