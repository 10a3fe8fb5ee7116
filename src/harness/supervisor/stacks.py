"""All projects of one daemon: the front door of the supervisor."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio

from harness.clock import Clock
from harness.errors import NotSupported, OperationConflict, ServiceNotFound, StorageError
from harness.events import EventBus
from harness.executors import Executor
from harness.health import CheckRunner
from harness.logs import Watcher
from harness.model import EventKind, Goal, StackSpec, UnitKind
from harness.plan import Action, Graph, Plan, PlanDiff, check_capabilities, plan_stack
from harness.plan import diff as diff_units
from harness.storage import Store
from harness.suggestions import guess

from .context import Context
from .following import with_followers
from .goals import bring_down, bring_up, give_up, stop_for_restart
from .leases import Leases, LeaseTerms
from .masking import masked
from .operations import Operation, Operations, UnitResult, Work
from .ports import PortBook
from .project import Project
from .project_store import ProjectStore, StackCodec
from .quiescing import SnapshotFinder
from .setup import SetupFinder
from .snapshots import Snapshots
from .unit import Unit, units_collection

__all__ = ["Stacks"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unreadable:
    """A project that an earlier daemon left and this one cannot read."""

    files: tuple[str, ...]
    error: StorageError


class Stacks:
    """Every project this daemon supervises; an async context manager that owns their tasks.

    Leaving the context stops nothing: services go on and the next daemon adopts them.

    Attributes:
        on_removed: called when a project has been removed; may be replaced.
        forget: removes what others have stored of a project, by its name; may be replaced.
    """

    def __init__(
        self,
        *,
        directory: Path,
        store: Store,
        bus: EventBus,
        clock: Clock,
        executors: Mapping[str, Executor],
        watcher: Watcher,
        checks: CheckRunner,
        codec: StackCodec,
        random: Callable[[], float],
        setups: SetupFinder | None = None,
        snapshotters: SnapshotFinder | None = None,
    ) -> None:
        self._store = store
        self._kept = ProjectStore(directory=directory, store=store, codec=codec)
        self._bus = bus
        self._clock = clock
        self._executors = executors
        self._watcher = watcher
        self._checks = checks
        self._random = random
        self._setups = setups
        self._snapshotters = snapshotters
        self._ports = PortBook()
        self._projects: dict[str, Project] = {}
        self._unreadable: dict[str, _Unreadable] = {}
        self.leases = Leases(store, bus, clock, self._take_down)
        self.on_removed: Callable[[], None] = lambda: None
        self.forget: Callable[[str], None] = lambda _: None
        self._tasks = anyio.create_task_group()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self.operations = Operations(
            tasks=self._tasks, clock=self._clock, bus=self._bus, masked=self.masked
        )
        self._tasks.start_soon(self.leases.run, name="leases")
        self.snapshots = Snapshots(self.operations, self._snapshotters)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._tasks.cancel_scope.cancel()
        return await self._tasks.__aexit__(exc_type, exc, traceback)

    # ── projects ─────────────────────────────────────────────────────────────────────────────────

    def masked(self, value: Any) -> Any:
        """Return JSON values with the secrets of all projects replaced."""
        secrets = (project.context.secrets for project in self._projects.values())
        return masked(value, set().union(*secrets))

    def projects(self) -> list[Project]:
        """Return all projects, in the order they were added."""
        return list(self._projects.values())

    def project(self, name: str) -> Project:
        """Return one project.

        Raises:
            ServiceNotFound: none of that name was ever brought up, or it was removed.
            StorageError: what an earlier daemon stored of it cannot be read.
        """
        self._check_readable(name)
        try:
            return self._projects[name]
        except KeyError:
            hint = guess(name, self._projects) or "harness up brings a stack up"
            cause = "the daemon runs none of that name"
            if (lease := self.leases.last_expired(name)) is not None:
                cause = f"it was taken down when its lease, of {lease.owner}, had expired"
            raise ServiceNotFound(f'cannot find project "{name}": {cause}', hint=hint) from None

    def knows(self, name: str, unit: str | None = None) -> bool:
        """Tell whether a project, or a unit of it, is this daemon's business; also unreadable."""
        project = self._projects.get(name)
        if project is None:
            return name in self._unreadable
        return unit is None or unit in project.units

    def orphans(self) -> list[str]:
        """Return the names of projects that are gone, and of whose units there are records."""
        names = (
            collection.removeprefix(units_collection(""))
            for collection in self._store.collections()
            if collection.startswith(units_collection(""))
        )
        return [name for name in names if not self.knows(name)]

    def remove_orphan(self, name: str) -> None:
        """Remove the records of a project that is gone; nothing happens when it has come again."""
        if not self.knows(name):
            for unit in self._store.records(units_collection(name)):
                self._store.delete(units_collection(name), unit)
            self.forget(name)

    def of_files(self, files: Sequence[str]) -> list[Project]:
        """Return the projects whose main files are these.

        Raises:
            StorageError: what an earlier daemon stored of it cannot be read.
        """
        wanted = tuple(files)
        for name, unreadable in self._unreadable.items():
            if wanted and unreadable.files[: len(wanted)] == wanted:
                self._check_readable(name)
        return [
            project
            for project in self._projects.values()
            if wanted and project.spec.files[: len(wanted)] == wanted
        ]

    def _check_readable(self, name: str) -> None:
        """Refuse to change a project whose units may run, though nobody knows which."""
        if name in self._unreadable:
            error = self._unreadable[name].error
            raise type(error)(f'cannot take over project "{name}": {error}', hint=error.hint)

    async def apply(self, spec: StackSpec, client_env: Mapping[str, str]) -> Project:
        """Add a project or update its definition; nothing starts or stops.

        Raises:
            PlanError: no order of starting exists, or an executor cannot do what is asked.
        """
        plan_stack(spec)
        check_capabilities(spec.units, self._capabilities())
        return self._apply(spec, client_env)

    def _capabilities(self) -> dict[str, frozenset[str]]:
        return {name: executor.capabilities.names for name, executor in self._executors.items()}

    def _apply(self, spec: StackSpec, client_env: Mapping[str, str]) -> Project:
        self._check_readable(spec.name)
        project = self._projects.get(spec.name)
        if project is not None:
            _check_place(project, spec)
        is_new = project is None
        if project is None:
            project = self._new_project(spec, client_env)
        # Units that the file no longer names run until they are stopped, perhaps by a successor.
        leaving = {n: unit.spec for n, unit in project.units.items() if n not in spec.units}
        self._kept.write(spec, client_env, leaving=leaving)
        if is_new:
            # Only now: a project that cannot be remembered is not there.
            self._projects[spec.name] = project
            self._bus.publish(EventKind.PROJECT_ADDED, project=spec.name)
        project.apply(spec, client_env)
        self.leases.excuse(spec.name)
        return project

    def _new_project(self, spec: StackSpec, client_env: Mapping[str, str]) -> Project:
        return Project(
            Context(
                spec=spec,
                client_env=client_env,
                directory=self._kept.make_directory(spec.name),
                store=self._store,
                bus=self._bus,
                clock=self._clock,
                executors=self._executors,
                watcher=self._watcher,
                checks=self._checks,
                ports=self._ports,
                random=self._random,
                tasks=self._tasks,
                setups=self._setups,
            )
        )

    def records(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what an earlier daemon stored of its projects, by name."""
        return self._kept.records()

    async def recover(self) -> None:
        """Take over every project an earlier daemon left: adopt what runs, go on with the rest."""
        for name, record in self._kept.records().items():
            try:
                self._restore(name, record)
            except StorageError as error:
                logger.error("Cannot take over project %s: %s", name, error)
                files = record.get("stack", {}).get("files", ())
                self._unreadable[name] = _Unreadable(files=tuple(files), error=error)
        async with anyio.create_task_group() as tasks:
            for project in self._projects.values():
                tasks.start_soon(project.adopt)
        self.leases.recover({*self._projects, *self._unreadable})
        overdue = self.leases.overdue()
        for project in self.projects():
            if project.name in overdue:
                self._take_down(project.name)
            else:
                self._go_on_stopping(project)
                await self.snapshots.recover(project)

    def _go_on_stopping(self, project: Project) -> None:
        """Take up the stop that an earlier daemon had begun, in the same order."""
        left = [u for u in project.units.values() if u.goal is Goal.DOWN and u.is_live]
        if not left:
            return

        async def work(_: Operation) -> list[UnitResult]:
            return await bring_down(left)

        self._begin("stop", project, [unit.name for unit in left], work)

    def _restore(self, name: str, record: Mapping[str, Any]) -> None:
        kept = self._kept.read(name, record)
        spec = kept.spec
        project = self._new_project(spec, kept.client_env)
        records = self._store.records(units_collection(name))
        left = {n: u for n, u in kept.leaving.items() if n in records and n not in spec.units}
        project.apply(replace(spec, units={**spec.units, **left}), kept.client_env)
        project.apply(spec, kept.client_env)
        project.restore(records)
        self._projects[name] = project

    # ── operations ───────────────────────────────────────────────────────────────────────────────

    def diff(
        self,
        spec: StackSpec,
        client_env: Mapping[str, str],
        *,
        units: Sequence[str] = (),
        force: bool = False,
    ) -> PlanDiff:
        """Return what `up` would do; nothing changes.

        Raises:
            PlanError: the stack cannot be planned, or a name is not in it.
        """
        self._check_readable(spec.name)
        check_capabilities(spec.units, self._capabilities())
        wanted = plan_stack(spec, units).graph
        project = self._projects.get(spec.name)
        if project is None:
            return diff_units(wanted, {}, force=force)
        context = replace(project.context, spec=spec, client_env=client_env)
        return project.diff(wanted, force=force, context=context)

    def up(
        self,
        spec: StackSpec,
        client_env: Mapping[str, str],
        *,
        units: Sequence[str] = (),
        force: bool = False,
        keep_going: bool = False,
        deps: bool = True,
        timeout_s: float | None = None,
        lease: LeaseTerms | None = None,
        keep_lease: bool = True,
    ) -> Operation:
        """Make the stack, or the named units and what they depend on, run as the files say.

        A lease takes the place of the one that the project has; without one that is kept, or
        released.

        Raises:
            PlanError: the stack cannot be planned, or a name is not in it.
            OperationConflict: a stack of that name runs from another directory.
            InvalidParameters: the lease is none.
        """
        plan = plan_stack(spec, units, deps=deps)
        check_capabilities(spec.units, self._capabilities())
        if lease is not None:
            self.leases.check(lease)
        project = self._apply(spec, client_env)
        if lease is not None:
            self.leases.grant(project.name, lease)
        elif not keep_lease and self.leases.of(project.name) is not None:
            self.leases.release(project.name)
        changes = project.diff(plan.graph, force=force)

        async def work(operation: Operation) -> list[UnitResult]:
            return await self._bring_about(
                operation,
                project,
                plan,
                changes,
                deps=deps,
                force=force,
                keep_going=keep_going,
                timeout_s=timeout_s,
            )

        return self._begin("up", project, tuple(plan.graph.units), work, undo=_giving_up(project))

    async def _bring_about(
        self,
        operation: Operation,
        project: Project,
        plan: Plan,
        changes: PlanDiff,
        *,
        deps: bool,
        force: bool,
        keep_going: bool,
        timeout_s: float | None,
    ) -> list[UnitResult]:
        removed = [project.units[name] for name in project.units if name not in project.spec.units]
        if removed:
            await bring_down(removed)
            await project.forget(removed)
        chosen = _in_start_order(project, plan)
        for unit in chosen:
            unit.forces_run = force and unit.kind is UnitKind.TASK
        restarted = set(changes.units(Action.RESTART))
        await stop_for_restart([unit for unit in chosen if unit.name in restarted])
        kept = set(changes.units(Action.KEEP))
        kept |= _skipped(project, changes)
        operation.kept = _as_they_are(project, kept)
        return await bring_up(
            chosen, keep_going=keep_going, kept=kept, deps=deps, timeout_s=timeout_s
        )

    def run_tasks(
        self,
        spec: StackSpec,
        client_env: Mapping[str, str],
        *,
        tasks: Sequence[str],
        force: bool = False,
    ) -> Operation:
        """Run tasks, after what they depend on; with `force` also completed ones."""
        project_units = spec.units
        for name in tasks:
            if name in project_units and project_units[name].kind is not UnitKind.TASK:
                raise ServiceNotFound(f'cannot run "{name}": it is a service, not a task')
        plan = plan_stack(spec, tasks)
        project = self._apply(spec, client_env)
        changes = project.diff(plan.graph)

        async def work(operation: Operation) -> list[UnitResult]:
            for name in tasks:
                project.units[name].forces_run = force
            kept = set(changes.units(Action.KEEP)) - set(tasks)
            kept |= {n for n in changes.units(Action.SKIP) if n not in tasks}
            kept = {name for name in kept if project.units[name].is_settled}
            operation.kept = _as_they_are(project, kept)
            return await bring_up(_in_start_order(project, plan), keep_going=False, kept=kept)

        return self._begin("run", project, tuple(plan.graph.units), work, undo=_giving_up(project))

    def down(
        self, project: Project, *, volumes: bool = False, timeout_s: float | None = None
    ) -> Operation:
        """Stop everything of a project, dependents first; with `volumes` forget all of it."""

        async def work(_: Operation) -> list[UnitResult]:
            results = await bring_down(list(project.units.values()), timeout_s=timeout_s)
            failed = any(result.outcome == "failed" for result in results)
            if volumes and not failed:
                await self._remove(project)
            return results

        return self._begin("down", project, tuple(project.units), work)

    def _take_down(self, name: str) -> None:
        """Remove a project whose lease has expired; whatever it is doing, this comes later."""
        if name in self._projects:
            self.down(self._projects[name], volumes=True)

    async def _remove(self, project: Project) -> None:
        self.leases.forget(project.name)
        self.snapshots.forget(project)
        await project.forget(list(project.units.values()))
        self._projects.pop(project.name, None)
        self.forget(project.name)
        await self._kept.remove(project.name)
        self._bus.publish(EventKind.PROJECT_REMOVED, project=project.name)
        self.on_removed()

    def start(
        self, project: Project, units: Sequence[str] = (), *, timeout_s: float | None = None
    ) -> Operation:
        """Start units, after what they depend on."""
        for name in units:
            project.unit(name)
        plan = plan_stack(project.spec, units)
        changes = project.diff(plan.graph)

        async def work(operation: Operation) -> list[UnitResult]:
            chosen = _in_start_order(project, plan)
            kept = {*changes.units(Action.KEEP), *changes.units(Action.RESTART)}
            kept |= _skipped(project, changes)
            operation.kept = _as_they_are(project, kept)
            return await bring_up(chosen, keep_going=True, kept=kept, timeout_s=timeout_s)

        return self._begin(
            "start", project, tuple(plan.graph.units), work, undo=_giving_up(project)
        )

    def stop(
        self,
        project: Project,
        units: Sequence[str] = (),
        *,
        deps: bool = True,
        timeout_s: float | None = None,
    ) -> Operation:
        """Stop units; with `deps` also what depends on them, first."""
        chosen = project.choose(units)
        if deps and units:
            names = {unit.name for unit in chosen}
            names |= set(Graph.of(project.spec).downstream(tuple(names)))
            chosen = [
                unit
                for name, unit in project.units.items()
                if name in units or (name in names and unit.goal is Goal.UP)
            ]

        async def work(_: Operation) -> list[UnitResult]:
            return await bring_down(chosen, timeout_s=timeout_s)

        return self._begin("stop", project, tuple(unit.name for unit in chosen), work)

    def restart(
        self, project: Project, units: Sequence[str] = (), *, timeout_s: float | None = None
    ) -> Operation:
        """Stop units, dependents first, and start them again in order.

        Raises:
            NotSupported: one that is named runs elsewhere, where nothing would happen to it.
        """
        named: list[Unit] = [
            unit for unit in project.choose(units) if units or unit.kind is UnitKind.SERVICE
        ]
        for unit in named if units else ():
            if not unit.is_started_here:
                raise NotSupported(
                    service=unit.name,
                    executor=unit.spec.type,
                    capability="restart",
                    hint="whoever runs it restarts it",
                )

        chosen = with_followers(named, project.units.values())

        async def work(_: Operation) -> list[UnitResult]:
            for unit in chosen:
                unit.record.goal = Goal.UP
                unit.save()
            await stop_for_restart(chosen)
            order = {name: place for place, name in enumerate(plan_stack(project.spec).units)}
            chosen.sort(key=lambda unit: order.get(unit.name, -1))
            return await bring_up(chosen, keep_going=True, timeout_s=timeout_s)

        return self._begin("restart", project, tuple(unit.name for unit in chosen), work)

    async def stop_all(self) -> list[UnitResult]:
        """Take every project down."""
        results: list[UnitResult] = []
        begun = [self.down(project) for project in self.projects()]
        for operation in begun:
            await operation.ended.wait()
            results.extend(operation.results)
        return results

    def _begin(
        self,
        verb: str,
        project: Project,
        units: Sequence[str],
        work: Work,
        *,
        undo: Work | None = None,
    ) -> Operation:
        return self.operations.begin(verb, project=project.name, units=units, work=work, undo=undo)


def _in_start_order(project: Project, plan: Plan) -> list[Unit]:
    return [project.units[name] for name in plan.units]


def _check_place(project: Project, spec: StackSpec) -> None:
    """Refuse a stack of another directory while something of the same name runs."""
    places = [os.path.dirname(files[0]) for files in (project.spec.files, spec.files) if files]
    if len(set(places)) > 1 and any(unit.is_live for unit in project.units.values()):
        raise OperationConflict(
            f'cannot bring "{spec.name}" up from {spec.files[0]}: '
            f"it runs from {project.spec.files[0]}",
            hint=f"name this copy with -p NAME, or end the other: harness down -p {spec.name}",
        )


def _skipped(project: Project, changes: PlanDiff) -> set[str]:
    """Return the completed tasks that need not run; what can tell for itself is asked each time."""
    completed = (project.units[name] for name in changes.units(Action.SKIP))
    return {unit.name for unit in completed if unit.is_completed and not unit.tells_completion}


def _as_they_are(project: Project, kept: Collection[str]) -> frozenset[str]:
    """Return those of the units to be kept that need not be begun again."""
    units = (project.units[name] for name in kept)
    return frozenset(u.name for u in units if u.goal is Goal.UP and not u.is_stuck)


def _giving_up(project: Project) -> Work:
    """Return what undoes a cancelled operation: what it began and is not ready stops."""

    async def undo(operation: Operation) -> list[UnitResult]:
        names = (name for name in operation.units if name not in operation.kept)
        units = (project.units[name] for name in names if name in project.units)
        return await give_up([unit for unit in units if not unit.is_settled])

    return undo
