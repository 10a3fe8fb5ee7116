"""When a probe is tried: before its first success, and at its interval after it; pure."""

from __future__ import annotations

from collections.abc import Iterator

from harness.model import CheckSpec, CommandCheck, LogCheck, ProbeSpec, single_checks

__all__ = ["delays", "first_steady_try", "log_checks"]

_QUICK_SHARE = 0.1
_QUICK_GROWTH = 1.5
_SLOW_GROWTH = 1.1
_SLOTS = 20
_LONGEST_SLOT_S = 0.5


def delays(probe: ProbeSpec) -> Iterator[float]:
    """Yield the seconds to wait before the second, third, … try, until one succeeds; endless.

    The first try is made at once. With the defaults the waits are 10, 15, 22, 34, 51, 76, 100 ms,
    then each a tenth longer, up to `interval_s`. So a service that is there at once is noticed
    within 10 ms, and one that takes t seconds within about t / 10 more: a second late after ten.
    A service costs 8 tries in its first 0.3 s, 31 in its first 10 s, 50 in its first minute.

    The quick steps from a tenth of `initial_interval_s` are for checks that only talk to a socket;
    one that starts a program begins with `initial_interval_s`.
    """
    initial = min(probe.initial_interval_s, probe.interval_s)
    delay = initial if _runs_command(probe.check) else initial * _QUICK_SHARE
    while delay < initial:
        yield delay
        delay *= _QUICK_GROWTH
    delay = initial
    while True:
        yield delay
        delay = min(delay * _SLOW_GROWTH, probe.interval_s)


def first_steady_try(*, now: float, interval_s: float, phase: float) -> float:
    """Return when a probe that has passed is tried next; from then on every `interval_s`.

    That is within one interval, so that units that were ready together are not asked together. It
    falls on a mark of a common ruler, half a second or a twentieth of the interval apart: units
    that share a mark are asked in one go, which costs a third of waking up for each of them.

    Args:
        now: monotonic seconds.
        interval_s: the probe's interval.
        phase: from 0 up to 1; 0 is a full interval from now.
    """
    slot_s = min(interval_s / _SLOTS, _LONGEST_SLOT_S)
    return max(round((now + interval_s * (1.0 - phase)) / slot_s) * slot_s, now)


def log_checks(check: CheckSpec) -> Iterator[LogCheck]:
    """Yield the log checks in a check, in order."""
    return (part for part in single_checks(check) if isinstance(part, LogCheck))


def _runs_command(check: CheckSpec) -> bool:
    return any(isinstance(part, CommandCheck) for part in single_checks(check))
