from __future__ import annotations

import pytest

from harness.access import FailedLogins
from harness.errors import TooManyAttempts
from tests.fakes.clock import FakeClock


def fail(logins: FailedLogins, host: str, times: int) -> None:
    for _ in range(times):
        logins.check(host)
        logins.failed(host)


def test_an_address_waits_until_the_window_is_over():
    clock = FakeClock()
    logins = FailedLogins(clock, allowed=3, window_s=60)
    fail(logins, "10.0.0.1", 3)
    clock.advance(20)
    with pytest.raises(TooManyAttempts, match="wait 40 s") as caught:
        logins.check("10.0.0.1")
    assert caught.value.details == {"retry_after_s": 40}
    clock.advance(40)
    logins.check("10.0.0.1")
    fail(logins, "10.0.0.1", 3)


def test_others_need_not_wait():
    logins = FailedLogins(FakeClock(), allowed=1)
    fail(logins, "10.0.0.1", 1)
    logins.check("10.0.0.2")


def test_a_network_of_ipv6_is_one_caller():
    logins = FailedLogins(FakeClock(), allowed=1)
    fail(logins, "2001:db8:0:1::1", 1)
    with pytest.raises(TooManyAttempts):
        logins.check("2001:db8:0:1:ffff::2")
    logins.check("2001:db8:0:2::1")
    logins.check("::1")


def test_few_addresses_are_remembered():
    logins = FailedLogins(FakeClock(), allowed=1, remembered=2)
    for host in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
        fail(logins, host, 1)
    logins.check("10.0.0.1")
    with pytest.raises(TooManyAttempts):
        logins.check("10.0.0.3")


def test_what_is_no_address_counts_too():
    logins = FailedLogins(FakeClock(), allowed=1)
    fail(logins, "somewhere", 1)
    with pytest.raises(TooManyAttempts):
        logins.check("somewhere")
