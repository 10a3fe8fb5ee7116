"""One run of an action, as its method sees it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError

from harness.validation import adapter

from .declaration import event_name

__all__ = ["ActionEvent", "Call", "EventFailed", "Progress"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEvent:
    """What happened while an action ran.

    Attributes:
        name: such as `block-mined`, `progress` or `event-failed`.
        data: JSON values.
        is_detail: one of many that say how something larger goes on.
    """

    name: str
    data: Mapping[str, Any]
    is_detail: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as it goes over the wire: {name, data}, and `detail` where it is one."""
        detail = {"detail": True} if self.is_detail else {}
        return {"name": self.name, "data": self.data, **detail}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an action is; every action may say so."""

    message: str
    done: float | None = None
    """So many of `total` are done."""
    total: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFailed:
    """An event could not be sent as it was; every action may run into this."""

    event: str
    """Name of the event."""
    message: str
    """Why."""


class Call:
    """One run of an action, or of a setup.

    Args:
        name: what is run.
        events: name → dataclass, what it may tell besides its progress.
        send: takes each event; waits where the caller does not keep up.
    """

    def __init__(
        self,
        name: str,
        events: Mapping[str, type],
        send: Callable[[ActionEvent], Awaitable[None]],
    ) -> None:
        self._known = {**events, "progress": Progress}
        self._name = name
        self._send = send

    async def emit(self, event: object) -> None:
        """Tell the caller that something happened.

        A class of events whose `is_detail` is true is for those of which there are many: commands
        leave them out of what they show, unless details are wanted; everybody else gets them.

        An event that cannot be written as JSON is told as one of the name `event-failed`.

        Raises:
            TypeError: the action's declaration does not have events of this type.
        """
        name = event_name(type(event))
        if self._known.get(name) is not type(event):
            raise TypeError(
                f"{type(event).__name__} is not among the events of {self._name};"
                " name it in @action(events=…), or in setup_events"
            )
        await self._send(_encoded(name, event))

    async def progress(
        self, message: str, *, done: float | None = None, total: float | None = None
    ) -> None:
        """Tell the caller how far it is."""
        await self.emit(Progress(message=message, done=done, total=total))


def _encoded(name: str, event: object) -> ActionEvent:
    try:
        data = adapter(type(event)).dump_python(event, mode="json", warnings="error")
    except PydanticSerializationError as error:
        logger.warning("Cannot send an event %s: %s", name, error)
        failed = EventFailed(event=name, message=str(error).partition("\n")[0])
        return ActionEvent(name="event-failed", data=adapter(EventFailed).dump_python(failed))
    return ActionEvent(name=name, data=data, is_detail=getattr(event, "is_detail", False))
