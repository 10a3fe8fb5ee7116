"""What the checks of units find."""

from __future__ import annotations

import builtins
from typing import Any

from .connection import Connection

__all__ = ["Health"]

_CHECK_TIMEOUT_S = 600.0


class Health:
    """Methods `health.*`; both return [{unit, state, stages, liveness}]."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, *, project: str, unit: str | None = None) -> builtins.list[dict[str, Any]]:
        """Return what the checks of a unit, or of all, have found so far."""
        result: builtins.list[dict[str, Any]] = await self._connection.call(
            "health.list", {"project": project, "unit": unit}
        )
        return result

    async def check(self, *, project: str, unit: str) -> builtins.list[dict[str, Any]]:
        """Run each check of a unit once, now."""
        result: builtins.list[dict[str, Any]] = await self._connection.call(
            "health.check", {"project": project, "unit": unit}, timeout_s=_CHECK_TIMEOUT_S
        )
        return result
