"""Tasks beside what a caller does in a context; they end with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

__all__ = ["tasks_beside"]


@asynccontextmanager
async def tasks_beside() -> AsyncIterator[TaskGroup]:
    """Give a task group that is cancelled at the end; what the caller raises is not wrapped."""
    failure: Exception | None = None
    async with anyio.create_task_group() as group:
        try:
            yield group
        except Exception as error:
            failure = error
        finally:
            group.cancel_scope.cancel()
    if failure is not None:
        raise failure
