"""Long work: started by a call, followed by others."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from .results import OperationStatus

__all__ = ["Operations"]

_GRACE_S = 10.0


class Operations:
    """Methods `operations.*`.

    An operation is {id, verb, project, units, state, started_at, ended_at, error, results}.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self) -> builtins.list[OperationStatus]:
        """Return all operations the daemon remembers, oldest first."""
        result: builtins.list[OperationStatus] = await self._connection.call("operations.list")
        return result

    async def get(self, *, id: str) -> OperationStatus:  # noqa: A002 - as on the wire
        """Return one operation."""
        result: OperationStatus = await self._connection.call("operations.get", {"id": id})
        return result

    async def cancel(self, *, id: str) -> None:  # noqa: A002 - as on the wire
        """Ask an operation to end; wait for it to see how it did."""
        await self._connection.call("operations.cancel", {"id": id})

    async def wait(
        self,
        *,
        id: str,  # noqa: A002 - as on the wire
        timeout_s: float | None = None,
    ) -> OperationStatus:
        """Return an operation once it has ended.

        Raises:
            WaitTimeout: not in time.
        """
        limit = None if timeout_s is None else timeout_s + _GRACE_S
        result: OperationStatus = await self._connection.call(
            "operations.wait", {"id": id, "timeout_s": timeout_s}, timeout_s=limit
        )
        return result
