"""The executor of type `forking`: programs that leave their parent and write a pid file.

The command is launched detached, as units of type `process` are, and ends with status 0 once what
it left in the background is ready. That process is the unit: it carries the unit's marker, and is
known by its pid and start time from then on. Nobody is its parent here, so nobody can tell with
which status it ends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from harness.commands import (
    Command,
    DetachedRun,
    Process,
    ProcessRef,
    Tree,
    TreeReport,
    carries,
    end_tree,
    find,
    is_running,
    launch,
    leftover_tree,
    process_ref,
    send_signal,
    signal_number,
    this_boot,
    tree_usage,
    unit_command,
    wait_ended,
    wait_exit,
)
from harness.config import Duration
from harness.errors import CommandError, HandleLost, StartFailed, StopFailed
from harness.executors import Capabilities, Executor, Recovery, StartRequest, StopReport, Usage
from harness.model import ExitStatus, Handle

_LOOK_AGAIN_S = 0.01
_WHERE = "pid-file.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkingOptions:
    """A program that goes into the background, and where it writes its process id."""

    command: tuple[str, ...]
    """Program and arguments; it ends with status 0 when it has gone into the background."""

    pid_file: str
    """Where it writes its process id, relative to the stack file's directory."""

    pid_file_timeout: Duration = 5.0
    """How long after the command's end the file may be missing."""


class ForkingExecutor(Executor):
    """Keeps programs that leave their parent; it holds nothing in memory."""

    name = "forking"
    options = ForkingOptions
    capabilities = Capabilities(tasks=False, exec=True, signals=True, logs=True, recovers=True)

    async def start(self, request: StartRequest) -> Handle:
        """Run the command to its end, and find what it left in the background."""
        options: ForkingOptions = request.options
        pid_file = request.base_dir / options.pid_file
        running = _named_by(pid_file)
        if running is not None:
            cause = f"{pid_file} names pid {running.pid}, which runs and is not of this start"
            raise StartFailed(service=request.unit, executor=self.name, cause=cause)
        pid_file.unlink(missing_ok=True)
        # First of all: whoever looks for this run after a crash needs to know where to look.
        where = {"pid_file": str(pid_file), "timeout_s": options.pid_file_timeout}
        (request.run_dir / _WHERE).write_text(json.dumps(where))
        try:
            run = await launch(
                Command(
                    argv=options.command,
                    env={**request.env, "PIDFILE": str(pid_file)},
                    inherit_env=False,
                    working_dir=str(request.base_dir),
                ),
                run_dir=request.run_dir,
                log_dir=request.log_dir,
                unit=request.marker,
            )
        except (CommandError, ValueError) as error:
            raise self._cannot_start(request, error) from error
        status = await wait_exit(run)
        if not status.is_success:
            cause = f"the command failed: {status}"
            raise StartFailed(service=request.unit, executor=self.name, cause=cause)
        pid = await _pid_written(pid_file, options.pid_file_timeout)
        if pid is None:
            await end_tree(_tree(run), stop_signal=signal_number("SIGTERM"), timeout_s=0)
            cause = f"the command has ended, and there is no process id in {pid_file}"
            raise StartFailed(service=request.unit, executor=self.name, cause=cause)
        # What has ended already was there: who waits for it gets to know that.
        return self._handle(
            request.unit, replace(run, service=_named_by(pid_file) or ProcessRef(pid, 0))
        )

    async def recover(self, *, unit: str, run_dir: Path, handle: Handle | None) -> Recovery:
        """Look for the process that the pid file names."""
        if handle is not None:
            run = _run(handle)
            alive = run.is_of_this_boot and is_running(run.service)
            return Recovery(handle=handle) if alive else Recovery(exit=ExitStatus())
        found = await find(run_dir)
        status = found.exit if found.run is None else await wait_exit(found.run)
        if status is None:
            return Recovery()
        run = await _background(run_dir) if status.is_success else None
        return (
            Recovery(exit=ExitStatus()) if run is None else Recovery(handle=self._handle(unit, run))
        )

    async def wait(self, handle: Handle) -> ExitStatus:
        """Return when the process has ended; with which status, nobody can tell."""
        run = _run(handle)
        if run.is_of_this_boot:
            await wait_ended(run.service)
        return ExitStatus()

    async def stop(self, handle: Handle, *, stop_signal: str, timeout_s: float) -> StopReport:
        """End the process, and whatever else carries the unit's marker."""
        began_at = anyio.current_time()
        run = _run(handle)
        report = TreeReport()
        if run.is_of_this_boot:
            signum = signal_number(stop_signal)
            report = await end_tree(_tree(run), stop_signal=signum, timeout_s=timeout_s)
        self._check_gone(str(handle.data["unit"]), report)
        return StopReport(
            exit=ExitStatus(),
            killed=report.killed,
            stragglers=report.stragglers,
            took_s=anyio.current_time() - began_at,
        )

    async def sweep(self, run_dir: Path) -> Sequence[str]:
        """End what an ended run left behind."""
        tree = leftover_tree(run_dir)
        if tree is None:
            return ()
        report = await end_tree(tree, stop_signal=signal_number("SIGTERM"), timeout_s=0)
        self._check_gone(run_dir.parent.name, report)
        return report.stragglers

    async def signal(self, handle: Handle, *, signal: str) -> None:
        """Send a signal to the process."""
        run = _run(handle)
        alive = run.is_of_this_boot and is_running(run.service)
        if not alive or not send_signal(run.service, signal_number(signal)):
            raise self._lost(handle, "it is not running")

    async def execute(self, handle: Handle, command: Command) -> Process:
        """Run a command with the environment and directory that the program was started with."""
        there = unit_command(_run(handle), command)
        if there is None:
            raise self._lost(handle, "its run directory is gone")
        return Process(there, backpressure=True)

    async def usage(self, handle: Handle) -> Usage | None:
        """Return what all processes of the unit use now."""
        run = _run(handle)
        if not run.is_of_this_boot:
            return Usage(processes=0, rss_bytes=0, cpu_s=0.0)
        return Usage.of_tree(await tree_usage(_tree(run)))

    def _handle(self, unit: str, run: DetachedRun) -> Handle:
        # Its holder has ended with the command.
        data = {"unit": unit, **replace(run, holder=run.service).as_data()}
        return Handle(executor=self.name, data=data, pid=run.service.pid)

    def _cannot_start(self, request: StartRequest, error: Exception) -> StartFailed:
        cause, hint = str(error), None
        if isinstance(error, CommandError):
            cause = cause.removeprefix(f"cannot run `{error.command}`: ")
            hint = error.hint
        return StartFailed(service=request.unit, executor=self.name, cause=cause, hint=hint)

    def _check_gone(self, unit: str, report: TreeReport) -> None:
        if report.survivors:
            cause = f"still alive after SIGKILL: {', '.join(report.survivors)}"
            raise StopFailed(service=unit, executor=self.name, cause=cause)

    def _lost(self, handle: Handle, cause: str) -> HandleLost:
        return HandleLost(service=str(handle.data["unit"]), executor=self.name, cause=cause)


def _pid_in(pid_file: Path) -> int | None:
    """Return what a pid file says; it is there a moment before something is in it."""
    try:
        return int(pid_file.read_text())
    except (OSError, ValueError):
        return None


def _named_by(pid_file: Path) -> ProcessRef | None:
    """Return the process that a pid file names, if it runs."""
    pid = _pid_in(pid_file)
    process = process_ref(pid) if pid is not None else None
    return process if process is not None and is_running(process) else None


async def _pid_written(pid_file: Path, timeout_s: float) -> int | None:
    """Wait for a process id: some programs write it a moment after their parent has ended."""
    with anyio.move_on_after(timeout_s):
        while _pid_in(pid_file) is None:
            await anyio.sleep(_LOOK_AGAIN_S)  # no event tells
    return _pid_in(pid_file)


async def _background(run_dir: Path) -> DetachedRun | None:
    """Return what a run left in the background, found by its files alone; None: it has ended."""
    tree = leftover_tree(run_dir)
    where = json.loads((run_dir / _WHERE).read_text())
    pid_file = Path(where["pid_file"])
    await _pid_written(pid_file, where["timeout_s"])
    service = _named_by(pid_file)
    if tree is None or service is None or not carries(service.pid, tree.marker):
        return None
    return DetachedRun(
        run_dir=run_dir,
        marker=tree.marker,
        boot_id=this_boot(),
        service=service,
        holder=service,
    )


def _run(handle: Handle) -> DetachedRun:
    return DetachedRun.from_data(handle.data)


def _tree(run: DetachedRun) -> Tree:
    return Tree(marker=run.marker, main=run.service)
