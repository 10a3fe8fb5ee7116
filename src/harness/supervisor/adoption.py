"""Finds the run that the newest record of a unit speaks of."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from harness.executors import Recovery

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["adopt_run", "log_directory", "remove_runs", "run_directory", "unit_directory"]


def unit_directory(project_directory: Path, unit: str) -> Path:
    """Return the directory of everything that belongs to a unit."""
    return project_directory / "units" / unit


def run_directory(project_directory: Path, unit: str, generation: int) -> Path:
    """Return the directory of one run of a unit."""
    return unit_directory(project_directory, unit) / "runs" / str(generation)


def log_directory(project_directory: Path, unit: str) -> Path:
    """Return the directory of a unit's output, shared by its runs."""
    return unit_directory(project_directory, unit) / "logs"


def remove_runs(project_directory: Path, unit: str, below: int) -> None:
    """Remove the directories of runs with lower numbers; blocks, so call it in a thread."""
    runs = unit_directory(project_directory, unit) / "runs"
    for path in runs.iterdir() if runs.is_dir() else ():
        if path.name.isdigit() and int(path.name) < below:
            shutil.rmtree(path, ignore_errors=True)


async def adopt_run(unit: Unit) -> Recovery:
    """Ask the executor what became of the unit's newest run; nothing is started."""
    record = unit.record
    run_dir = run_directory(unit.context.directory, unit.name, record.generation)
    if not record.token or not run_dir.is_dir():
        return Recovery()
    executor = unit.context.executors[record.handle.executor if record.handle else unit.spec.type]
    return await executor.recover(unit=unit.name, run_dir=run_dir, handle=record.handle)
