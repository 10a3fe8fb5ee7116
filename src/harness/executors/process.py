"""The executor of type `process`: programs on this machine that outlive the daemon."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import anyio

from harness.commands import (
    Command,
    DetachedRun,
    Process,
    Tree,
    TreeReport,
    end_tree,
    find,
    group_exists,
    is_running,
    launch,
    leftover_tree,
    send_signal,
    signal_number,
    tree_usage,
    unit_command,
    wait_exit,
    write_input,
)
from harness.errors import CommandError, HandleLost, StartFailed
from harness.model import HANDLE_VERSION, ExitStatus, Handle

from .base import Capabilities, Executor, Recovery, StartRequest, StopReport, Usage
from .process_options import PROCESS_CAPABILITIES, ProcessOptions

__all__ = ["ProcessExecutor"]


class ProcessExecutor(Executor):
    """Runs units as detached processes; keeps nothing in memory, so nothing is lost with it."""

    name: ClassVar[str] = "process"
    options: ClassVar[type] = ProcessOptions
    capabilities: ClassVar[Capabilities] = PROCESS_CAPABILITIES

    async def start(self, request: StartRequest) -> Handle:
        """Start one run; see `Executor.start`."""
        options: ProcessOptions = request.options
        try:
            command = Command(
                argv=options.argv,
                env=request.env,
                inherit_env=False,
                working_dir=os.path.join(request.base_dir, options.working_dir or ""),
                user=options.user,
                umask=options.umask_bits,
                nice=options.nice,
                limits=options.limits,
            )
            run = await launch(
                command,
                run_dir=request.run_dir,
                log_dir=request.log_dir,
                unit=request.marker,
                open_stdin=options.stdin,
            )
        except (CommandError, ValueError) as error:
            raise _start_failed(request, error) from error
        return _handle(request.unit, run)

    async def recover(self, *, unit: str, run_dir: Path, handle: Handle | None) -> Recovery:
        """Find what became of a run; see `Executor.recover`."""
        found = await find(run_dir)
        if found.run is not None:
            return Recovery(handle=_handle(unit, found.run))
        if found.exit is None and handle is not None:
            # It did run, so its files are gone: what the handle says is all that is left.
            run = self._run(handle)
            alive = run.is_of_this_boot and is_running(run.service)
            return Recovery(handle=handle) if alive else Recovery(exit=ExitStatus())
        return Recovery(exit=found.exit, ended_at=found.ended_at)

    async def wait(self, handle: Handle) -> ExitStatus:
        """Return how the main process ended; see `Executor.wait`."""
        return await wait_exit(self._run(handle))

    async def stop(self, handle: Handle, *, stop_signal: str, timeout_s: float) -> StopReport:
        """End every process of the unit; see `Executor.stop`."""
        signum = signal_number(stop_signal)
        began_at = anyio.current_time()
        run = self._run(handle)
        report = TreeReport()
        if run.is_of_this_boot:
            report = await end_tree(_tree(run), stop_signal=signum, timeout_s=timeout_s)
        if report.survivors:
            raise self._survived(str(handle.data["unit"]), report)
        return StopReport(
            exit=await wait_exit(run),
            killed=report.killed,
            stragglers=report.stragglers,
            took_s=anyio.current_time() - began_at,
        )

    def seems_gone(self, handle: Handle) -> bool:
        """Tell whether the main process's group is empty; only what left it can be alive."""
        run = self._run(handle)
        return not run.is_of_this_boot or not group_exists(run.service.pid)

    async def sweep(self, run_dir: Path) -> Sequence[str]:
        """End what an ended run left behind; see `Executor.sweep`."""
        tree = leftover_tree(run_dir)
        if tree is None:
            return ()
        report = await end_tree(tree, stop_signal=signal_number("SIGTERM"), timeout_s=0.0)
        if report.survivors:
            raise self._survived(tree.marker.partition("=")[2], report)
        return report.stragglers

    async def signal(self, handle: Handle, *, signal: str) -> None:
        """Send a signal to the main process; see `Executor.signal`.

        Raises:
            HandleLost: it is not running.
        """
        run = self._run(handle)
        if not run.is_of_this_boot or not send_signal(run.service, signal_number(signal)):
            raise self._lost(handle, "it is not running")

    async def execute(self, handle: Handle, command: Command) -> Process:
        """Return a process, started by entering its context; see `Executor.execute`.

        Raises:
            HandleLost: the unit's run directory is gone.
        """
        there = unit_command(self._run(handle), command)
        if there is None:
            raise self._lost(handle, "its run directory is gone")
        return Process(there, backpressure=True)

    async def write_stdin(self, handle: Handle, data: bytes) -> None:
        """Write to the unit's input; see `Executor.write_stdin`.

        Raises:
            HandleLost: it is not running.
        """
        try:
            has_input = await write_input(self._run(handle), data)
        except BrokenPipeError as error:
            raise self._lost(handle, "it is not running") from error
        if not has_input:
            raise self._unsupported(handle, "stdin")

    async def usage(self, handle: Handle) -> Usage | None:
        """Return what all processes of the unit use now."""
        run = self._run(handle)
        if not run.is_of_this_boot:
            return Usage(processes=0, rss_bytes=0, cpu_s=0.0)
        return Usage.of_tree(await tree_usage(_tree(run)))

    def _run(self, handle: Handle) -> DetachedRun:
        if handle.version > HANDLE_VERSION:
            raise self._lost(handle, f"its handle is of version {handle.version}, newer than this")
        return DetachedRun.from_data(handle.data)

    def _lost(self, handle: Handle, cause: str) -> HandleLost:
        return HandleLost(service=str(handle.data["unit"]), executor=self.name, cause=cause)


def _tree(run: DetachedRun) -> Tree:
    return Tree(marker=run.marker, main=run.service)


def _handle(unit: str, run: DetachedRun) -> Handle:
    return Handle(
        executor=ProcessExecutor.name, data={"unit": unit, **run.as_data()}, pid=run.service.pid
    )


def _start_failed(request: StartRequest, error: CommandError | ValueError) -> StartFailed:
    text = str(error)
    details: dict[str, object] = {}
    hint = None
    if isinstance(error, CommandError):
        text = text.removeprefix(f"cannot run `{error.command}`: ")
        details = {"reason": error.kind, "command": error.command}
        hint = error.hint
    return StartFailed(
        service=request.unit,
        executor=ProcessExecutor.name,
        cause=text,
        hint=hint,
        details=details,
    )
