"""Finding out what became of a detached run that somebody else started, whatever crashed.

Source: the files that holder.sh writes. Every step of a start leaves the run in one of these
states: not claimed (it will never run, because we claim it now), claimed, started, ended.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio

from harness.model import ExitStatus

from .detached import DetachedRun, this_boot
from .pidfd import send_signal
from .procfs import ProcessRef, carries, read_stat
from .run_files import LaunchRecord, RunFiles
from .scan import shared_scanner
from .tree import Tree

__all__ = ["Found", "find", "leftover_tree"]

_FIRST_DELAY_S = 0.001
_LONGEST_DELAY_S = 0.05
_GIVE_UP_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of a run.

    run set: it runs. exit set: it ended so, at `ended_at`, which is None if nobody saw it.
    Neither: it never ran, and never will.
    """

    run: DetachedRun | None = None
    exit: ExitStatus | None = None
    ended_at: datetime | None = None


async def find(run_dir: Path) -> Found:
    """Find what became of the run with this directory; start nothing.

    Waits only for a holder that is in the middle of starting the run, a matter of milliseconds;
    one that hangs there for ten seconds is killed, and so never starts it.
    """
    files = RunFiles(run_dir)
    record = files.launch_record()
    if record is None or files.claim():
        return Found()
    if record.boot_id != this_boot():
        return _found_ended(files)
    delay_s = _FIRST_DELAY_S
    give_up_at = anyio.current_time() + _GIVE_UP_S
    while True:
        writers_alive = await _writers_alive(files, record)
        # Read after asking: what nobody is left to write will not change any more.
        if (found := _look(files, record, run_dir)) is not None:
            return found
        if not writers_alive:
            return Found()
        if anyio.current_time() > give_up_at:
            await _kill_writers(record)
        await anyio.sleep(delay_s)
        delay_s = min(2 * delay_s, _LONGEST_DELAY_S)


def leftover_tree(run_dir: Path) -> Tree | None:
    """Return what may be left of a run whose main process has ended; None: nothing can be."""
    files = RunFiles(run_dir)
    record = files.launch_record()
    if record is None or record.boot_id != this_boot():
        return None
    pid, holder = files.service_pid(), _holder(files, record)
    return Tree(
        marker=record.marker,
        # Whoever has its number now is somebody else; its session and group are told by it still.
        main=None if pid is None else ProcessRef(pid, 0),
        spare=() if holder is None else (holder,),
    )


def _look(files: RunFiles, record: LaunchRecord, run_dir: Path) -> Found | None:
    """Return what the files say for certain, or None while a holder may be at work."""
    if files.exit() is not None:
        return _found_ended(files)
    if files.failed() is not None:
        return Found()
    pid = files.service_pid()
    if pid is None:
        return None
    holder = _holder(files, record)
    service = _service(pid, holder, record)
    if service is None and holder is None:
        return _found_ended(files)
    return Found(
        run=DetachedRun(
            run_dir=run_dir,
            marker=record.marker,
            boot_id=record.boot_id,
            service=service or ProcessRef(pid, 0),
            holder=holder,
        )
    )


def _holder(files: RunFiles, record: LaunchRecord) -> ProcessRef | None:
    """Return the holder if it runs; its marker proves that the pid is still its own."""
    pid = files.holder_pid()
    stat = read_stat(pid) if pid is not None else None
    if stat is None or stat.is_dead or not carries(stat.pid, record.marker):
        return None
    return stat.ref


def _service(pid: int, holder: ProcessRef | None, record: LaunchRecord) -> ProcessRef | None:
    """Return the service if it runs; a program may overwrite its marker, but not its parent."""
    stat = read_stat(pid)
    if stat is None or stat.is_dead:
        return None
    is_child = holder is not None and stat.parent == holder.pid
    return stat.ref if is_child or carries(pid, record.marker) else None


def _found_ended(files: RunFiles) -> Found:
    if files.service_pid() is None:
        return Found()
    return Found(exit=files.exit() or ExitStatus(), ended_at=files.ended_at())


async def _writers_alive(files: RunFiles, record: LaunchRecord) -> bool:
    """Tell whether a process exists that may still write the run's files."""
    if files.service_pid() is not None or _holder(files, record) is not None:
        return True
    # A holder killed at the wrong moment leaves its child at work, or did not sign its claim.
    snapshot = await shared_scanner().snapshot()
    return any(not stat.is_dead for stat in snapshot.carriers(record.marker))


async def _kill_writers(record: LaunchRecord) -> None:
    snapshot = await shared_scanner().snapshot()
    for stat in snapshot.carriers(record.marker):
        send_signal(stat.ref, signal.SIGKILL)
