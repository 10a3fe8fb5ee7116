"""Finds the run that the newest record of a unit speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.executors import Recovery

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["adopt_run"]


async def adopt_run(unit: Unit) -> Recovery:
    """Ask the executor what became of the unit's newest run; nothing is started."""
    record = unit.record
    run_dir = unit.directories.run(record.generation)
    if not record.token or (record.handle is None and not run_dir.is_dir()):
        return Recovery()
    executor = unit.context.executors[record.handle.executor if record.handle else unit.spec.type]
    return await executor.recover(unit=unit.name, run_dir=run_dir, handle=record.handle)
