"""The executor of type `typed`: tasks that a plugin's class does, inside the daemon.

A run ends with the daemon. The next one finds that and starts the task again, whose class sees
what is done already.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import anyio
from anyio.abc import TaskGroup

from harness.commands import Tree, end_tree, signal_number
from harness.errors import HarnessError, StartFailed, StopFailed
from harness.model import ExitStatus, Handle

from .base import (
    OUTPUTS_FILE,
    Capabilities,
    Completion,
    Executor,
    Recovery,
    StartRequest,
    StopReport,
)
from .typed_options import TYPED_CAPABILITIES, TypedOptions

__all__ = ["TypedExecutor", "TypedRun"]

logger = logging.getLogger(__name__)

_EXIT_FILE = "exit.json"
_MARKER_FILE = "marker.json"


class TypedRun(Protocol):
    """What a plugin's class does for one task, with its parameters checked."""

    async def completion(self) -> Completion | None:
        """Tell whether everything is done already; None: it does not know."""

    async def execute(self) -> Mapping[str, Any]:
        """Do it, and return the outputs; may be cancelled.

        Raises:
            HarnessError: why it could not be done.
        """


@dataclass(slots=True)
class _Job:
    """A run under way, or ended."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    ended: anyio.Event = field(default_factory=anyio.Event)
    status: ExitStatus = field(default_factory=ExitStatus)


class TypedExecutor(Executor):
    """Runs plugins' tasks; an async context manager, whose end cancels what still runs.

    Args:
        begin: finds the class of a task and checks its parameters.
    """

    name: ClassVar[str] = "typed"
    options: ClassVar[type] = TypedOptions
    capabilities: ClassVar[Capabilities] = TYPED_CAPABILITIES
    tells_completion: ClassVar[bool] = True

    def __init__(self, begin: Callable[[StartRequest], Awaitable[TypedRun]]) -> None:
        self._begin = begin
        self._jobs: dict[str, _Job] = {}
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()
            await self._tasks.__aexit__(*error)
            self._tasks = None

    async def completion(self, request: StartRequest) -> Completion | None:
        """Ask the task's class."""
        return await (await self._begin(request)).completion()

    async def start(self, request: StartRequest) -> Handle:
        """Let the task's class begin."""
        if self._tasks is None:
            raise RuntimeError("enter the context of this executor first")
        try:
            run = await self._begin(request)
        except HarnessError as error:
            raise StartFailed(
                service=request.unit, executor=self.name, cause=str(error), hint=error.hint
            ) from error
        # Whoever cleans up after the run has nothing but its directory.
        _write(request.run_dir / _MARKER_FILE, {"unit": request.unit, "marker": request.marker})
        job = self._jobs[str(request.run_dir)] = _Job()
        self._tasks.start_soon(self._see_through, job, run, request.run_dir)
        data = {"unit": request.unit, "run_dir": str(request.run_dir), "marker": request.marker}
        return Handle(executor=self.name, data=data)

    async def recover(self, *, unit: str, run_dir: Path, handle: Handle | None) -> Recovery:
        """Find how a run ended; one that a daemon's end cut short never ran."""
        if str(run_dir) in self._jobs and handle is not None:
            return Recovery(handle=handle)
        found = _read_end(run_dir)
        if found is None:
            return Recovery()
        status, ended_at = found
        return Recovery(exit=status, ended_at=ended_at)

    async def wait(self, handle: Handle) -> ExitStatus:
        """Return how the run ended."""
        run_dir = str(handle.data["run_dir"])
        job = self._jobs.get(run_dir)
        if job is None:
            found = _read_end(Path(run_dir))
            return ExitStatus() if found is None else found[0]
        await job.ended.wait()
        return job.status

    async def stop(self, handle: Handle, *, stop_signal: str, timeout_s: float) -> StopReport:
        """Cancel the run, and end what its commands have left behind.

        Raises:
            StopFailed: the class goes on although it was cancelled, or a process cannot be killed.
        """
        began_s = anyio.current_time()
        unit = str(handle.data["unit"])
        job = self._jobs.get(str(handle.data["run_dir"]))
        if job is not None:
            job.scope.cancel()
            with anyio.move_on_after(max(timeout_s, 1.0)):
                await job.ended.wait()
            if not job.ended.is_set():
                cause = "its class goes on although it was cancelled"
                raise StopFailed(service=unit, executor=self.name, cause=cause)
        stragglers = await self._end_leftovers(unit, str(handle.data["marker"]))
        status = await self.wait(handle)
        self._jobs.pop(str(handle.data["run_dir"]), None)
        took_s = anyio.current_time() - began_s
        return StopReport(exit=status, stragglers=stragglers, took_s=took_s)

    async def sweep(self, run_dir: Path) -> Sequence[str]:
        """End what the commands of an ended run left behind; see `Executor.sweep`."""
        self._jobs.pop(str(run_dir), None)
        try:
            document = json.loads((run_dir / _MARKER_FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ()
        return await self._end_leftovers(document["unit"], document["marker"])

    async def _end_leftovers(self, unit: str, marker: str) -> tuple[str, ...]:
        """End every process that carries the marker; return the command lines of those killed."""
        tree = Tree(marker=f"HARNESS_UNIT={marker}", main=None)
        report = await end_tree(tree, stop_signal=signal_number("SIGTERM"), timeout_s=0.0)
        if report.survivors:
            raise self._survived(unit, report)
        return report.stragglers

    async def _see_through(self, job: _Job, run: TypedRun, run_dir: Path) -> None:
        """Run a task to its end, and leave on disk how it ended unless the daemon ends."""
        try:
            job.status = await _outcome(job.scope, run, run_dir)
            _write_end(run_dir, job.status)
        except OSError as error:
            # A full disk, for example; what a class raises is a HarnessError by now.
            logger.error("Cannot keep how the run in %s ended: %s", run_dir, error)
            job.status = ExitStatus(code=1, cause=f"how it ended cannot be kept: {error}")
        except Exception:
            logger.exception("Cannot see the run in %s through", run_dir)
            job.status = ExitStatus(code=1, cause="a defect in the harness; its log says more")
        finally:
            job.ended.set()


async def _outcome(scope: anyio.CancelScope, run: TypedRun, run_dir: Path) -> ExitStatus:
    """Run a task to its end, keep its outputs, and return how it ended."""
    try:
        with scope:
            _write(run_dir / OUTPUTS_FILE, await run.execute())
    except HarnessError as error:
        return ExitStatus(code=1, cause=str(error))
    return ExitStatus(cause="cancelled") if scope.cancelled_caught else ExitStatus(code=0)


def _write_end(run_dir: Path, status: ExitStatus) -> None:
    ended_at = datetime.now(UTC).isoformat()
    _write(run_dir / _EXIT_FILE, {"status": asdict(status), "ended_at": ended_at})


def _write(path: Path, document: Mapping[str, Any]) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(document), encoding="utf-8")
    os.replace(new, path)


def _read_end(run_dir: Path) -> tuple[ExitStatus, datetime] | None:
    try:
        document = json.loads((run_dir / _EXIT_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return ExitStatus(**document["status"]), datetime.fromisoformat(document["ended_at"])
