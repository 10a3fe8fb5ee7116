"""A plugin with an action that does nothing, and one that tells the time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from harness.actions import ActionSet, Call, action
from harness.plugins import hookimpl


@dataclass(frozen=True, kw_only=True)
class Told:
    """It is that late."""

    at_ns: int
    """By the clock that all processes of a machine share."""


class Nothing(ActionSet):
    """Two actions, of the daemon."""

    @action()
    async def nothing(self) -> None:
        """Do nothing."""

    @action(events=[Told])
    async def tell(self, call: Call) -> None:
        """Tell the time."""
        await call.emit(Told(at_ns=time.monotonic_ns()))


@hookimpl
def harness_daemon_actions() -> list[type[ActionSet]]:
    """Bring the actions."""
    return [Nothing]
