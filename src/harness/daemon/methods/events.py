"""Facts, numbered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskStatus

from harness.daemon.dispatcher import Handler
from harness.daemon.iteration import iterating
from harness.model import Event
from harness.protocol import SubscriptionRef

if TYPE_CHECKING:
    from harness.daemon.channel import Channel
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import ListEventsParams, SubscribeParams

__all__ = ["handlers"]

_MOST_EVENTS = 10_000
_GATHER_S = 0.005


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `events.*`."""

    async def list_(params: ListEventsParams, _: Call) -> list[Event]:
        limit = max(0, min(params.limit, _MOST_EVENTS))
        return wiring.store.events(after=params.after, limit=limit, project=params.project)

    async def subscribe(params: SubscribeParams, call: Call) -> SubscriptionRef:
        async def run(channel: Channel, status: TaskStatus[None]) -> None:
            with wiring.bus.subscribe(after=params.after, project=params.project) as events:
                status.started()
                async with iterating(events) as iteration:
                    async for event in iteration:
                        await channel.notify("events.event", {"event": _plain(event)})
                        if events.is_drained:
                            # The next ones go together: each message wakes the client up.
                            await anyio.sleep(_GATHER_S)

        return SubscriptionRef(subscription=await call.open_channel(run, window=params.window))

    return {"events.list": list_, "events.subscribe": subscribe}


def _plain(event: Event) -> dict[str, Any]:
    """Return what `json_value` would, at a fraction of its cost; `data` is of JSON's own types."""
    return {
        "number": event.number,
        "at": event.at.isoformat(),
        "kind": event.kind.value,
        "project": event.project,
        "unit": event.unit,
        "data": event.data,
    }
