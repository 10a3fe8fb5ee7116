"""What the daemon was extended with."""

from __future__ import annotations

import builtins
from typing import Any

from .connection import Connection

__all__ = ["Plugins"]


class Plugins:
    """Methods `plugins.*`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self) -> builtins.list[dict[str, Any]]:
        """Return {name, source, module, error, brings} of every plugin that was found."""
        result: builtins.list[dict[str, Any]] = await self._connection.call("plugins.list")
        return result
