"""A detached run: a process that outlives whoever started it, with its output and its status.

A tiny shell, the holder (holder.sh), is its parent. It is in a session of its own, appends the
output straight to files, and writes down who runs and how it ended. So nobody has to stay, and
whoever comes later finds the run by its directory. Waiting is by descriptors, never by polling.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import anyio
from anyio import to_thread
from anyio.lowlevel import RunVar

from harness.errors import CommandError, WorkingDirectoryMissing
from harness.model import ExitStatus

from .command import Command
from .limits import limits_script
from .pidfd import reap, wait_ended
from .posix_spawn import posix_spawn
from .procfs import ProcessRef, boot_id, own_umask, process_ref
from .programs import Account, check_command, find_account
from .quoting import quote
from .run_files import LaunchRecord, RunFiles
from .spawn import account_environment, spawn_errors

__all__ = ["DetachedRun", "launch", "unit_command", "wait_exit", "write_input"]

_HOLDER = str(Path(__file__).with_name("holder.sh"))
_REPORT_FD = 3
_SETTLE_S = 1.0
_MOST_STARTERS = 4
# Names that a shell does not hand on as it got them; `env` sets them behind its back.
_SHELL_NAMES = frozenset({"IFS", "OPTIND", "PPID", "LINENO", "PS1", "PS2", "PS4"})

this_boot = functools.cache(boot_id)

_limiter: RunVar[anyio.CapacityLimiter] = RunVar("starters")


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachedRun:
    """Names a run for ever: by its directory, its processes and the boot they belong to.

    Attributes:
        run_dir: directory with the run's files.
        marker: `HARNESS_UNIT=…` in the environment of all its processes.
        boot_id: run of the machine in which it was started.
        service: its main process.
        holder: that process's parent; None if unknown.
    """

    run_dir: Path
    marker: str
    boot_id: str
    service: ProcessRef
    holder: ProcessRef | None

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
            "holder": list(self.holder) if self.holder else None,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `as_data` returned."""
        return cls(
            run_dir=Path(data["run_dir"]),
            marker=data["marker"],
            boot_id=data["boot_id"],
            service=ProcessRef(*data["service"]),
            holder=ProcessRef(*data["holder"]) if data["holder"] else None,
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
    begin = partial(
        _begin, command, run_dir=run_dir, log_dir=log_dir, unit=unit, open_stdin=open_stdin
    )
    # In a thread: until the holder is executed, whoever starts it stands still.
    holder, reading = await to_thread.run_sync(begin, limiter=_starters())
    try:
        report = await _report(reading, holder)
    finally:
        os.close(reading)
    return DetachedRun(
        run_dir=run_dir,
        marker=_marker(unit),
        boot_id=this_boot(),
        service=_started(command, report),
        holder=holder,
    )


async def wait_exit(run: DetachedRun) -> ExitStatus:
    """Return how the main process ended as soon as it did; unknown when nobody saw it.

    The status is unknown when the holder was killed, or the machine restarted.
    """
    files = RunFiles(run.run_dir)
    if run.is_of_this_boot:
        if run.holder is not None:
            await wait_ended(run.holder)
            reap(run.holder)
        if files.exit() is None:
            await wait_ended(run.service)
    return files.exit() or ExitStatus()


def unit_command(run: DetachedRun, command: Command) -> Command | None:
    """Return `command` as it runs beside the run: in its environment, directory and user.

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
        env={**record.env, **command.env, "HARNESS_UNIT": record.env["HARNESS_UNIT"]},
        inherit_env=False,
        working_dir=directory,
        user=command.user or record.user,
        umask=record.umask if command.umask is None else command.umask,
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


def _starters() -> anyio.CapacityLimiter:
    """Return what limits the starts at the same moment: more than a few only delay each other."""
    try:
        return _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_MOST_STARTERS)
        _limiter.set(limiter)
        return limiter


def _marker(unit: str) -> str:
    return f"HARNESS_UNIT={unit}"


def _record(
    command: Command, account: Account | None, *, unit: str, open_stdin: bool
) -> LaunchRecord:
    env = account_environment(command.environment(), account)
    env["HARNESS_UNIT"] = unit
    env.pop("HARNESS_COMMAND", None)  # it belongs to the unit alone, not to who started it
    return LaunchRecord(
        marker=_marker(unit),
        boot_id=this_boot(),
        env=env,
        working_dir=command.working_dir or os.getcwd(),
        user=command.user,
        umask=command.umask,
        open_stdin=open_stdin,
    )


def _begin(
    command: Command, *, run_dir: Path, log_dir: Path, unit: str, open_stdin: bool
) -> tuple[ProcessRef | None, int]:
    """Write what the holder needs and start it; blocks. Return it and where it will report."""
    account = find_account(command)
    record = _record(command, account, unit=unit, open_stdin=open_stdin)
    check_command(command, record.env)
    files = RunFiles(run_dir)
    with spawn_errors(command):
        if record.open_stdin:
            os.mkfifo(files.input, 0o600)
        files.write_launch(
            record,
            words=_words(command, account, record.env),
            setup=_setup(command, record.env),
            stdout=f"{log_dir}/stdout.log",
            stderr=f"{log_dir}/stderr.log",
        )
        reading, writing = os.pipe2(os.O_CLOEXEC)
        try:
            os.set_blocking(reading, False)
            return _spawn_holder(run_dir, record.env, writing), reading
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)


def _spawn_holder(run_dir: Path, env: Mapping[str, str], report_fd: int) -> ProcessRef | None:
    """Start the holder in a session of its own; it gets a descriptor to report on."""
    pid = posix_spawn(
        "/bin/sh",
        ["sh", _HOLDER],
        {**env, "HARNESS_RUN_DIR": str(run_dir)},
        opened={0: ("/dev/null", os.O_RDONLY), 1: ("/dev/null", os.O_WRONLY)},
        copied={2: 1, _REPORT_FD: report_fd},
        closed=_foreign_fds(),
    )
    return process_ref(pid)


@functools.cache
def _foreign_fds() -> tuple[int, ...]:
    """Return descriptors that this process itself inherited, and children would inherit too."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        try:
            if fd > _REPORT_FD and os.get_inheritable(fd):
                found.append(fd)
        except OSError:
            continue  # the descriptor that listed the directory
    return tuple(found)


async def _report(fd: int, holder: ProcessRef | None) -> list[str]:
    """Return the words of the holder's report; a holder that failed is gone afterwards."""
    try:
        report = await _read_report(fd)
    except anyio.get_cancelled_exc_class():
        # A few milliseconds more, and nothing half-done stays.
        with anyio.move_on_after(_SETTLE_S, shield=True):
            await _settle(await _read_report(fd), holder)
        raise
    await _settle(report, holder)
    return report


async def _settle(report: list[str], holder: ProcessRef | None) -> None:
    if report[:1] != ["started"] and holder is not None:
        await wait_ended(holder)
        reap(holder)


async def _read_report(fd: int) -> list[str]:
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
    match report:
        case ["started", pid]:
            # One that has already ended has no start time, and is nobody from here on.
            return process_ref(int(pid)) or ProcessRef(int(pid), 0)
        case ["failed", "directory"]:
            cause = f'working directory "{command.working_dir}" cannot be entered'
            raise WorkingDirectoryMissing(command=str(command), cause=cause)
        case ["failed", "limits"]:
            cause = "the system refuses its limits or its umask"
        case ["failed", "output"]:
            cause = "its log files cannot be written"
        case ["failed", what]:
            cause = f"its {what} cannot be opened"
        case _:
            cause = "its holder ended before it was started"
    raise CommandError(command=str(command), cause=cause)


def _setup(command: Command, env: Mapping[str, str]) -> str:
    # `cd` in the holder has set OLDPWD, which most people's shells export.
    oldpwd = f"export OLDPWD={quote(env['OLDPWD'])}" if "OLDPWD" in env else "unset OLDPWD"
    umask = own_umask() if command.umask is None else command.umask
    return f"{oldpwd} && umask {umask:04o} && {limits_script(command.limits)}"


def _words(command: Command, account: Account | None, env: Mapping[str, str]) -> list[str]:
    words = [_tool(command, "setsid")]
    if command.nice is not None:
        words += [_tool(command, "nice"), "-n", str(command.nice)]
    if account is not None:
        groups = "--init-groups" if account.home is not None else "--clear-groups"
        words += [
            _tool(command, "setpriv"),
            f"--reuid={account.uid}",
            f"--regid={account.gid}",
            groups,
        ]
    odd = [name for name in env if not _survives_shell(name)]
    if odd:
        words += [_tool(command, "env"), *(f"{name}={env[name]}" for name in odd)]
    return [*words, *command.argv]


@functools.lru_cache(maxsize=4096)
def _survives_shell(name: str) -> bool:
    return (
        name.isidentifier()
        and name.isascii()
        and name not in _SHELL_NAMES
        and not name.startswith("_hh_")
    )


@functools.cache
def _find_tool(name: str) -> str | None:
    return shutil.which(name)


def _tool(command: Command, name: str) -> str:
    path = _find_tool(name)
    if path is None:
        raise CommandError(
            command=str(command),
            cause=f"this machine has no `{name}`, which the start needs",
            hint="it is part of util-linux and coreutils",
        )
    return path
