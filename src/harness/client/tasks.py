"""Tasks: units that are to complete once."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .connection import Connection

if TYPE_CHECKING:
    from .results import OperationRef, TaskInfo, TaskStatus

__all__ = ["Tasks"]


class Tasks:
    """Methods `tasks.*`; `source` is what `make_source` returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, *, project: str) -> builtins.list[TaskStatus]:
        """Return the status of every task, with outputs, completed_at and input_hash."""
        result: builtins.list[TaskStatus] = await self._connection.call(
            "tasks.list", {"project": project}
        )
        return result

    async def info(self, *, project: str, task: str) -> TaskInfo:
        """Return what the type of a task takes, tells and returns, as JSON Schemas."""
        result: TaskInfo = await self._connection.call(
            "tasks.info", {"project": project, "task": task}
        )
        return result

    async def run(
        self, *, source: Mapping[str, Any], tasks: Sequence[str], force: bool = False
    ) -> OperationRef:
        """Start running tasks, even completed ones with `force`; return {id, project, after}."""
        params = {"source": source, "tasks": list(tasks), "force": force}
        result: OperationRef = await self._connection.call("tasks.run", params)
        return result

    async def reset(self, *, project: str, tasks: Sequence[str]) -> None:
        """Forget that tasks have completed."""
        await self._connection.call("tasks.reset", {"project": project, "tasks": list(tasks)})
