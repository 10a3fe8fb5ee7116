"""Who is where, over all projects."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from .results import RegistryEntry

__all__ = ["Registry"]


class Registry:
    """Methods `registry.*`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(
        self, *, project: str | None = None, label: str | None = None
    ) -> builtins.list[RegistryEntry]:
        """Return units of one project, or of all, with a label `NAME` or `NAME=VALUE` if given."""
        result: builtins.list[RegistryEntry] = await self._connection.call(
            "registry.list", {"project": project, "label": label}
        )
        return result
