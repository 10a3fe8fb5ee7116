"""What is left of projects and daemons that nobody will come back for, and removing it.

Never what a living daemon owns, nor what the next daemon of a state directory would adopt, unless
that is asked for. A process is ended by its pid, start time and marker, as everywhere.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

from anyio import to_thread

from harness.commands import Stray, Tree, end_tree, find_strays, join
from harness.errors import StorageError, StoreLocked
from harness.protocol import Endpoint
from harness.storage import SqliteStore
from harness.supervisor import Stacks, units_collection

__all__ = ["Leftover", "LeftoverKind", "Leftovers"]

_STOP_S = 5.0


class LeftoverKind(StrEnum):
    """What is left."""

    PROJECT = "project"
    DIRECTORY = "directory"
    PROCESSES = "processes"
    RECORDS = "records"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One thing that was left.

    Attributes:
        name: of the project, also of one whose records are left; the directory's path, or
            `project/unit` of the processes.
        why: why nobody will come back for it; or who may.
        state_dir: of the daemon that it belonged to; None: nothing tells.
        pids: of the processes.
        removable: whether nobody can want it.
        adoptable: whether the next daemon of its state directory would go on with it.
        removed: whether it is gone now.
        error: why it could not be removed.
        hint: what takes it up again.
    """

    kind: LeftoverKind
    name: str
    why: str
    state_dir: str | None
    pids: tuple[int, ...] = ()
    removable: bool = True
    adoptable: bool = False
    removed: bool = False
    error: str | None = None
    hint: str | None = None


class Leftovers:
    """Finds and removes what is left.

    Args:
        stacks: the projects of this daemon.
        directory: its state directory.
    """

    def __init__(self, *, stacks: Stacks, directory: Path) -> None:
        self._stacks = stacks
        self._directory = directory

    async def find(self, *, under: Path | None = None) -> list[Leftover]:
        """Return what is left; nothing changes.

        Args:
            under: of other daemons only what belonged to state directories in this one.
        """
        return [found for found, _ in await self._find(under)]

    async def remove(self, *, under: Path | None = None, adoptable: bool = False) -> list[Leftover]:
        """Remove what nobody can want, with `adoptable` also what a next daemon would go on with.

        Returns all that was found, removed or not. Nothing of it is retried.
        """
        results = []
        for found, stray in await self._find(under):
            if found.removable or (adoptable and found.adoptable):
                results.append(await self._removed(found, stray))
            else:
                results.append(found)
        return results

    # ── finding ──────────────────────────────────────────────────────────────────────────────────

    async def _find(self, under: Path | None) -> list[tuple[Leftover, Stray | None]]:
        found: list[tuple[Leftover, Stray | None]] = []
        found += [(leftover, None) for leftover in await to_thread.run_sync(self._projects)]
        for stray in sorted(await find_strays(), key=lambda one: one.processes):
            leftover = await to_thread.run_sync(self._of_stray, stray, under)
            if leftover is not None:
                found.append((leftover, stray))
        # Last: whoever writes there is ended before.
        found += [(leftover, None) for leftover in await self._directories()]
        found += [(leftover, None) for leftover in self._records()]
        return found

    def _projects(self) -> list[Leftover]:
        return [
            Leftover(
                kind=LeftoverKind.PROJECT,
                name=project.name,
                why=why,
                state_dir=str(self._directory),
            )
            for project in self._stacks.projects()
            if (why := self._abandoned(project.name, project.spec.files)) is not None
        ]

    def _abandoned(self, name: str, files: Iterable[str]) -> str | None:
        lease = self._stacks.leases.of(name)
        if lease is not None:
            return None if lease.is_held else f"its lease, of {lease.owner}, has expired"
        main = next(iter(files), None)
        gone = main is not None and not os.path.lexists(main)
        return f"its stack file {main} is gone" if gone else None

    async def _directories(self) -> list[Leftover]:
        names = await to_thread.run_sync(partial(_names, self._directory / "projects"))
        return [
            Leftover(
                kind=LeftoverKind.DIRECTORY,
                name=str(self._directory / "projects" / name),
                why="no project has this name",
                state_dir=str(self._directory),
            )
            for name in names
            if not self._stacks.knows(name)
        ]

    def _records(self) -> list[Leftover]:
        return [
            Leftover(
                kind=LeftoverKind.RECORDS,
                name=name,
                why="no project has this name",
                state_dir=str(self._directory),
            )
            for name in self._stacks.orphans()
        ]

    def _of_stray(self, stray: Stray, under: Path | None) -> Leftover | None:
        """Say what a run's processes are; None: somebody looks after them."""
        name = "/".join(stray.marker.partition("=")[2].split("/")[:2])
        state_dir = None if stray.unit_dir is None else stray.unit_dir.parents[3]
        leftover = Leftover(
            kind=LeftoverKind.PROCESSES,
            name=name,
            why="",
            state_dir=None if state_dir is None else str(state_dir),
            pids=tuple(process.pid for process in stray.processes),
        )
        if state_dir is None:
            if under is not None:
                return None
            why = f"nothing tells whose it is: {stray.command}"
            return replace(leftover, why=why, removable=False, hint=f"kill {leftover.pids[0]}")
        if state_dir == self._directory:
            project, _, unit = name.partition("/")
            if self._stacks.knows(project, unit):
                return None
            return replace(leftover, why=f"no unit has this name: {stray.command}")
        if under is not None and not state_dir.is_relative_to(under):
            return None
        return _of_other(leftover, stray, state_dir)

    # ── removing ─────────────────────────────────────────────────────────────────────────────────

    async def _removed(self, found: Leftover, stray: Stray | None) -> Leftover:
        match found.kind:
            case LeftoverKind.PROJECT:
                error = await self._take_down(found.name)
            case LeftoverKind.DIRECTORY:
                error = await self._remove_directory(Path(found.name))
            case LeftoverKind.RECORDS:
                error = self._remove_records(found.name)
            case LeftoverKind.PROCESSES:
                assert stray is not None  # noqa: S101 - it was found with one
                error = await self._end(found, stray)
        return replace(found, removed=error is None, error=error)

    async def _take_down(self, name: str) -> str | None:
        project = next((one for one in self._stacks.projects() if one.name == name), None)
        if project is None or self._abandoned(name, project.spec.files) is None:
            return None if project is None else "somebody wants it again"
        operation = self._stacks.down(project, volumes=True)
        await operation.ended.wait()
        return None if operation.error is None else str(operation.error)

    async def _end(self, found: Leftover, stray: Stray) -> str | None:
        now = await to_thread.run_sync(self._of_stray, stray, None)
        if now is None:
            return "a daemon has come meanwhile that looks after them"
        if found.removable and not now.removable:
            return now.why
        return await _end(stray)

    async def _remove_directory(self, path: Path) -> str | None:
        # No pause between the look and the new name: a project may be about to take the old one.
        if self._stacks.knows(path.name):
            return "a project of this name has come meanwhile"
        doomed = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        try:
            path.rename(doomed)  # noqa: ASYNC240 - see above
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"{path}: {error.strerror}"
        return await to_thread.run_sync(partial(_remove_tree, doomed))

    def _remove_records(self, name: str) -> str | None:
        try:
            self._stacks.remove_orphan(name)
        except StorageError as error:
            return str(error)
        return None


def _of_other(leftover: Leftover, stray: Stray, state_dir: Path) -> Leftover | None:
    """Say what the processes of another state directory's daemon are; None: it lives."""
    try:
        if not (state_dir / "state.db").exists():
            return replace(leftover, why=f"{state_dir} is gone: {stray.command}")
        is_known = _is_stored(state_dir, leftover.name)
    except (BlockingIOError, StoreLocked):
        return None
    except (OSError, StorageError) as error:
        return replace(leftover, why=f"nobody can tell whose it is: {error}", removable=False)
    if not is_known:
        return replace(leftover, why=f"{state_dir} knows no such unit: {stray.command}")
    start = f"HARNESS_STATE_DIR={join([str(state_dir)])} harness daemon start"
    return replace(
        leftover,
        why=f"its daemon does not run: {stray.command}",
        removable=False,
        adoptable=True,
        hint=f"{start} takes it up again",
    )


def _is_stored(state_dir: Path, name: str) -> bool:
    """Tell whether the next daemon of a state directory will look for `project/unit`.

    Raises:
        BlockingIOError, StoreLocked: a daemon lives there, or is being started.
        OSError, StorageError: nobody can tell.
    """
    project, _, unit = name.partition("/")
    path = Endpoint(state_dir).start_lock_path
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # A daemon that starts now would find its store locked, by nothing but this look.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with SqliteStore(state_dir) as store:
            units = store.records(units_collection(project))
            return project in store.records("projects") and unit in units
    finally:
        os.close(descriptor)


async def _end(stray: Stray) -> str | None:
    """End a run's processes; return who is left."""
    tree = Tree(marker=stray.marker, main=None)
    report = await end_tree(tree, stop_signal=signal.SIGTERM, timeout_s=_STOP_S)
    left = ", ".join(report.survivors)
    return f"still alive after SIGKILL: {left}" if left else None


def _names(directory: Path) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _remove_tree(path: Path) -> str | None:
    try:
        # What a link leads to is not ours.
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return None
