"""Failed logins are counted for each address, and an address with too many has to wait.

Remembers a bounded number of addresses; knows nothing of who they are.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict

from harness.clock import Clock
from harness.errors import TooManyAttempts

__all__ = ["FailedLogins"]

_ALLOWED = 10
_WINDOW_S = 60.0
_REMEMBERED = 10_000


class FailedLogins:
    """Counts failures within a window that begins with the first one.

    Args:
        clock: only its monotonic seconds are used.
        allowed: failures of one address in a window.
        window_s: after this long an address starts anew.
        remembered: addresses; the one that was seen longest ago is forgotten for a new one.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        allowed: int = _ALLOWED,
        window_s: float = _WINDOW_S,
        remembered: int = _REMEMBERED,
    ) -> None:
        self._clock = clock
        self._allowed = allowed
        self._window_s = window_s
        self._remembered = remembered
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def check(self, host: str) -> None:
        """Return when this address may try to log in.

        Raises:
            TooManyAttempts: not now; it says when.
        """
        began, count = self._failures.get(_network(host), (0.0, 0))
        left_s = began + self._window_s - self._clock.monotonic()
        if count >= self._allowed and left_s > 0:
            wait_s = math.ceil(left_s)
            raise TooManyAttempts(
                f"cannot log in: {count} logins from {host} failed; wait {wait_s} s",
                hint="check the token that the context names (harness context show)",
                details={"retry_after_s": wait_s},
            )

    def failed(self, host: str) -> int:
        """Take note of a login that failed; return how many have in this window."""
        network, now = _network(host), self._clock.monotonic()
        began, count = self._failures.pop(network, (now, 0))
        if now - began >= self._window_s:
            began, count = now, 0
        self._failures[network] = (began, count + 1)
        if len(self._failures) > self._remembered:
            self._failures.popitem(last=False)
        return count + 1


def _network(host: str) -> str:
    """Return what one caller can call from: an address, of IPv6 the 64 bits that a site has."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 4:
        return host
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.IPv6Network((int(address), 64), strict=False))
