"""What observers of a plugin are told: that a unit's state has changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from inspect import iscoroutinefunction
from typing import Any

from harness.model import Event, ServiceState

__all__ = ["Observer", "Transition", "checked_observer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A unit's state has changed.

    Attributes:
        number: of the event that says so; it grows.
        at: when, aware UTC.
        project: the unit's project.
        unit: its name.
        old: the state before.
        new: the state since then.
        ready: it can be used since then.
        reason: why, in a few words; None where that is plain.
        pid: its main process, where there is one.
    """

    number: int
    at: datetime
    project: str
    unit: str
    old: ServiceState
    new: ServiceState
    ready: bool
    reason: str | None
    pid: int | None

    @classmethod
    def of(cls, event: Event) -> Transition:
        """Return what an event of a changed state says."""
        data = event.data
        return cls(
            number=event.number,
            at=event.at,
            project=event.project or "",
            unit=event.unit or "",
            old=ServiceState(data["old"]),
            new=ServiceState(data["new"]),
            ready=bool(data.get("ready")),
            reason=data.get("reason"),
            pid=data.get("pid"),
        )


Observer = Callable[[Transition], Awaitable[None]]
"""Called with one transition after the other, in order."""


def checked_observer(observer: Any) -> str:
    """Return an observer's name.

    Raises:
        TypeError: it is no async function.
    """
    if not iscoroutinefunction(observer) and not iscoroutinefunction(
        getattr(observer, "__call__", None)  # noqa: B004 - an object may be one, too
    ):
        raise TypeError(f"{observer!r} is no async function")
    return str(getattr(observer, "__name__", type(observer).__name__))
