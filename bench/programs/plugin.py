"""A plugin whose action does nothing."""

from __future__ import annotations

from harness.actions import ActionSet, action
from harness.plugins import hookimpl


class Nothing(ActionSet):
    """One action, of the daemon."""

    @action()
    async def nothing(self) -> None:
        """Do nothing."""


@hookimpl
def harness_daemon_actions() -> list[type[ActionSet]]:
    """Bring the action."""
    return [Nothing]
