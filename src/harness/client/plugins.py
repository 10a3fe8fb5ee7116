"""What the daemon was extended with."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from .results import PluginStatus

__all__ = ["Plugins"]


class Plugins:
    """Methods `plugins.*`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self) -> builtins.list[PluginStatus]:
        """Return {name, source, module, error, brings} of every plugin that was found."""
        result: builtins.list[PluginStatus] = await self._connection.call("plugins.list")
        return result
