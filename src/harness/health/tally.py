"""From results to health: how many failures count, and when; pure, time enters as data."""

from __future__ import annotations

from harness.model import HealthState, ProbeSpec

__all__ = ["Tally"]


class Tally:
    """Counts the results of one probe.

    After the first success, `retries` failures in a row mean unhealthy. Before it failures in the
    first `start_period_s` do not count, and tries may come so fast that counting them would call
    every starting service unhealthy; there it takes failures for as long as `retries` tries at
    `interval_s` would. A success resets everything.

    Attributes:
        tries: results so far.
        failures: failures in a row.
        has_passed: whether there was a success.
    """

    __slots__ = ("_patient_until", "_retries", "failures", "has_passed", "tries")

    def __init__(self, probe: ProbeSpec, *, started: float, is_paced: bool = False) -> None:
        """Begin at `started`, monotonic seconds; `is_paced`: no try comes before `interval_s`."""
        self._retries = probe.retries
        patience_s = 0.0 if is_paced else probe.retries * probe.interval_s
        self._patient_until = started + probe.start_period_s + patience_s
        self.tries = 0
        self.failures = 0
        self.has_passed = False

    def add(self, ok: bool, *, at: float) -> HealthState | None:
        """Take a result; return HEALTHY or UNHEALTHY, or None if nothing can be said yet."""
        self.tries += 1
        if ok:
            self.failures = 0
            self.has_passed = True
            return HealthState.HEALTHY
        self.failures += 1
        if not self.has_passed and at < self._patient_until:
            return None
        return HealthState.UNHEALTHY if self.failures >= self._retries else None
