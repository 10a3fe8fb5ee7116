"""What is left of projects and daemons that nobody will come back for."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from .results import Leftover

__all__ = ["Leftovers"]


class Leftovers:
    """Methods `leftovers.*`.

    One is {kind, name, why, state_dir, pids, removable, adoptable, removed, error, hint}. `under`:
    of other daemons only what belonged to state directories in this one.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, *, under: str | None = None) -> builtins.list[Leftover]:
        """Return what is left; nothing changes."""
        result: builtins.list[Leftover] = await self._connection.call(
            "leftovers.list", {"under": under}
        )
        return result

    async def remove(
        self, *, under: str | None = None, adoptable: bool = False
    ) -> builtins.list[Leftover]:
        """Remove what nobody can want; return all that was found, removed or not.

        Args:
            under: see above.
            adoptable: also what the next daemon of another state directory would go on with.
        """
        params = {"under": under, "adoptable": adoptable}
        result: builtins.list[Leftover] = await self._connection.call(
            "leftovers.remove", params, timeout_s=None
        )
        return result
