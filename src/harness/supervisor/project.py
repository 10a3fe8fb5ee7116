"""One project: its units, connected, and everything that can be asked of or done to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import anyio
from anyio import to_thread

from harness.commands import Command, Process
from harness.errors import HandleLost, NotSupported, StorageError, UnknownService, UnknownTask
from harness.executors import Executor
from harness.logs import LogsDropped, UnitLog
from harness.model import (
    EventKind,
    Goal,
    Handle,
    ServiceState,
    StackSpec,
    TaskSpec,
    UnitKind,
    UnitSpec,
)
from harness.plan import Graph, Observed, PlanDiff, diff, fingerprint

from .adoption import absence, go_on
from .completion import created_paths_exist
from .context import Context
from .directories import UnitDirectories
from .goals import wait_timeout
from .input import write_input
from .launch import current_input_hash
from .lookup import UnitLookup
from .masking import masked
from .record import UnitRecord, decode_record
from .unit import Unit, units_collection
from .values import changed_values, value_hashes
from .views import Explanation, UnitStatus, explain, health_view, plain, unit_status, usage_view

__all__ = ["Project"]

_TARGETS: Mapping[str, Callable[[Unit], bool]] = {
    "started": lambda unit: unit.state is ServiceState.RUNNING or unit.is_completed,
    "healthy": lambda unit: unit.is_ready or unit.is_completed,
    "completed": lambda unit: unit.is_completed,
    "stopped": lambda unit: (
        not unit.is_live and unit.state not in (ServiceState.PENDING, ServiceState.BACKOFF)
    ),
}
_HISTORY_EVENTS = 50


class Project:
    """The units of one stack. Made by `Stacks`; `context` is shared with its units."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.units: dict[str, Unit] = {}

    # ── definition ───────────────────────────────────────────────────────────────────────────────

    @property
    def name(self) -> str:
        """The project's name."""
        return self.context.project

    @property
    def spec(self) -> StackSpec:
        """The stack as last applied."""
        return self.context.spec

    def apply(self, spec: StackSpec, client_env: Mapping[str, str]) -> None:
        """Take a new definition; nothing starts or stops, units not in it stay until stopped."""
        self.context.spec = spec
        self.context.client_env = client_env
        limit = spec.settings.parallelism
        self.context.starts = None if limit is None else anyio.CapacityLimiter(limit)
        known = self.units
        self.units = {}
        for name, unit_spec in spec.units.items():
            unit = known.pop(name, None)
            if unit is None:
                unit = self._unit(unit_spec, UnitRecord())
            unit.spec = unit_spec
            self.units[name] = unit
        # What the file no longer names is at the end, and keeps the definition it runs with.
        self.units.update(known)
        for unit in self.units.values():
            unit.connect(self.units)

    def restore(self, records: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over what an earlier daemon stored of the units of the applied stack."""
        for name, value in records.items():
            if (unit := self.units.get(name)) is None:
                continue
            unit.record = decode_record(value)
            if unit.record.state is ServiceState.STOPPING:
                unit.was_stopping = True
            if unit.record.state in (
                ServiceState.STARTING,
                ServiceState.RUNNING,
                ServiceState.STOPPING,
            ):
                unit.record.state = ServiceState.UNKNOWN
            elif unit.record.state is ServiceState.PENDING:
                unit.record.state = ServiceState.STOPPED
            unit.restore_history()

    def _unit(self, spec: UnitSpec, record: UnitRecord) -> Unit:
        directories = UnitDirectories(self.context.directory, spec.name)
        directories.make()
        log = UnitLog(
            directories.root,
            unit=spec.name,
            max_bytes=self.spec.settings.log_max_bytes,
            clock=self.context.clock,
        )
        self.context.watcher.watch(log)
        return Unit(
            spec=spec, record=record, context=self.context, directories=directories, log=log
        )

    async def forget(self, units: Sequence[Unit]) -> None:
        """Remove stopped units with their records, output and directories."""
        for unit in units:
            await unit.aclose()
            self.context.watcher.forget(unit.log)
            self.context.store.delete(units_collection(self.name), unit.name)
            self.context.ports.release(f"{self.name}/{unit.name}")
            self.units.pop(unit.name, None)
            await to_thread.run_sync(unit.directories.remove)
        for unit in self.units.values():
            unit.connect(self.units)

    def log_notice(self, notice: LogsDropped) -> None:
        """Publish that output of a unit was given up."""
        self.context.publish(
            EventKind.LOGS_DROPPED,
            notice.unit,
            stream=notice.stream,
            bytes=notice.size_bytes,
            cause=notice.cause,
        )

    # ── what it looks like ───────────────────────────────────────────────────────────────────────

    def unit(self, name: str) -> Unit:
        """Return one unit.

        Raises:
            UnknownService: there is none of that name.
        """
        try:
            return self.units[name]
        except KeyError:
            raise UnknownService.of(name, self.units) from None

    def task(self, name: str) -> Unit:
        """Return one task.

        Raises:
            UnknownTask: there is none of that name.
        """
        tasks = {n: u for n, u in self.units.items() if u.kind is UnitKind.TASK}
        if name not in tasks:
            raise UnknownTask.of(name, tasks)
        return tasks[name]

    def choose(self, names: Sequence[str]) -> list[Unit]:
        """Return the named units, in file order; all of them for no names."""
        chosen = {name: self.unit(name) for name in names}
        return [unit for name, unit in self.units.items() if not names or name in chosen]

    def statuses(self) -> list[UnitStatus]:
        """Return every unit's row, in file order."""
        return [unit_status(unit) for unit in self.units.values()]

    def explain(self, name: str) -> Explanation:
        """Explain why a unit is as it is."""
        return explain(self.unit(name))

    def log(self, name: str) -> UnitLog:
        """Return a unit's output."""
        return self.unit(name).log

    def health(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return what the checks of one unit, or of all that have checks, found."""
        if name is not None:
            return [health_view(self.unit(name))]
        return [health_view(unit) for unit in self.units.values() if unit.spec.health]

    def inspect(self, name: str) -> dict[str, Any]:
        """Return all that is known of a unit; secrets are masked."""
        unit = self.unit(name)
        history = [
            event
            for event in self.context.store.events(
                after=max(0, self.context.bus.last_number - 10_000),
                limit=10_000,
                project=self.name,
            )
            if event.unit == name
        ]
        view = {
            **plain(unit_status(unit)),
            "spec": plain(unit.spec),
            "handle": plain(unit.record.handle),
            "generation": unit.record.generation,
            "since": unit.record.since,
            "health_checks": health_view(unit),
            "history": plain(history[-_HISTORY_EVENTS:]),
        }
        return dict(masked(view, unit.secrets))

    def env(self, name: str, *, reveal: bool = False) -> dict[str, str]:
        """Return the variables a unit gets; secrets, and what it inherits, are masked."""
        return self.unit(name).shown_environment(reveal=reveal)

    def tasks(self) -> list[UnitStatus]:
        """Return every task's row, in file order."""
        return [unit_status(unit) for unit in self.units.values() if unit.kind is UnitKind.TASK]

    def observed(
        self, values: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    ) -> dict[str, Observed]:
        """Return what `plan` compares a wanted stack with; `values`: unit → what changed."""
        return {
            name: Observed(
                state=unit.state,
                goal=unit.goal,
                kind=unit.kind,
                fingerprint=unit.record.fingerprint,
                fields=unit.record.fields,
                completed=unit.record.completed if _is_still_done(unit) else None,
                values=values.get(name, ()),
            )
            for name, unit in self.units.items()
        }

    def diff(
        self, wanted: Graph, *, force: bool = False, context: Context | None = None
    ) -> PlanDiff:
        """Return what bringing `wanted` up would change; `context`: with which client and stack."""
        context = context or self.context
        inputs = {}
        values = {}
        for name, spec in wanted.units.items():
            unit = self.units.get(name)
            if unit is None:
                continue
            if unit.record.values is not None:
                now = value_hashes(spec, UnitLookup(unit, context))
                values[name] = changed_values(unit.record.values, now)
            if unit.kind is not UnitKind.TASK or unit.record.completed is None:
                continue
            if unit.record.fingerprint == fingerprint(spec):
                inputs[name] = current_input_hash(unit, context) or unit.record.completed
        return diff(wanted, self.observed(values), inputs=inputs, force=force)

    # ── what can be done to its units ────────────────────────────────────────────────────────────

    async def wait_for(
        self, names: Sequence[str], target: str, *, timeout_s: float | None = None
    ) -> None:
        """Return once every named unit is as wanted: started, healthy, completed or stopped.

        Raises:
            WaitTimeout: that took too long; the message is the chain of causes.
            OperationFailed: a unit failed or ended and will not get there; the same message.
        """
        condition = _TARGETS[target]
        units = self.choose(names)

        def settled(unit: Unit) -> bool:
            return condition(unit) or (target != "stopped" and _is_over(unit))

        try:
            with anyio.fail_after(timeout_s):
                for unit in units:
                    await unit.until(settled)
        except TimeoutError:
            late = [unit for unit in units if not condition(unit)]
            raise wait_timeout(late, timeout_s or 0.0) from None
        if over := [unit for unit in units if not condition(unit)]:
            raise wait_timeout(over, None)

    async def until_over(self, names: Sequence[str]) -> None:
        """Return once every named unit has ended, and nothing is to start it again."""
        units = self.choose(names)
        while running := [unit for unit in units if not _is_over(unit)]:
            await running[0].until(_is_over)  # others may be started again meanwhile

    async def check_health(self, name: str) -> list[dict[str, Any]]:
        """Run a unit's current check once, now, and return what is known then."""
        unit = self.unit(name)
        if unit.probes is not None:
            await unit.probes.check_now()
        return [health_view(unit)]

    async def signal(self, name: str, signal: str) -> None:
        """Send a signal to a running unit."""
        executor, handle = self._running(name, "signal")
        await executor.signal(handle, signal=signal)

    async def reload(self, names: Sequence[str]) -> None:
        """Ask running units to read their configuration again (SIGHUP)."""
        for unit in self.choose(names):
            if unit.state is ServiceState.RUNNING or names:
                await self.signal(unit.name, "SIGHUP")

    async def write_stdin(self, name: str, data: bytes) -> None:
        """Write to a running unit's input; see `write_input`.

        Raises:
            NotSupported: it has none.
            HandleLost: it is not running.
        """
        executor, handle = self._running(name, "write to")
        await write_input(self.unit(name), executor, handle, data)

    async def execute(self, name: str, command: Command) -> Process:
        """Run a command beside a running unit, in its place and environment."""
        executor, handle = self._running(name, "run a command beside")
        if not executor.capabilities.exec:
            raise NotSupported(service=name, executor=executor.name, capability="exec")
        return await executor.execute(handle, command)

    async def top(self) -> list[dict[str, Any]]:
        """Return what each running unit uses."""
        rows = []
        for unit in self.units.values():
            handle = unit.record.handle
            if handle is None:
                continue
            usage = await self.context.executors[handle.executor].usage(handle)
            if usage is not None:
                rows.append(usage_view(unit, usage))
        return rows

    def reset(self, names: Sequence[str]) -> None:
        """Forget that tasks completed; all tasks for no names."""
        tasks = [self.task(name) for name in names] or [
            unit for unit in self.units.values() if unit.kind is UnitKind.TASK
        ]
        for unit in tasks:
            unit.forget_completion()

    def _running(self, name: str, verb: str) -> tuple[Executor, Handle]:
        unit = self.unit(name)
        handle = unit.record.handle
        if handle is None or unit.state is not ServiceState.RUNNING:
            is_task = unit.kind is UnitKind.TASK
            raise HandleLost(
                service=name,
                executor=unit.spec.type,
                cause=f"it is not running, but {unit.state.value}",
                verb=verb,
                hint=f"harness task run {name} --force" if is_task else f"harness start {name}",
            )
        return self.context.executors[handle.executor], handle

    # ── life of the daemon ───────────────────────────────────────────────────────────────────────

    async def adopt(self) -> None:
        """Find what an earlier daemon left, and go on from there towards each unit's goal."""
        async with anyio.create_task_group() as tasks:
            for unit in self.units.values():
                if unit.state is ServiceState.UNKNOWN:
                    tasks.start_soon(unit.adopt)
        absent = {name: cause for name, unit in self.units.items() if (cause := absence(unit))}
        for name, cause in absent.items():
            self.units[name].record.reason = cause
        here = [unit for name, unit in self.units.items() if name not in absent]
        for unit in here:
            unit.sweep_leftovers()
        for unit in here:
            go_on(unit)

    async def aclose(self) -> None:
        """Let go of every unit without stopping any."""
        for unit in self.units.values():
            try:
                await unit.aclose()
            except StorageError:
                # A full disk must not keep the daemon from ending; the record is as it was.
                continue


def _is_still_done(unit: Unit) -> bool:
    """Tell whether what a task created is there, as long as it is to create anything."""
    return not isinstance(unit.spec, TaskSpec) or created_paths_exist(unit.spec)


def _is_over(unit: Unit) -> bool:
    return unit.state in (ServiceState.FAILED, ServiceState.EXITED) or (
        unit.goal is Goal.DOWN and not unit.is_live
    )
