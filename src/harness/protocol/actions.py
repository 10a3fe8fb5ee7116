"""Typed actions, of services and of the daemon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .params import Params, Result

__all__ = [
    "ActionEventNotification",
    "ActionInfo",
    "ActionParams",
    "ActionResult",
    "ActionSummary",
    "CancelActionParams",
    "ListActionsParams",
    "RunActionParams",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListActionsParams(Params):
    """Whose actions; without a project only the daemon's."""

    project: str | None = None
    service: str | None = None
    """One service of the project; null: all of them, and the daemon's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionParams(Params):
    """One action."""

    action: str
    """Its name, such as `mine`."""
    project: str | None = None
    service: str | None = None
    """Whose it is; null: the daemon's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunActionParams(ActionParams):
    """An action to run; it is cancelled when the connection ends."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    """By name, as its schema says."""
    run: str | None = None
    """Name that the client gives this run, to cancel it and to know its events."""
    events: bool = False
    """Whether its events are to be sent."""
    timeout_s: float | None = None
    """How long it may take; null: as it is declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelActionParams(Params):
    """A run of this connection."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSummary(Result):
    """One action in a list."""

    name: str
    service: str | None
    service_type: str | None
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInfo(ActionSummary):
    """Everything about an action."""

    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of its parameters, an object."""
    result: Mapping[str, Any]
    """JSON Schema of its result."""
    events: Mapping[str, Mapping[str, Any]]
    """Event's name to the JSON Schema of its data; `progress` and `event-failed` come besides."""
    timeout_s: float | None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Of a result that is a list of objects, as a table: heading to the path of the value in each,
    such as `latest.number`; empty: all that they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult(Result):
    """What an action returned."""

    result: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEventNotification(Result):
    """Something that happened while an action ran; all of them come before its answer."""

    id: str
    """The run's name."""
    name: str
    data: Mapping[str, Any]
    detail: bool = False
    """One of many that say how something larger goes on."""
