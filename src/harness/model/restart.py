"""When a unit that ended is started again, and how long the harness waits before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Backoff", "RestartMode", "RestartPolicy"]


class RestartMode(StrEnum):
    """When to start again.

    Unless-stopped: always, and also after the daemon itself was restarted.
    """

    NO = "no"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"
    UNLESS_STOPPED = "unless-stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Growing delays between restarts.

    Restart n (from 1) waits `initial_s * factor**(n-1)` seconds, at most `max_s`. The
    first restart after a calm period of `reset_after_s` waits `initial_s` again. `jitter` is the
    share of the delay that is random, from 0 to 1.
    """

    initial_s: float = 0.1
    factor: float = 2.0
    max_s: float = 30.0
    jitter: float = 0.1
    reset_after_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """When and how often to start again.

    Attributes:
        mode: which ends lead to a restart.
        max_attempts: restarts within `window_s` seconds before the unit counts as failed (a crash
            loop); None is no limit.
        window_s: length of that window; None counts since the last calm period.
        backoff: the delays between attempts.
    """

    mode: RestartMode = RestartMode.NO
    max_attempts: int | None = 5
    window_s: float | None = None
    backoff: Backoff = field(default_factory=Backoff)
