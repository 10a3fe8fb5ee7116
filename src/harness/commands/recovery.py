"""Finding out what became of a detached run that somebody else started, whatever crashed.

Source: the files that holder.py writes. Every step of a start leaves the run in one of these
states: not claimed (it will never run, because we claim it now), claimed, started, ended.
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
from .procfs import ProcessRef, is_running
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
        is_held = is_running(record.holder)
        # Read after asking: what nobody is left to write will not change any more.
        if files.failed() is not None:
            return Found()
        if (service := files.service()) is not None:
            return await _found_started(files, _run(run_dir, record, service))
        if not is_held:
            await _end_unrecorded(record)
            return Found()
        if anyio.current_time() > give_up_at:
            send_signal(record.holder, signal.SIGKILL)
        await anyio.sleep(delay_s)
        delay_s = min(2 * delay_s, _LONGEST_DELAY_S)


def leftover_tree(run_dir: Path) -> Tree | None:
    """Return what may be left of a run whose main process has ended; None: nothing can be."""
    files = RunFiles(run_dir)
    record = files.launch_record()
    if record is None or record.boot_id != this_boot():
        return None
    return Tree(marker=record.marker, main=files.service())


def _run(run_dir: Path, record: LaunchRecord, service: ProcessRef) -> DetachedRun:
    return DetachedRun(
        run_dir=run_dir,
        marker=record.marker,
        boot_id=record.boot_id,
        service=service,
        holder=record.holder,
    )


async def _found_started(files: RunFiles, run: DetachedRun) -> Found:
    if is_running(run.service):
        return Found(run=run)
    await wait_exit(run)
    return _found_ended(files)


def _found_ended(files: RunFiles) -> Found:
    if files.service() is None:
        return Found()
    return Found(exit=files.exit() or ExitStatus(), ended_at=files.ended_at())


async def _end_unrecorded(record: LaunchRecord) -> None:
    """End what a holder started that was killed before it wrote that down."""
    snapshot = await shared_scanner().snapshot()
    for stat in snapshot.carriers(record.marker):
        send_signal(stat.ref, signal.SIGKILL)
