"""Work on a stack that keeps still: who takes part, and what has to be known after a crash.

Dependents are quiesced first and resumed last. Before a service is quiesced that is stored, so that
the next daemon resumes what this one cannot any more.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import anyio

from harness.errors import HarnessError, OperationFailed, SnapshotError, StorageError
from harness.model import EventKind, Goal, ServiceState, UnitKind

from .completion import restore_completion
from .goals import bring_up, stop_for_restart
from .operations import UnitResult
from .project import Project
from .snapshot_store import Snapshot, SnapshotStore
from .unit import Unit

__all__ = [
    "SNAPSHOT_WORK",
    "LeftWork",
    "QuiescedWork",
    "SnapshotFinder",
    "Snapshotter",
    "left_work",
]

logger = logging.getLogger(__name__)

SNAPSHOT_WORK = "snapshots"
"""Collection of what a daemon is doing with snapshots, by project."""

_VERSION = 1

_LAST_S = 30.0


class Snapshotter(Protocol):
    """How one service takes part."""

    @property
    def has_state(self) -> bool:
        """Whether it is part of a snapshot, and not only quiesced meanwhile."""

    @property
    def stops(self) -> bool:
        """Whether it is stopped meanwhile, instead of being quiesced and resumed."""

    async def quiesce(self) -> None:
        """Have it change nothing from now on."""

    async def resume(self) -> None:
        """Have it go on."""

    async def snapshot(self, directory: Path) -> None:
        """Have it write its state into a directory."""

    async def restore(self, directory: Path) -> None:
        """Have it take its state from a directory."""


SnapshotFinder = Callable[["Unit"], Awaitable[Snapshotter | None]]
"""Returns how a unit takes part in snapshots; None: not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftWork:
    """What was begun with the snapshots of a project, and did not come to its end.

    Attributes:
        quiesced: services that are to be resumed.
        restoring: name, parts and the restored ones of a restore.
    """

    quiesced: Sequence[str] = ()
    restoring: Mapping[str, Any] | None = None


def left_work(project: Project) -> LeftWork:
    """Return what is stored of work with the snapshots of a project.

    Raises:
        SnapshotError: a newer version has stored it.
    """
    value = project.context.store.record(SNAPSHOT_WORK, project.name)
    if value is None:
        return LeftWork()
    if value["version"] > _VERSION:
        raise SnapshotError(
            f"cannot go on with the snapshots of {project.name}: a newer version has begun "
            "something with them",
            hint="end it with that version",
        )
    return LeftWork(quiesced=value["quiesced"], restoring=value["restoring"])


class QuiescedWork:
    """One taking or restoring: what it has quiesced, and what has to be known after a crash.

    Args:
        project: whose.
        taking_part: services with how they take part, in the order of starting.
        unfound: service → why nobody knows how it takes part.

    Raises:
        SnapshotError: a newer version has begun something.
    """

    def __init__(
        self,
        project: Project,
        taking_part: Sequence[tuple[Unit, Snapshotter]],
        *,
        unfound: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._project = project
        self.taking_part = taking_part
        self._unfound = unfound
        before = left_work(project)
        self.restoring = before.restoring
        self._quiesced = list(before.quiesced)

    def keep(self) -> None:
        """Store what the next daemon has to know."""
        store = self._project.context.store
        if not self._quiesced and self.restoring is None:
            store.delete(SNAPSHOT_WORK, self._project.name)
            return
        value = {"version": _VERSION, "quiesced": self._quiesced, "restoring": self.restoring}
        store.put(SNAPSHOT_WORK, self._project.name, value)

    def quiesced(self) -> _Quiesced:
        """Have all quiesced while the context is open."""
        return _Quiesced(self)

    async def quiesce(self) -> None:
        """Quiesce all, dependents first."""
        for unit, how in reversed(self.taking_part):
            if unit.name not in self._quiesced:
                self._quiesced.append(unit.name)
            self.keep()
            if how.stops:
                # Its goal stays: after a crash in between, the next daemon starts it.
                await stop_for_restart([unit])
            else:
                await how.quiesce()
            self._project.context.publish(EventKind.UNIT_QUIESCED, unit.name)

    async def restore(self, snapshot: Snapshot, store: SnapshotStore) -> None:
        """Restore all parts, what others depend on first; how far it is is stored."""
        restored: list[str] = []
        self.restoring = {
            "name": snapshot.name,
            "parts": list(snapshot.parts),
            "restored": restored,
        }
        self.keep()
        for unit, how in self.taking_part:
            if unit.name in snapshot.parts:
                await how.restore(store.part(snapshot.name, unit.name))
                restored.append(unit.name)
                self.keep()
        for unit in self._project.units.values():
            if unit.kind is UnitKind.TASK:
                restore_completion(unit, snapshot.tasks.get(unit.name))
        self.restoring = None
        self.keep()

    async def resume(self) -> list[UnitResult]:
        """Resume what is quiesced, dependents last; one that fails does not keep the others.

        What fails is quiesced still, as far as is known: it is resumed with the next work.
        """
        messages: dict[str, str | None] = {**self._unfound}
        for unit, how in self.taking_part:
            if unit.name in self._quiesced:
                messages[unit.name] = await self._resume(unit, how)
        results = []
        for name, message in messages.items():
            if message is not None:
                logger.error("Cannot resume %s: %s", name, message)
            outcome = "resumed" if message is None else "failed"
            results.append(UnitResult(unit=name, outcome=outcome, message=message))
        self._quiesced = [result.unit for result in results if result.outcome == "failed"]
        self.keep()
        return results

    async def _resume(self, unit: Unit, how: Snapshotter) -> str | None:
        if how.stops:
            message = await _started_again(unit)
            if message is not None:
                return message
        elif unit.state is not ServiceState.RUNNING:
            return None  # it begins anew, as one that was never quiesced
        else:
            try:
                await how.resume()
            except HarnessError as error:
                return str(error)
        self._project.context.publish(EventKind.UNIT_RESUMED, unit.name)
        return None


async def _started_again(unit: Unit) -> str | None:
    """Start a service that was stopped, and wait until it is ready; return what went wrong."""
    if unit.goal is not Goal.UP:
        return None  # somebody has stopped it meanwhile
    try:
        (result,) = await bring_up([unit], keep_going=False)
    except HarnessError as error:
        return str(error)
    return None if result.outcome != "failed" else result.message or "it did not get ready"


class _Quiesced:
    """A context with everything quiesced; however it is left, everything is resumed."""

    def __init__(self, work: QuiescedWork) -> None:
        self._work = work

    async def __aenter__(self) -> None:
        try:
            await self._work.quiesce()
        except BaseException as error:
            await self.__aexit__(type(error), error, None)
            raise

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        failed: list[UnitResult] = []
        # Cut short, the rest stays stored, and the next daemon goes on.
        with anyio.move_on_after(None if error is None else _LAST_S, shield=True):
            try:
                results = await self._work.resume()
                failed = [result for result in results if result.outcome == "failed"]
            except StorageError as refused:
                logger.error("Cannot store that services were resumed: %s", refused)
        if failed and error is None:
            names = ", ".join(result.unit for result in failed)
            raise OperationFailed(
                f"cannot resume {names}: {failed[0].message}", hint=f"harness restart {names}"
            )
