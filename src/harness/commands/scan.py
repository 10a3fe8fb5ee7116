"""One look at all processes of the machine, shared by everybody who needs one at that moment.

Stopping many units at once must not read /proc once for each of them: whoever asks while a look
is being taken shares the next one with all who ask meanwhile.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import anyio
import anyio.lowlevel
import anyio.to_thread

from .procfs import ProcessRef, ProcessStat, patient_environ, read_environ, read_stat

__all__ = ["MARKERS", "ProcessScanner", "Snapshot", "shared_scanner"]

MARKERS = ("HARNESS_UNIT", "HARNESS_COMMAND")
"""Environment variables that tell which unit, or which attached command, a process belongs to."""

_PREFIXES = tuple(f"{name}=".encode() for name in MARKERS)


_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_SETTLED_TICKS = 5 * _TICKS_PER_S
_KERNEL_THREADS = 2  # pid of their parent; they have no environment


class _Seen(NamedTuple):
    """What a process carried; `is_settled` when it was old enough that this cannot change."""

    start: int
    markers: tuple[str, ...]
    is_settled: bool


class Snapshot:
    """All processes at one moment, without those that already ended.

    Args:
        processes: pid → what it does and the markers (`NAME=value`) that it carries.
    """

    def __init__(self, processes: Mapping[int, tuple[ProcessStat, tuple[str, ...]]]) -> None:
        self._stats: dict[int, ProcessStat] = {}
        self._children: defaultdict[int, list[ProcessStat]] = defaultdict(list)
        self._sessions: defaultdict[int, list[ProcessStat]] = defaultdict(list)
        self._groups: defaultdict[int, list[ProcessStat]] = defaultdict(list)
        self._carriers: defaultdict[str, list[ProcessStat]] = defaultdict(list)
        self._markers = {pid: markers for pid, (_, markers) in processes.items() if markers}
        for pid, (stat, markers) in processes.items():
            self._stats[pid] = stat
            self._children[stat.parent].append(stat)
            self._sessions[stat.session].append(stat)
            self._groups[stat.group].append(stat)
            for marker in markers:
                self._carriers[marker].append(stat)

    def stat(self, process: ProcessRef) -> ProcessStat | None:
        """Return what this process did, or None if it was gone."""
        stat = self._stats.get(process.pid)
        return stat if stat is not None and stat.start == process.start else None

    def carriers(self, marker: str) -> list[ProcessStat]:
        """Return the processes that carry this marker."""
        return self._carriers.get(marker, [])

    def carried(self, name: str) -> list[tuple[str, list[ProcessStat]]]:
        """Return every marker of a name (`NAME=value`) that is carried, and by which processes."""
        prefix = f"{name}="
        return [
            (marker, stats) for marker, stats in self._carriers.items() if marker.startswith(prefix)
        ]

    def attached(self, marker: str) -> list[ProcessStat]:
        """Return the carriers of a unit's marker that belong to a command attached to a daemon."""
        prefix = f"{MARKERS[1]}="
        return [
            stat
            for stat in self.carriers(marker)
            if any(other.startswith(prefix) for other in self._markers[stat.pid])
        ]

    def members(
        self,
        *,
        marker: str,
        main: ProcessRef | None,
        known: Iterable[ProcessRef] = (),
    ) -> dict[ProcessRef, ProcessStat]:
        """Return what belongs together: marked, in the main process's session or group, descended.

        Ancestry and session count beside the marker, because a program may overwrite its
        environment. A session's or group's number alone proves nothing once its leader is gone;
        then it counts if a marked or known process is in it.

        Args:
            marker: the marker all of them inherited.
            main: the process they descend from, if it is known.
            known: processes found to be members earlier.
        """
        found: dict[ProcessRef, ProcessStat] = {}
        queue = list(self.carriers(marker))
        queue += [stat for ref in known if (stat := self.stat(ref))]
        if main is not None and (stat := self.stat(main)):
            queue.append(stat)
        while queue:
            stat = queue.pop()
            if stat.ref in found:
                continue
            found[stat.ref] = stat
            queue += self._children.get(stat.pid, ())
            if main is not None and stat.session == main.pid:
                queue += self._sessions[main.pid]
            if main is not None and stat.group == main.pid:
                queue += self._groups[main.pid]
        return {ref: stat for ref, stat in found.items() if not stat.is_dead}


class ProcessScanner:
    """Takes snapshots, at most one at a time; use `shared_scanner` to get the loop's one."""

    def __init__(self) -> None:
        self._lock = anyio.Lock()
        self._begun = 0
        self._last: tuple[int, Snapshot] = (0, Snapshot({}))
        self._seen: dict[int, _Seen] = {}

    async def snapshot(self) -> Snapshot:
        """Return a snapshot whose taking began after this call."""
        asked = self._begun
        async with self._lock:
            if self._last[0] > asked:
                return self._last[1]
            self._begun += 1
            number = self._begun
            self._last = (number, await anyio.to_thread.run_sync(self._take))
            return self._last[1]

    def _take(self) -> Snapshot:
        own = os.getpid()
        settled_before = _now_ticks() - _SETTLED_TICKS
        processes: dict[int, tuple[ProcessStat, tuple[str, ...]]] = {}
        seen: dict[int, _Seen] = {}
        for name in os.listdir("/proc"):
            if not name.isdigit() or (pid := int(name)) == own:
                continue
            stat = read_stat(pid)
            if stat is None:
                continue
            before = self._seen.get(pid)
            is_known = before is not None and before.start == stat.start
            if before is None or not is_known or not (before.markers or before.is_settled):
                # A process that was just forked has its parent's environment until it executes.
                is_settled = stat.start < settled_before
                is_patient = not is_settled and stat.parent != _KERNEL_THREADS
                environ = patient_environ(pid) if is_patient else read_environ(pid)
                before = _Seen(stat.start, _markers(environ), is_settled)
            seen[pid] = before
            processes[pid] = (stat, before.markers)
        self._seen = seen
        return Snapshot(processes)


def _now_ticks() -> int:
    """Return the present moment on the scale of processes' start times."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS_PER_S)


def _markers(environ: bytes | None) -> tuple[str, ...]:
    if not environ or b"HARNESS_" not in environ:
        return ()
    return tuple(
        entry.decode(errors="replace")
        for entry in environ.split(b"\0")
        if entry.startswith(_PREFIXES)
    )


_shared: anyio.lowlevel.RunVar[ProcessScanner] = anyio.lowlevel.RunVar("harness-process-scanner")


def shared_scanner() -> ProcessScanner:
    """Return the one scanner of the running event loop."""
    try:
        return _shared.get()
    except LookupError:
        scanner = ProcessScanner()
        _shared.set(scanner)
        return scanner
