"""A command run beside a service, as a client holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from harness.client import Connection, RemoteProcess
from harness.client.subscription import Subscription


class Calls:
    """Takes calls, and notes how long each may take."""

    def __init__(self) -> None:
        self.limits: dict[str, float | None] = {}

    async def call(
        self, method: str, params: Mapping[str, Any], *, timeout_s: float | None = 60.0
    ) -> None:
        self.limits[method] = timeout_s


async def notify(_: str, __: Mapping[str, Any]) -> None:
    """Acknowledge to nobody."""


async def test_a_command_may_leave_its_input_unread_for_as_long_as_it_likes() -> None:
    calls = Calls()
    subscription = Subscription(window=1, notify=notify)
    process = RemoteProcess(cast("Connection", calls), subscription)
    await process.write(b"x")
    await process.close_stdin()
    assert calls.limits == {"exec.write": None, "exec.close_stdin": 60.0}
