"""What the checks of units find."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from .results import UnitHealth

__all__ = ["Health"]

_CHECK_TIMEOUT_S = 600.0


class Health:
    """Methods `health.*`; both return [{unit, state, stages, liveness}]."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, *, project: str, unit: str | None = None) -> builtins.list[UnitHealth]:
        """Return what the checks of a unit, or of all, have found so far."""
        result: builtins.list[UnitHealth] = await self._connection.call(
            "health.list", {"project": project, "unit": unit}
        )
        return result

    async def check(self, *, project: str, unit: str) -> builtins.list[UnitHealth]:
        """Run each check of a unit once, now."""
        result: builtins.list[UnitHealth] = await self._connection.call(
            "health.check", {"project": project, "unit": unit}, timeout_s=_CHECK_TIMEOUT_S
        )
        return result
