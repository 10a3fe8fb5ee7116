"""Durations and sizes as people write them, turned once into seconds and bytes.

Durations: a number is seconds; text is one or more numbers with a unit, such as `500ms`, `10s`,
`1m30s`. Sizes: a number is bytes; `KiB`, `MiB`, `GiB`, `TiB` and the bare letters count in 1024s,
`kB`, `MB`, `GB`, `TB` in 1000s.
"""

from __future__ import annotations

import math
import re

__all__ = ["parse_duration", "parse_size"]

_UNIT_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(us|ms|s|m|h|d)")
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_UNIT_BYTES = {
    "": 1, "b": 1,
    "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40,
    "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40,
    "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
}  # fmt: skip


def parse_duration(value: object) -> float:
    """Return a duration in seconds.

    Raises:
        ValueError: it is neither a number of seconds nor text such as `500ms`, or it is negative.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
        if not math.isfinite(seconds) or seconds < 0:
            raise ValueError(f"a duration cannot be {value}")
        return seconds
    text = value.strip() if isinstance(value, str) else ""
    if _NUMBER.fullmatch(text):
        return float(text)
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(
            f"{_quoted(value)} is no duration; write seconds, or for example 500ms, 10s, 2m, 1h30m"
        )
    return sum(float(number) * _UNIT_S[unit] for number, unit in parts)


def parse_size(value: object) -> int:
    """Return a size in bytes.

    Raises:
        ValueError: it is neither a number of bytes nor text such as `64MiB`, or it is negative.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    factor = _UNIT_BYTES.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise ValueError(f"{_quoted(value)} is no size; write bytes, or for example 64MiB, 10MB")
    return round(float(match[1]) * factor)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
