"""What outlives the daemon of each project: its definition, and the environment it came with."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from anyio import to_thread

from harness.errors import StorageError, StoreFull, StoreTooNew
from harness.model import StackSpec, UnitSpec
from harness.storage import Store

__all__ = ["ProjectStore", "StackCodec", "StoredProject"]

_PROJECTS = "projects"
_VERSION = 1


class StackCodec(Protocol):
    """Turns a stack into JSON values and back; the composition root provides it."""

    def encode(self, spec: StackSpec) -> dict[str, Any]:
        """Return the stack as JSON values."""

    def decode(self, value: Mapping[str, Any]) -> StackSpec:
        """Return the stack that `encode` was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProject:
    """A project as an earlier daemon left it.

    Attributes:
        spec: its definition.
        leaving: units that the definition no longer names, and that may run all the same.
        client_env: environment of the client that gave the definition.
    """

    spec: StackSpec
    leaving: Mapping[str, UnitSpec]
    client_env: Mapping[str, str]


class ProjectStore:
    """Keeps projects in the state directory and its store."""

    def __init__(self, *, directory: Path, store: Store, codec: StackCodec) -> None:
        self._directory = directory
        self._store = store
        self._codec = codec

    def make_directory(self, name: str) -> Path:
        """Return the project's directory, which is there from now on.

        Raises:
            StorageError: it cannot be made.
        """
        directory = self._directory / "projects" / name
        with _disk_errors(name):
            # One by one: the mode is that of the last one only. Others need not know the names.
            directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.mkdir(mode=0o700, exist_ok=True)
        return directory

    def write(
        self, spec: StackSpec, client_env: Mapping[str, str], *, leaving: Mapping[str, UnitSpec]
    ) -> None:
        """Keep a project, in place of what was kept of it.

        Raises:
            StorageError: the disk refuses.
        """
        with _disk_errors(spec.name):
            _write_private(self._env_path(spec.name), json.dumps(dict(client_env)))
        value = {
            "version": _VERSION,
            "stack": self._codec.encode(spec),
            "leaving": self._codec.encode(replace(spec, units=leaving)),
        }
        self._store.put(_PROJECTS, spec.name, value)

    def records(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what is kept, by name; `read` makes sense of each."""
        return self._store.records(_PROJECTS)

    def read(self, name: str, record: Mapping[str, Any]) -> StoredProject:
        """Return a kept project.

        Raises:
            StorageError: it cannot be read; StoreTooNew when a newer daemon wrote it.
        """
        if record.get("version", 0) > _VERSION:
            raise StoreTooNew(f'cannot read project "{name}": a newer version wrote it')
        spec = self._codec.decode(record["stack"])
        path = self._env_path(name)
        client_env = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        leaving = self._codec.decode(record["leaving"]).units if "leaving" in record else {}
        return StoredProject(spec=spec, leaving=leaving, client_env=client_env)

    async def remove(self, name: str) -> None:
        """Forget a project, with everything in its directory."""
        self._store.delete(_PROJECTS, name)
        directory = self._directory / "projects" / name
        await to_thread.run_sync(partial(shutil.rmtree, directory, ignore_errors=True))

    def _env_path(self, name: str) -> Path:
        return self._directory / "projects" / name / "client-env.json"


def _write_private(path: Path, text: str) -> None:
    """Replace a file that holds secrets: it is the old one or the new one, and the user's alone."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)


@contextmanager
def _disk_errors(project: str) -> Iterator[None]:
    """Say which project could not be kept, and why, where the disk refused."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(
                f'cannot keep project "{project}": the disk of the state directory is full',
                hint="free some space; what runs goes on",
            ) from error
        raise StorageError(f'cannot keep project "{project}": {error}') from error
