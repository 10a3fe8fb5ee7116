"""Finding the processes of runs of all daemons of this user, also of such as are long gone.

A run's processes carry two variables: the marker, and the directory of the run. Where a program has
overwritten its environment, or an older version started it, the log it writes to tells the
directory. Only a look: whose they are now is for others to say.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from .procfs import ProcessRef, ProcessStat, command_line, read_environ
from .scan import MARKERS, shared_scanner

__all__ = ["RUN_VARIABLE", "Stray", "find_strays"]

RUN_VARIABLE = "HARNESS_RUN"
"""Environment variable with the directory of the run that a process belongs to."""

_DELETED = " (deleted)"
_LOGS = ("stdout.log", "stderr.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """The processes of one run.

    Attributes:
        marker: `HARNESS_UNIT=…` in the environment of all.
        unit_dir: directory of its unit, as it was when it was started; None: nothing tells it.
        processes: all of them, at least one.
        command: command line of the first.
    """

    marker: str
    unit_dir: Path | None
    processes: tuple[ProcessRef, ...]
    command: str


async def find_strays() -> list[Stray]:
    """Return the runs of which processes of this user are alive, in no order."""
    snapshot = await shared_scanner().snapshot()
    return await to_thread.run_sync(lambda: list(_strays(snapshot.carried(MARKERS[0]))))


def _strays(carried: Iterable[tuple[str, list[ProcessStat]]]) -> Iterator[Stray]:
    for marker, stats in carried:
        alive = [stat for stat in stats if not stat.is_dead and _is_own(stat.pid)]
        if not alive:
            continue
        places = (_unit_dir(stat.pid, marker) for stat in alive)
        yield Stray(
            marker=marker,
            unit_dir=next((place for place in places if place is not None), None),
            processes=tuple(stat.ref for stat in alive),
            command=command_line(alive[0].pid),
        )


def _is_own(pid: int) -> bool:
    try:
        return os.stat(f"/proc/{pid}").st_uid == os.geteuid()
    except OSError:
        return False


def _unit_dir(pid: int, marker: str) -> Path | None:
    prefix = f"{RUN_VARIABLE}=".encode()
    unit = marker.partition("=")[2].split("/")
    for entry in (read_environ(pid) or b"").split(b"\0"):
        path = Path(os.fsdecode(entry.removeprefix(prefix)))
        if entry.startswith(prefix) and _is_within(path, unit):
            return path.parent
    for name in ("1", "2"):
        with suppress(OSError):
            path = Path(os.readlink(f"/proc/{pid}/fd/{name}").removesuffix(_DELETED))
            if path.name in _LOGS and _is_within(path, unit):
                return path.parent
    return None


def _is_within(path: Path, unit: list[str]) -> bool:
    """Tell whether a path is of the form `/…/projects/PROJECT/units/UNIT/NAME`, of this unit.

    What a process carries may be anything, and decides whether it is ended.
    """
    return path.is_absolute() and path.parts[-5:-1] == ("projects", unit[0], "units", *unit[1:2])
