"""Times as people read and write them. Inside and on the wire they are seconds and ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

__all__ = ["DURATION", "MOMENT", "age", "clock_time", "elapsed_s", "parse_duration"]

if TYPE_CHECKING:
    _FloatType = click.ParamType[float]
    _TextType = click.ParamType[str]
else:
    # Older versions of click have no generic parameter types.
    _FloatType = _TextType = click.ParamType

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME_OF_DAY = re.compile(r"\d{2}:\d{2}(?::\d{2}(?:\.\d{3})?)?")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def parse_duration(text: str) -> float | None:
    """Return seconds of `90`, `500ms`, `1h30m`; None when it is no duration."""
    try:
        seconds = float(text)
    except ValueError:
        if not re.fullmatch(f"(?:{_PART.pattern})+", text):
            return None
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return seconds if 0 <= seconds < float("inf") else None


class _Duration(_FloatType):
    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        seconds = parse_duration(value)
        if seconds is None:
            self.fail(f"{value!r} is no duration; write for example 500ms, 10s, 2m or 1h30m")
        return seconds


class _Moment(_TextType):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        ago = parse_duration(value)
        if ago is not None and not value.isdigit():
            return (datetime.now(UTC) - timedelta(seconds=ago)).isoformat()
        try:
            if value.isdigit():
                moment = datetime.fromtimestamp(int(value), UTC)
            else:
                if _TIME_OF_DAY.fullmatch(value):
                    value = f"{datetime.now().astimezone().date()}T{value}"
                moment = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            self.fail(
                f"{value!r} is no time; write how long ago (10m, 1h30m),"
                " 15:56:12 (today), 2026-01-31T12:00:00 or seconds since 1970"
            )
        return moment.isoformat()


DURATION = _Duration()
MOMENT = _Moment()


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
