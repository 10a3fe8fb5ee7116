"""Streams of notifications that belong to a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.daemon.dispatcher import Handler
from harness.protocol import Empty

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import AckParams, SubscriptionParams

__all__ = ["handlers"]


def handlers(_: Wiring) -> dict[str, Handler]:
    """Return the handlers of `subscriptions.*`."""

    async def cancel(params: SubscriptionParams, call: Call) -> Empty:
        call.session.cancel_channel(params.subscription)
        return Empty()

    async def ack(params: AckParams, call: Call) -> Empty:
        call.session.acknowledge(params.subscription, params.bytes)
        return Empty()

    return {"subscriptions.cancel": cancel, "subscriptions.ack": ack}
