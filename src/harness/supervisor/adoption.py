"""Finds the run that the newest record of a unit speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.executors import AbsentExecutor, Recovery
from harness.model import Goal, ServiceState

from .machine import Trigger

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["absence", "adopt_run", "go_on"]

_WITHOUT_RUN = (ServiceState.BACKOFF, ServiceState.EXITED, ServiceState.FAILED)


async def adopt_run(unit: Unit) -> Recovery:
    """Ask the executor what became of the unit's newest run; nothing is started."""
    record = unit.record
    run_dir = unit.directories.run(record.generation)
    if not record.token or (record.handle is None and not run_dir.is_dir()):
        return Recovery()
    executor = unit.context.executors[record.handle.executor if record.handle else unit.spec.type]
    return await executor.recover(unit=unit.name, run_dir=run_dir, handle=record.handle)


def absence(unit: Unit) -> str | None:
    """Return why nobody can do anything with a unit: no plugin brings its executor now; else None.

    Trying to start or to clean up would only count as failures: such a unit is left as it is, and
    goes on when the plugin is back.
    """
    executor = unit.context.executors[unit.spec.type]
    return executor.cause if isinstance(executor, AbsentExecutor) else None


def go_on(unit: Unit) -> None:
    """Take up what an earlier daemon was about to do with a unit of which nothing runs."""
    if unit.goal is Goal.UP and unit.state is ServiceState.STOPPED:
        # Not as a user wants it: what was counted of its restarts stays.
        unit.post(Trigger.WANTED)
    elif unit.goal is Goal.UP and unit.state is ServiceState.BACKOFF:
        unit.resume_retry()
    elif unit.goal is Goal.DOWN and unit.state in _WITHOUT_RUN:
        unit.want(Goal.DOWN)
