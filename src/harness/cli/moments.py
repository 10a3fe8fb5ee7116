"""Times as people read and write them. Inside and on the wire they are seconds and ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from harness.times import age, clock_time, elapsed_s

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
