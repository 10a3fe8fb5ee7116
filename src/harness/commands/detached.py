"""A detached run: a process that outlives whoever started it, with its output and its status.

Its parent is the holder (holder.py), a small program that outlives whoever asks it. The run is in
a session of its own and appends its output straight to files; the holder writes down who runs and
how it ended. So nobody has to stay, and whoever comes later finds the run by its directory. The end
of a run is waited for by a descriptor of its process.
"""

from __future__ import annotations

import functools
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import anyio
from anyio import to_thread
from anyio.lowlevel import RunVar

from harness.errors import CommandError, WorkingDirectoryMissing
from harness.model import ExitStatus

from .command import Command
from .holding import HolderGone, catch_up, holder
from .pidfd import wait_ended
from .procfs import ProcessRef, boot_id, own_umask
from .programs import Account, check_command, find_account
from .run_files import LaunchRecord, RunFiles
from .spawn import account_environment, spawn_errors
from .strays import RUN_VARIABLE

__all__ = ["DetachedRun", "launch", "unit_command", "wait_exit", "write_input"]

_SETTLE_S = 1.0
_WRITTEN_S = 2.0  # the holder needs a fraction of a millisecond
_MOST_ASKED = 100  # at the same time: what waits in the holder's socket must fit into it

this_boot = functools.cache(boot_id)

_NOBODY = ProcessRef(0, 0)

_limiter: RunVar[anyio.CapacityLimiter] = RunVar("harness-starts")


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachedRun:
    """Names a run for ever: by its directory, its processes and the boot they belong to.

    Attributes:
        run_dir: directory with the run's files.
        marker: `HARNESS_UNIT=…` in the environment of all its processes.
        boot_id: run of the machine in which it was started.
        service: its main process.
        holder: that process's parent.
    """

    run_dir: Path
    marker: str
    boot_id: str
    service: ProcessRef
    holder: ProcessRef

    @property
    def is_of_this_boot(self) -> bool:
        """Whether the machine was not restarted since; else none of the processes exists."""
        return self.boot_id == this_boot()

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "run_dir": str(self.run_dir),
            "marker": self.marker,
            "boot_id": self.boot_id,
            "service": list(self.service),
            "holder": list(self.holder),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `as_data` returned."""
        return cls(
            run_dir=Path(data["run_dir"]),
            marker=data["marker"],
            boot_id=data["boot_id"],
            service=ProcessRef(*data["service"]),
            holder=ProcessRef(*data["holder"]),
        )


async def launch(
    command: Command, *, run_dir: Path, log_dir: Path, unit: str, open_stdin: bool = False
) -> DetachedRun:
    """Start a command detached; return once its process exists.

    When cancelled, it was not started, or is found by `find`.

    Args:
        command: what to run; `stdin` and `timeout_s` are not looked at.
        run_dir: existing directory for this run alone, readable by the user alone.
        log_dir: existing directory; output is appended to `stdout.log` and `stderr.log` there.
        unit: value of the environment marker HARNESS_UNIT.
        open_stdin: give it an input that `write_input` writes to; else its input is empty.

    Raises:
        CommandError: of the kind that tells why it could not be started.
    """
    account = None
    if command.user is not None:
        # In a thread: users may be known to another machine.
        account = await to_thread.run_sync(find_account, command)
    record = _record(
        command, account, run_dir=run_dir, log_dir=log_dir, unit=unit, open_stdin=open_stdin
    )
    check_command(command, record.env)
    async with _slot():
        reading, record = _ask(command, record, run_dir)
        try:
            report = await _read_report(reading)
        finally:
            os.close(reading)
    return DetachedRun(
        run_dir=run_dir,
        marker=record.marker,
        boot_id=record.boot_id,
        service=_started(command, report),
        holder=record.holder,
    )


async def wait_exit(run: DetachedRun) -> ExitStatus:
    """Return how the main process ended as soon as it did; unknown when nobody saw it.

    The status is unknown when the holder was killed or hangs, or the machine restarted.
    """
    files = RunFiles(run.run_dir)
    if run.is_of_this_boot:
        await wait_ended(run.service)
        with anyio.move_on_after(_WRITTEN_S):
            await catch_up(run.holder)
            await files.until(lambda status: status.exit is not None, by=run.holder)
    return files.status().exit or ExitStatus()


def unit_command(run: DetachedRun, command: Command) -> Command | None:
    """Return `command` as it runs beside the run: with its environment, directory, user and limits.

    The command's own env comes on top, its own directory is relative to the run's. None when
    the run's directory is gone.
    """
    record = RunFiles(run.run_dir).launch_record()
    if record is None:
        return None
    directory = record.working_dir
    if command.working_dir is not None:
        directory = os.path.join(directory, command.working_dir)
    return replace(
        command,
        env={**record.env, **command.env, **_identity(record)},
        inherit_env=False,
        working_dir=directory,
        user=command.user or record.user,
        umask=record.umask if command.umask is None else command.umask,
        nice=record.nice if command.nice is None else command.nice,
        limits={**record.limits, **command.limits},
    )


async def write_input(run: DetachedRun, data: bytes) -> bool:
    """Write all of it to the input; tell whether the run has one.

    Raises:
        BrokenPipeError: nothing of the run is there to read it.
    """
    try:
        fd = os.open(RunFiles(run.run_dir).input, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:  # ENXIO: nobody has it open
        raise BrokenPipeError(error.errno, "nobody reads it") from error
    try:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(fd, view) :]
            except BlockingIOError:
                await anyio.wait_writable(fd)
    finally:
        os.close(fd)
    return True


def _identity(record: LaunchRecord) -> dict[str, str]:
    """Return what every process of a run carries, whatever else its environment is."""
    names = ("HARNESS_UNIT", RUN_VARIABLE)
    return {name: record.env[name] for name in names if name in record.env}


@asynccontextmanager
async def _slot() -> AsyncIterator[None]:
    """Hold one of the starts that may be asked for at the same moment."""
    limiter = _starts()
    try:
        # Without a pause where there is room: the holder begins while others prepare theirs.
        limiter.acquire_nowait()
    except anyio.WouldBlock:
        await limiter.acquire()
    try:
        yield
    finally:
        limiter.release()


def _starts() -> anyio.CapacityLimiter:
    try:
        return _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_MOST_ASKED)
        _limiter.set(limiter)
        return limiter


def _record(
    command: Command,
    account: Account | None,
    *,
    run_dir: Path,
    log_dir: Path,
    unit: str,
    open_stdin: bool,
) -> LaunchRecord:
    env = account_environment(command.environment(), account)
    env["HARNESS_UNIT"] = unit
    env[RUN_VARIABLE] = str(run_dir)
    env.pop("HARNESS_COMMAND", None)  # it belongs to the unit alone, not to who started it
    working_dir = command.working_dir or os.getcwd()
    if "PWD" in env:
        env["PWD"] = working_dir
    return LaunchRecord(
        marker=f"HARNESS_UNIT={unit}",
        boot_id=this_boot(),
        holder=_NOBODY,
        argv=command.argv,
        env=env,
        working_dir=working_dir,
        umask=own_umask() if command.umask is None else command.umask,
        user=command.user,
        account=account.as_data() if account else None,
        nice=command.nice,
        limits=command.limits,
        stdin=RunFiles(run_dir).input if open_stdin else os.devnull,
        stdout=f"{log_dir}/stdout.log",
        stderr=f"{log_dir}/stderr.log",
    )


def _ask(command: Command, record: LaunchRecord, run_dir: Path) -> tuple[int, LaunchRecord]:
    """Write what the holder needs and ask it; return where it will report, and what was written."""
    files = RunFiles(run_dir)
    with spawn_errors(command):
        if record.stdin != os.devnull:
            os.mkfifo(record.stdin, 0o600)
        reading, writing = os.pipe2(os.O_CLOEXEC)
        try:
            os.set_blocking(reading, False)
            while True:
                asked = holder()
                record = replace(record, holder=asked.process)
                files.write_launch(record)
                try:
                    asked.begin(run_dir, writing)
                except HolderGone:
                    files.remove_launch()
                else:
                    return reading, record
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)


async def _read_report(fd: int) -> list[str]:
    """Return the words of the holder's report; when cancelled, the start is over all the same."""
    try:
        return await _read_line(fd)
    except anyio.get_cancelled_exc_class():
        # A few milliseconds more, and nothing half-done stays.
        with anyio.move_on_after(_SETTLE_S, shield=True):
            await _read_line(fd)
        raise


async def _read_line(fd: int) -> list[str]:
    """Return the words of the holder's one line, or none if it ended without it."""
    text = b""
    while not text.endswith(b"\n"):
        await anyio.wait_readable(fd)
        data = os.read(fd, 1024)
        if not data:
            return []
        text += data
    return text.decode().split()


def _started(command: Command, report: list[str]) -> ProcessRef:
    """Return the process that was started, or raise why there is none."""
    match report:
        case ["started", pid, start]:
            return ProcessRef(int(pid), int(start))
        case ["failed", "program", number]:
            with spawn_errors(command):
                raise OSError(int(number), os.strerror(int(number)))
        case ["failed", "directory", _]:
            cause = f'working directory "{command.working_dir}" cannot be entered'
            raise WorkingDirectoryMissing(command=str(command), cause=cause)
        case ["failed", "change", _]:
            cause = "the system refuses its limits, its niceness or its user"
        case ["failed", "output", number]:
            cause = f"its log files cannot be written: {os.strerror(int(number))}"
        case ["failed", "defect", _, *words]:
            cause = f"a defect of its holder: {' '.join(words)}"
        case ["failed", what, number]:
            cause = f"its {what} cannot be used: {os.strerror(int(number))}"
        case _:
            cause = "its holder ended before it was started"
    raise CommandError(command=str(command), cause=cause)
