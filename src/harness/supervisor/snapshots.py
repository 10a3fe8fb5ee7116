"""Snapshots of a stack: quiesced as one, taken and restored as one, resumed whatever happens.

Dependents are quiesced first and resumed last. Before a service is quiesced that is stored, so that
the next daemon resumes what this one cannot any more (ADR-0026).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
from anyio import to_thread

from harness.errors import (
    HarnessError,
    OperationConflict,
    SnapshotError,
    SnapshotMismatch,
    WaitTimeout,
)
from harness.model import EventKind, Goal, ServiceState, UnitKind
from harness.plan import fingerprint, plan_stack

from .completion import completion_memory
from .operations import Operation, Operations, OperationState, UnitResult, Work
from .project import Project
from .quiescing import SNAPSHOT_WORK, QuiescedWork, SnapshotFinder, Snapshotter, left_work
from .snapshot_store import Snapshot, SnapshotStore
from .unit import Unit

__all__ = ["RestoreMark", "Snapshots"]

logger = logging.getLogger(__name__)

_VERBS = ("snapshot", "restore", "resume")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreMark:
    """A restore that did not come to its end: the parts are not of the same moment.

    Attributes:
        snapshot: its name.
        restored: services that have its state.
        others: services that may have theirs, or half of one.
    """

    snapshot: str
    restored: Sequence[str]
    others: Sequence[str]


@dataclass(slots=True)
class Snapshots:
    """Takes and restores the snapshots of all projects.

    Args:
        operations: runs what takes long.
        find: finds how services take part; None: nobody knows, none does.
    """

    operations: Operations
    find: SnapshotFinder | None
    _busy: dict[str, str] = field(default_factory=dict)  # project → what is being done in a thread

    # ── what there is ────────────────────────────────────────────────────────────────────────────

    async def list(self, project: Project) -> list[Snapshot]:
        """Return the snapshots of a project, oldest first."""
        return await to_thread.run_sync(_store(project).list)

    def mark(self, project: Project) -> RestoreMark | None:
        """Return the restore that left a project with parts of different moments, if it is over."""
        try:
            return None if self._running(project) else self._mark(project)
        except SnapshotError:
            return None  # only the newer version knows, and `recover` has said so

    def _mark(self, project: Project) -> RestoreMark | None:
        restoring = left_work(project).restoring
        if restoring is None:
            return None
        others = [name for name in restoring["parts"] if name not in restoring["restored"]]
        return RestoreMark(
            snapshot=restoring["name"], restored=restoring["restored"], others=others
        )

    async def remove(self, project: Project, name: str) -> None:
        """Remove a snapshot.

        Raises:
            SnapshotNotFound: there is none of that name.
            OperationConflict: one is being taken, restored or removed.
        """
        with self._alone(project, "removed"):
            await to_thread.run_sync(_store(project).remove, name)
        project.context.publish(EventKind.SNAPSHOT_REMOVED, name=name)

    # ── taking and restoring ─────────────────────────────────────────────────────────────────────

    def create(
        self,
        project: Project,
        name: str,
        *,
        require: Sequence[str] = (),
        timeout_s: float | None = None,
    ) -> Operation:
        """Take a snapshot; `require`: services that must be part of it.

        Raises:
            InvalidParameters: the name is none.
            OperationConflict: there is one of that name, or another is being taken, restored or
                removed.
            UnknownService: a required one.
        """
        store = _store(project)
        store.check_name(name)
        for service in require:
            project.unit(service)
        self._check_free(project)
        if store.exists(name):
            raise OperationConflict(
                f'cannot take snapshot "{name}": there is one of that name',
                hint=f"harness snapshot remove {name}",
            )

        async def work(_: Operation) -> list[UnitResult]:
            work = await self._begin(project)
            parts = [unit.name for unit, how in work.taking_part if how.has_state]
            for service in require:
                if service not in parts:
                    raise SnapshotError(
                        f'cannot take snapshot "{name}": "{service}" cannot be part of it: '
                        "its type has no snapshots",
                        hint="`service_type: NAME` names a type that has",
                    )
            if not parts:
                raise SnapshotError(
                    f'cannot take snapshot "{name}": no service of {project.name} has a type '
                    "that has snapshots"
                )
            places = await to_thread.run_sync(store.begin, parts)
            try:
                async with work.quiesced():
                    for unit, how in work.taking_part:
                        if unit.name in places:
                            await how.snapshot(places[unit.name])
                    snapshot = self._describe(project, name, parts)
                await to_thread.run_sync(store.complete, snapshot)
            finally:
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(store.remove_half)
            project.context.publish(EventKind.SNAPSHOT_CREATED, name=name, parts=parts)
            return [UnitResult(unit=part, outcome="snapshotted") for part in parts]

        return self._run("snapshot", project, work, timeout_s)

    async def restore(
        self,
        project: Project,
        name: str,
        *,
        force: bool = False,
        timeout_s: float | None = None,
    ) -> Operation:
        """Restore a snapshot; `force`: also one of another plan.

        Raises:
            SnapshotNotFound: there is none of that name.
            SnapshotMismatch: it is of another plan.
            OperationConflict: another is being taken, restored or removed.
        """
        store = _store(project)
        with self._alone(project, "read"):
            snapshot = await to_thread.run_sync(store.read, name)
        differs = _differences(snapshot.fingerprints, _fingerprints(project))
        if differs and not force:
            raise SnapshotMismatch(name=name, differs=differs)

        async def work(_: Operation) -> list[UnitResult]:
            work = await self._begin(project)
            can = {unit.name for unit, how in work.taking_part if how.has_state}
            if missing := [part for part in snapshot.parts if part not in can]:
                raise SnapshotError(
                    f'cannot restore snapshot "{name}": {", ".join(missing)} cannot take its '
                    "part back: its type has no snapshots, or it is not there"
                )
            async with work.quiesced():
                try:
                    await work.restore(snapshot, store)
                except HarnessError as error:
                    raise self._half_restored(project, error) from error
            project.context.publish(
                EventKind.SNAPSHOT_RESTORED, name=name, parts=list(snapshot.parts)
            )
            return [UnitResult(unit=part, outcome="restored") for part in snapshot.parts]

        return self._run("restore", project, work, timeout_s)

    async def recover(self, project: Project) -> None:
        """Resume what an earlier daemon has left quiesced; remove what it was making."""
        with self._alone(project, "removed"):
            await to_thread.run_sync(_store(project).remove_half)
        try:
            names = left_work(project).quiesced
        except SnapshotError as error:
            logger.error("Cannot resume services of %s: %s", project.name, error)
            return
        if not names:
            return

        async def work(_: Operation) -> list[UnitResult]:
            return await (await self._left_quiesced(project, names)).resume()

        self._run("resume", project, work)

    def forget(self, project: Project) -> None:
        """Take note that a project is gone."""
        project.context.store.delete(SNAPSHOT_WORK, project.name)

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────

    def _run(
        self,
        verb: str,
        project: Project,
        work: Work,
        timeout_s: float | None = None,
    ) -> Operation:
        async def limited(operation: Operation) -> Sequence[UnitResult]:
            try:
                with anyio.fail_after(timeout_s):
                    return await work(operation)
            except TimeoutError:
                raise WaitTimeout(
                    f"cannot {verb} {project.name}: it took longer than {timeout_s:g} s",
                    hint="harness status shows whether the parts agree",
                ) from None

        return self.operations.begin(
            verb, project=project.name, units=tuple(project.units), work=limited
        )

    def _running(self, project: Project) -> Operation | None:
        """Return what is being done with the snapshots of a project now."""
        for one in self.operations.list():
            is_ours = one.project == project.name and one.verb in _VERBS
            if is_ours and one.state is OperationState.RUNNING:
                return one
        return None

    @contextmanager
    def _alone(self, project: Project, done: str) -> Iterator[None]:
        """Let nobody else touch the snapshots of a project; `done`: what is done with one.

        Raises:
            OperationConflict: somebody does.
        """
        self._check_free(project)
        self._busy[project.name] = done
        try:
            yield
        finally:
            del self._busy[project.name]

    def _check_free(self, project: Project) -> None:
        if (one := self._running(project)) is not None:
            raise OperationConflict(
                f"cannot touch snapshots of {project.name}: {one.verb} ({one.id}) is running",
                hint="try again when it has ended",
            )
        if (done := self._busy.get(project.name)) is not None:
            raise OperationConflict(
                f"cannot touch snapshots of {project.name}: one is being {done}",
                hint="try again in a moment",
            )

    async def _begin(self, project: Project) -> QuiescedWork:
        """Find who takes part, in the order of starting.

        Raises:
            SnapshotError: one of them does not run, or cannot be stopped as it must be.
        """
        found = []
        for unit in _services(project):
            how = await self._how(unit)
            if how is None:
                continue
            if how.stops and not how.has_state and unit.goal is Goal.DOWN:
                continue  # it keeps still as it is
            if unit.state is not ServiceState.RUNNING:
                raise SnapshotError(
                    f'cannot quiesce "{unit.name}": it is not running, but {unit.state.value}',
                    hint=f"harness why {unit.name}",
                )
            if how.stops and not unit.is_started_here:
                raise SnapshotError(
                    f'cannot quiesce "{unit.name}": it has to be stopped meanwhile, and services '
                    f"of type {unit.spec.type} are not stopped here",
                    hint="snapshots are for stacks that run it themselves",
                )
            found.append((unit, how))
        return QuiescedWork(project, found)

    async def _left_quiesced(self, project: Project, names: Sequence[str]) -> QuiescedWork:
        """Find those again that an earlier daemon quiesced, as far as they can be found."""
        found, unfound = [], {}
        for unit in _services(project):
            if unit.name not in names:
                continue
            if unit.state is ServiceState.UNKNOWN:
                unfound[unit.name] = unit.record.reason or "nobody knows whether it runs"
                continue
            if unit.state is not ServiceState.RUNNING:
                continue  # it begins anew, as one that was never quiesced
            try:
                how = await self._how(unit)
            except HarnessError as error:
                unfound[unit.name] = str(error)
                continue
            if how is not None:
                found.append((unit, how))
        return QuiescedWork(project, found, unfound=unfound)

    async def _how(self, unit: Unit) -> Snapshotter | None:
        return None if self.find is None else await self.find(unit)

    def _half_restored(self, project: Project, error: HarnessError) -> SnapshotError:
        mark = self._mark(project)
        if mark is None:
            return SnapshotError(f"cannot restore a snapshot: {error}")
        restored, others = ", ".join(mark.restored) or "none", ", ".join(mark.others)
        return SnapshotError(
            f'cannot restore snapshot "{mark.snapshot}": {error}; the parts are of different '
            f"moments now: restored are {restored}, not or half are {others}",
            hint=f"harness snapshot restore {mark.snapshot}",
            details={"restored": list(mark.restored), "others": list(mark.others)},
        )

    def _describe(self, project: Project, name: str, parts: Sequence[str]) -> Snapshot:
        fingerprints = _fingerprints(project)
        services = [u.name for u in project.units.values() if u.kind is UnitKind.SERVICE]
        return Snapshot(
            name=name,
            created_at=project.context.clock.now().isoformat(),
            plan=_hash(fingerprints),
            fingerprints=fingerprints,
            parts=list(parts),
            left=[service for service in services if service not in parts],
            tasks={
                unit.name: completion_memory(unit)
                for unit in project.units.values()
                if unit.kind is UnitKind.TASK and unit.is_completed
            },
        )


def _store(project: Project) -> SnapshotStore:
    return SnapshotStore(project.context.directory)


def _services(project: Project) -> list[Unit]:
    """Return the services of a project, in the order of starting."""
    order = [
        project.units[name] for name in plan_stack(project.spec).units if name in project.units
    ]
    return [unit for unit in order if unit.kind is UnitKind.SERVICE]


def _fingerprints(project: Project) -> dict[str, str]:
    return {name: fingerprint(spec) for name, spec in project.spec.units.items()}


def _hash(fingerprints: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(fingerprints, sort_keys=True).encode()).hexdigest()


def _differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return what differs, in words, one for each unit."""
    changed = [f"{name} has changed" for name in then if name in now and then[name] != now[name]]
    gone = [f"{name} is gone" for name in then if name not in now]
    new = [f"{name} is new" for name in now if name not in then]
    return [*changed, *gone, *new]
