"""Streams of notifications that belong to a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .params import Params, Result

__all__ = ["AckParams", "SubscriptionFailed", "SubscriptionParams", "SubscriptionRef"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRef(Result):
    """A new subscription; it ends with the connection."""

    subscription: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionParams(Params):
    """Which subscription."""

    subscription: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AckParams(SubscriptionParams):
    """How much of a subscription with a window has been consumed."""

    bytes: int
    """Length of the consumed messages, as they came; the daemon may send as much again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionFailed(Result):
    """Nothing more will come: it could not go on. It is named as its other messages name it."""

    error: Mapping[str, Any]
    """As in an answer that is an error: {code, message, data}."""
    subscription: str | None = None
    id: str | None = None
