"""Signals by name."""

from __future__ import annotations

import signal
from functools import lru_cache

__all__ = ["signal_number"]


@lru_cache
def signal_number(name: str) -> int:
    """Return the number of a signal named such as SIGTERM, TERM, SIGRTMIN+3 or 15.

    Raises:
        ValueError: no such signal.
    """
    text = name.strip().upper().removeprefix("SIG")
    base, plus, offset = text.partition("+")
    if text.isdigit():
        number = int(text)
    elif plus and base == "RTMIN" and offset.isdigit():
        number = signal.SIGRTMIN + int(offset)
    else:
        number = int(signal.Signals.__members__.get(f"SIG{text}", 0))
    if number not in signal.valid_signals():
        raise ValueError(f'unknown signal "{name}"')
    return number
