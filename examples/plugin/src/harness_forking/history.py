"""An observer, and the daemon's action that shows what it has seen."""

from __future__ import annotations

from collections import deque

from harness.actions import ActionSet, action
from harness.plugins import Transition

_KEPT = 1000
_seen: deque[Transition] = deque(maxlen=_KEPT)


async def remember(transition: Transition) -> None:
    """Keep a change of state."""
    _seen.append(transition)


class History(ActionSet):
    """What has happened to units."""

    @action()
    async def history(self, unit: str | None = None) -> list[str]:
        """Return the newest changes of state, oldest first, as `PROJECT/UNIT: OLD to NEW`.

        Args:
            unit: only those of units of this name.
        """
        return [
            f"{t.project}/{t.unit}: {t.old} to {t.new}"
            for t in _seen
            if unit is None or t.unit == unit
        ]
