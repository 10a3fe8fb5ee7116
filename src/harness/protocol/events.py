"""Facts, numbered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .params import Params, Result

__all__ = ["EventNotification", "EventRecord", "ListEventsParams", "SubscribeParams"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEventsParams(Params):
    """Which stored events."""

    after: int = 0
    """Events with higher numbers."""
    limit: int = 1_000
    """At most this many, 10,000 at most."""
    project: str | None = None
    """Null: of all projects and of the daemon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribeParams(Params):
    """Which events, from when on."""

    after: int | None = None
    """Stored events with higher numbers come first; null: only what happens from now on."""
    project: str | None = None
    """Null: of all projects and of the daemon."""
    window: int | None = None
    """Send this many bytes ahead of `subscriptions.ack` at most; null: do not wait for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord(Result):
    """One fact."""

    number: int
    at: str
    """ISO 8601, UTC."""
    kind: str
    project: str | None
    unit: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNotification(Result):
    """One fact for one subscription; of kind `gap` when some were lost."""

    subscription: str
    event: EventRecord
