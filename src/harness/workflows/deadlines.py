"""Work under a deadline of a clock that is injected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from harness.clock import Clock
from harness.errors import WorkflowStepFailed

__all__ = ["within"]

T = TypeVar("T")


async def within(
    clock: Clock, limit_s: float, work: Callable[[], Awaitable[T]], *, late: Callable[[], str]
) -> T:
    """Do work; cancel it when `limit_s` seconds of the clock have passed.

    Args:
        clock: decides when that is.
        limit_s: how long it may take.
        work: what is done; what it raises is raised.
        late: asked after the deadline; returns the message of the error.

    Raises:
        WorkflowStepFailed: it took longer.
    """
    results: list[T] = []
    failure: Exception | None = None

    async def expire() -> None:
        await clock.sleep(limit_s)
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(expire)
        try:
            results.append(await work())
        except Exception as error:  # raised below, where no group wraps it
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    if not results:
        raise WorkflowStepFailed(late())
    return results[0]
