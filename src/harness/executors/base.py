"""The contract of a service executor: it keeps one unit existing in one kind of place.

An executor knows nothing of stacks, dependencies, health or restarts; the supervisor decides, and
every executor passes the one suite, `harness.testing.ExecutorContract`.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from harness.errors import NotSupported, StopFailed
from harness.model import Endpoint, ExitStatus, Handle, UnitKind

if TYPE_CHECKING:
    from harness.commands import Command, Process, TreeReport, TreeUsage

__all__ = [
    "OUTPUTS_FILE",
    "Capabilities",
    "Completion",
    "Executor",
    "Recovery",
    "StartRequest",
    "StopReport",
    "UnitProcess",
    "Usage",
]

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


OUTPUTS_FILE = "outputs.json"
"""In the directory of a run: where an executor leaves outputs of a task, a JSON object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an executor can do, as data; `plan` checks wishes against it before anything starts.

    Attributes:
        starts: it starts and stops units; False for services that are known by their endpoints
            alone.
        services: it can keep a unit running.
        tasks: it can run a unit to completion and report its exit status.
        exec: it can run another command in the unit's place and environment.
        stdin: a running unit may have an input that can be written to.
        signals: a signal can be sent to a running unit.
        logs: the unit's output is kept in the log directory it is given.
        recovers: a unit survives the daemon's death and is found again.
        run_as_user: a unit can run as another user.
    """

    starts: bool = True
    services: bool = True
    tasks: bool = True
    exec: bool = False
    stdin: bool = False
    signals: bool = False
    logs: bool = False
    recovers: bool = False
    run_as_user: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The names of those it has."""
        return frozenset(item.name for item in fields(self) if getattr(self, item.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """Everything needed to start one run of one unit; all `${…}` are resolved.

    Attributes:
        project: the project's name.
        unit: the unit's name.
        kind: service or task.
        generation: number of this run of this unit, from 1; never used twice in a project.
        token: random text, part of the environment marker that every process of the run carries.
        run_dir: existing directory of this run alone, 0700; the executor's files go there.
        log_dir: existing directory of the unit, shared by its runs; output is appended there to
            `stdout.log` and `stderr.log`.
        base_dir: absolute directory that relative paths in `options` start from.
        options: instance of the executor's options type.
        env: the complete environment.
        endpoints: the unit's own endpoints, by name.
    """

    project: str
    unit: str
    kind: UnitKind
    generation: int
    token: str
    run_dir: Path
    log_dir: Path
    base_dir: Path
    options: Any
    env: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)

    @property
    def marker(self) -> str:
        """What every process of the run carries as `HARNESS_UNIT`."""
        return f"{self.project}/{self.unit}/{self.generation}/{self.token}"

    @property
    def identity(self) -> Mapping[str, str]:
        """The variables that every process of the run carries, whatever else its environment is."""
        # Only here: whoever merely reads stack files needs nothing of how commands are run.
        from harness.commands import RUN_VARIABLE

        return {"HARNESS_UNIT": self.marker, RUN_VARIABLE: str(self.run_dir)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Whether what a task is to do is done already.

    Attributes:
        is_done: nothing is left to do.
        outputs: JSON values by name; None when only a run could tell them.
    """

    is_done: bool
    outputs: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What became of a start that an earlier daemon asked for.

    handle set, exit None: it runs, and is watched from here on. exit set: it ended so, at
    `ended_at`.
    Neither: it never ran, and it is certain that it never will.
    """

    handle: Handle | None = None
    exit: ExitStatus | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReport:
    """How a unit ended when it was stopped; nothing of it is left.

    Attributes:
        exit: status of its main process.
        killed: it did not end at the stop signal within the timeout and got SIGKILL.
        stragglers: command lines of other processes of the unit that had to be killed.
        took_s: seconds from the signal until nothing was left.
    """

    exit: ExitStatus
    killed: bool = False
    stragglers: tuple[str, ...] = ()
    took_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitProcess:
    """One process of a unit.

    Attributes:
        pid: its number.
        parent: that of the process that is its parent now.
        command: its command line, quoted for a shell.
        rss_bytes: what it has in memory.
        cpu_s: processor time so far.
    """

    pid: int
    parent: int
    command: str
    rss_bytes: int
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a unit uses now, all its processes together.

    Attributes:
        processes: how many.
        rss_bytes: what they have in memory.
        cpu_s: processor time so far.
        tree: each of them, the oldest first; empty where the executor cannot tell.
    """

    processes: int
    rss_bytes: int
    cpu_s: float
    tree: tuple[UnitProcess, ...] = ()

    @classmethod
    def of_tree(cls, usage: TreeUsage) -> Self:
        """Return what a tree of this machine's processes uses."""
        return cls(
            processes=usage.processes,
            rss_bytes=usage.rss_pages * _PAGE_BYTES,
            cpu_s=usage.ticks / _TICKS_PER_S,
            tree=tuple(
                UnitProcess(
                    pid=process.stat.pid,
                    parent=process.stat.parent,
                    command=process.command,
                    rss_bytes=process.stat.rss_pages * _PAGE_BYTES,
                    cpu_s=process.stat.ticks / _TICKS_PER_S,
                )
                for process in usage.members
            ),
        )


class Executor(ABC):
    """Keeps units existing. Implementations are stateless but for what they watch.

    All methods may be cancelled at any moment without losing a unit: a cancelled `start` either
    has not started anything, or what it started is found by `recover`.

    Attributes:
        name: as in `type` of a stack file.
        options: dataclass of what a stack file says besides what all units have.
        capabilities: what it can do.
        tells_completion: `completion` finds out what was done, and is asked by each `up`.
    """

    name: ClassVar[str]
    options: ClassVar[type]
    capabilities: ClassVar[Capabilities]
    tells_completion: ClassVar[bool] = False

    async def completion(self, request: StartRequest) -> Completion | None:
        """Look whether what a task is to do is done; None where only what is remembered tells.

        Raises:
            HarnessError: it cannot be found out.
        """
        return None

    @abstractmethod
    async def start(self, request: StartRequest) -> Handle:
        """Start one run and return once its main process exists.

        Raises:
            StartFailed: it could not be started; the cause tells program, directory, user and
                permission apart, and nothing is left behind.
        """

    @abstractmethod
    async def recover(self, *, unit: str, run_dir: Path, handle: Handle | None) -> Recovery:
        """Find what an earlier daemon's `start` with this run directory produced.

        `handle` is None when that daemon died before it stored one. Never starts anything. After it
        returned a handle, `wait` and `stop` work as if this executor had started the unit.
        """

    @abstractmethod
    async def wait(self, handle: Handle) -> ExitStatus:
        """Return how the main process ended, as soon as it did; at once if it already has."""

    @abstractmethod
    async def stop(self, handle: Handle, *, stop_signal: str, timeout_s: float) -> StopReport:
        """End everything of the unit; return when nothing is left. Idempotent.

        Raises:
            StopFailed: something survived SIGKILL; the message names it.
        """

    def seems_gone(self, handle: Handle) -> bool:
        """Tell cheaply, after the main process ended, whether nothing is likely to be left of it.

        True lets the unit be started again at once, while `stop` looks for the unlikely rest.
        """
        return False

    async def sweep(self, run_dir: Path) -> Sequence[str]:
        """End what a run whose main process has ended left behind; return what that was.

        Needs nothing but the run's directory, so that it can be done after a crash, and again.

        Raises:
            StopFailed: something survived SIGKILL; the message names it.
        """
        return ()

    async def signal(self, handle: Handle, *, signal: str) -> None:
        """Send a signal, named such as SIGHUP, to the main process.

        Raises:
            NotSupported: the executor has no `signals` capability.
        """
        raise self._unsupported(handle, "signals")

    async def execute(self, handle: Handle, command: Command) -> Process:
        """Run `command` beside the unit, in its place and environment, attached to the caller.

        The command's own env and working directory are applied on top of the unit's.

        Raises:
            NotSupported: the executor has no `exec` capability.
        """
        raise self._unsupported(handle, "exec")

    async def write_stdin(self, handle: Handle, data: bytes) -> None:
        """Write to the unit's input.

        Raises:
            NotSupported: the executor, or this unit, has no input.
        """
        raise self._unsupported(handle, "stdin")

    async def usage(self, handle: Handle) -> Usage | None:
        """Return what the unit uses now, or None where that is unknown."""
        return None

    def _unsupported(self, handle: Handle, capability: str) -> NotSupported:
        return NotSupported(
            service=str(handle.data.get("unit", "?")), executor=self.name, capability=capability
        )

    def _survived(self, unit: str, report: TreeReport) -> StopFailed:
        return StopFailed(
            service=unit,
            executor=self.name,
            cause=f"still alive after SIGKILL: {', '.join(report.survivors)}",
            details={"survivors": list(report.survivors)},
        )
