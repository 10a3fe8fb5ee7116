"""Times in words that people read; everywhere else they are seconds and ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["age", "clock_time", "elapsed_s"]


def age(seconds: float) -> str:
    """Return a span of time in at most two units, such as `0.21 s`, `42 s` or `2m 11s`."""
    if seconds < 1:
        return f"{max(seconds, 0):.2f} s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    whole = int(seconds)
    for big, small, size in (("d", "h", 86400), ("h", "m", 3600), ("m", "s", 60)):
        if whole >= size:
            rest = whole % size // {"d": 3600, "h": 60, "m": 1}[big]
            return f"{whole // size}{big} {rest:02d}{small}"
    return f"{whole} s"


def elapsed_s(since: str, *, until: datetime | str | None = None) -> float:
    """Return the seconds from one moment to another, or to now."""
    if isinstance(until, str):
        until = datetime.fromisoformat(until)
    return ((until or datetime.now(UTC)) - datetime.fromisoformat(since)).total_seconds()


def clock_time(moment: str, *, millis: bool = False) -> str:
    """Return the time of day, in the reader's time zone; with the date when it was not today."""
    local = datetime.fromisoformat(moment).astimezone()
    form = "%H:%M:%S" if local.date() == datetime.now().astimezone().date() else "%Y-%m-%d %H:%M:%S"
    text = local.strftime(form)
    return f"{text}.{local.microsecond // 1000:03d}" if millis else text
