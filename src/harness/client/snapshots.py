"""Snapshots of stacks."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from .results import OperationRef, SnapshotInfo

__all__ = ["Snapshots"]


class Snapshots:
    """Methods `snapshots.*`.

    A snapshot is {name, created_at, plan, parts, left, tasks}. Calls that start an operation return
    {id, project, after}.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(
        self,
        *,
        project: str,
        name: str,
        require: Sequence[str] = (),
        timeout_s: float | None = None,
    ) -> OperationRef:
        """Start taking a snapshot; `require`: services that must be part of it."""
        params = {
            "project": project,
            "name": name,
            "require": list(require),
            "timeout_s": timeout_s,
        }
        result: OperationRef = await self._connection.call("snapshots.create", params)
        return result

    async def list(self, *, project: str) -> builtins.list[SnapshotInfo]:
        """Return the snapshots of a project, oldest first."""
        result: builtins.list[SnapshotInfo] = await self._connection.call(
            "snapshots.list", {"project": project}
        )
        return result

    async def restore(
        self, *, project: str, name: str, force: bool = False, timeout_s: float | None = None
    ) -> OperationRef:
        """Start restoring a snapshot; `force`: also one of another plan.

        Raises:
            SnapshotMismatch: it is of another plan.
        """
        params = {"project": project, "name": name, "force": force, "timeout_s": timeout_s}
        result: OperationRef = await self._connection.call("snapshots.restore", params)
        return result

    async def remove(self, *, project: str, name: str) -> None:
        """Remove a snapshot."""
        await self._connection.call("snapshots.remove", {"project": project, "name": name})
