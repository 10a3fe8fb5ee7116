"""Finding out what became of a detached run that somebody else started, whatever crashed.

Source: the files that holder.py writes. Every step of a start leaves the run in one of these
states: not taken (it will never run, because we give it up now), taken, started, ended.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio

from harness.model import ExitStatus

from .detached import DetachedRun, this_boot, wait_exit
from .pidfd import send_signal
from .procfs import is_running
from .run_files import LaunchRecord, RunFiles, RunStatus
from .scan import shared_scanner
from .tree import Tree

__all__ = ["Found", "find", "leftover_tree"]

_GIVE_UP_S = 10.0
_LOOKS = 3
_LOOK_AGAIN_S = 0.03


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
    if record is None or files.give_up():
        return Found()
    if record.boot_id != this_boot():
        return _found_ended(files)
    with anyio.move_on_after(_GIVE_UP_S) as limit:
        await files.until(_is_begun, by=record.holder)
    if limit.cancelled_caught:
        send_signal(record.holder, signal.SIGKILL)
    status = await files.until(_is_begun, by=record.holder)
    if status.service is None:
        if status.failed is None:
            await _end_unrecorded(record)
        return Found()
    run = DetachedRun(
        run_dir=run_dir,
        marker=record.marker,
        boot_id=record.boot_id,
        service=status.service,
        holder=record.holder,
    )
    if is_running(run.service):
        return Found(run=run)
    await wait_exit(run)
    return _found_ended(files)


def _is_begun(status: RunStatus) -> bool:
    return status.service is not None or status.failed is not None


def leftover_tree(run_dir: Path) -> Tree | None:
    """Return what may be left of a run whose main process has ended; None: nothing can be."""
    files = RunFiles(run_dir)
    record = files.launch_record()
    if record is None or record.boot_id != this_boot():
        return None
    return Tree(marker=record.marker, main=files.status().service)


def _found_ended(files: RunFiles) -> Found:
    status = files.status()
    if status.service is None:
        return Found()
    return Found(exit=status.exit or ExitStatus(), ended_at=files.ended_at())


async def _end_unrecorded(record: LaunchRecord) -> None:
    """End what a holder started that was killed before it wrote that down."""
    for _ in range(_LOOKS):
        snapshot = await shared_scanner().snapshot()
        for stat in snapshot.carriers(record.marker):
            send_signal(stat.ref, signal.SIGKILL)
        # A process that is between two programs shows no environment, and is seen the next time.
        await anyio.sleep(_LOOK_AGAIN_S)
