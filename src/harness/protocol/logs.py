"""Output of units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .params import ProjectParams, Result

__all__ = ["LogChunk", "LogEnd", "LogsPosition", "ReadLogsParams"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLogsParams(ProjectParams):
    """Which output."""

    units: tuple[str, ...] = ()
    """Empty: all."""
    tail: int | None = None
    """This many last lines of each unit; null: all that is kept."""
    since: str | None = None
    """ISO 8601."""
    until: str | None = None
    """ISO 8601."""
    grep: str | None = None
    """Regular expression; only lines it is found in."""
    stream: Literal["stdout", "stderr"] | None = None
    """Null: both."""
    follow: bool = False
    """Go on with what comes."""
    unfinished: bool = False
    """When following: send the beginning of a line before its end comes."""
    while_up: bool = False
    """When following: end when all of the units have ended and none is to start again."""
    offsets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Where to go on, unit → stream → the last `end` that was got; nothing before it counts."""
    positions: bool = False
    """When following: tell by `logs.position` where it is, for going on from there."""
    window: int | None = None
    """Send this many bytes ahead of `subscriptions.ack` at most; null: do not wait for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChunk(Result):
    """A piece of one stream of one unit."""

    subscription: str
    unit: str
    stream: str
    at: str | None
    """When it was read, ISO 8601, UTC; null when unknown."""
    text: str
    """Whole lines, or a last one without newline; bytes that are no UTF-8 as lone surrogates."""
    skipped: int = 0
    """Bytes before the text that the log's cap took before they could be read."""
    end: int | None = None
    """Offset in the stream after the text; null where the rest of a longer piece follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsPosition(Result):
    """Nothing before these offsets is still to come.

    Told at the beginning, and when all that was there has been sent.
    """

    subscription: str
    offsets: Mapping[str, Mapping[str, int]]
    """Unit → stream → offset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEnd(Result):
    """There is no more output to come."""

    subscription: str
