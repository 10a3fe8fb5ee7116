"""Where snapshots are: a directory each, below that of their project, 0700.

A snapshot is there from the moment its directory gets its name. What is being made has a name that
no snapshot can have, and is removed by whoever finds it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.errors import InvalidParameters, SnapshotError, SnapshotNotFound

__all__ = ["Snapshot", "SnapshotStore"]

_VERSION = 1
_MANIFEST = "snapshot.json"
_HALF = ".half"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of a stack at one moment.

    Attributes:
        created_at: ISO time, UTC.
        plan: hash of the definitions of all units.
        fingerprints: the same by unit, to be able to say what differs.
        parts: services whose state is in it, in the order of starting.
        left: services that are not part of it.
        tasks: task → what is remembered of its completion.
    """

    name: str
    created_at: str
    plan: str
    fingerprints: Mapping[str, str]
    parts: Sequence[str]
    left: Sequence[str]
    tasks: Mapping[str, Mapping[str, Any]]


class SnapshotStore:
    """The snapshots of one project; calls block, for as long as a few small files take.

    Args:
        directory: of the project.
    """

    def __init__(self, directory: Path) -> None:
        self._root = directory / "snapshots"

    @staticmethod
    def check_name(name: str) -> None:
        """Refuse what is no name.

        Raises:
            InvalidParameters: it is none.
        """
        if not _NAME.fullmatch(name):
            raise InvalidParameters(
                f'cannot call a snapshot "{name}": letters, digits, ".", "_" and "-" only',
                hint="begin with a letter or a digit, at most 100 of them",
            )

    def list(self) -> list[Snapshot]:
        """Return all, oldest first."""
        try:
            names = os.listdir(self._root)
        except FileNotFoundError:
            return []
        found = []
        for name in filter(_NAME.fullmatch, names):
            with suppress(SnapshotNotFound):  # it was removed since
                found.append(self.read(name))
        return sorted(found, key=lambda one: one.created_at)

    def read(self, name: str) -> Snapshot:
        """Return one.

        Raises:
            SnapshotNotFound: there is none of that name.
            SnapshotError: it is damaged, or a newer version made it.
        """
        self.check_name(name)
        try:
            value = json.loads((self._root / name / _MANIFEST).read_text(encoding="utf-8"))
            if value.pop("version") > _VERSION:
                raise SnapshotError(f'cannot read snapshot "{name}": a newer version made it')
            return Snapshot(**value)
        except FileNotFoundError as error:
            if self.exists(name):
                raise SnapshotError(f'cannot read snapshot "{name}": {error}') from error
            raise SnapshotNotFound.of(name, self._names()) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SnapshotError(f'cannot read snapshot "{name}": {error}') from error

    def exists(self, name: str) -> bool:
        """Tell whether there is one of that name."""
        return (self._root / name).exists()

    def part(self, name: str, service: str) -> Path:
        """Return the directory of a part of a snapshot."""
        return self._root / name / service

    def begin(self, parts: Sequence[str]) -> Mapping[str, Path]:
        """Make directories for the parts of a snapshot that is being made.

        Raises:
            SnapshotError: the disk refuses.
        """
        self.remove_half()
        places = {service: self._root / _HALF / service for service in parts}
        with _DiskErrors("make"):
            for directory in (self._root, self._root / _HALF):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for place in places.values():
                place.mkdir(mode=0o700)
        return places

    def complete(self, snapshot: Snapshot) -> None:
        """Give what was made its name; from then on it is there.

        Raises:
            SnapshotError: the disk refuses.
        """
        with _DiskErrors("keep"):
            path = self._root / _HALF / _MANIFEST
            text = json.dumps({"version": _VERSION, **asdict(snapshot)})
            path.write_text(text, encoding="utf-8")
            os.rename(self._root / _HALF, self._root / snapshot.name)

    def remove(self, name: str) -> None:
        """Remove one.

        Raises:
            SnapshotNotFound: there is none of that name.
            SnapshotError: the disk refuses.
        """
        self.check_name(name)
        if not self.exists(name):
            raise SnapshotNotFound.of(name, self._names())
        self.remove_half()
        with _DiskErrors("remove"):
            # Under the other name first: a half-removed one must not look whole.
            os.rename(self._root / name, self._root / _HALF)
            shutil.rmtree(self._root / _HALF)

    def remove_half(self) -> None:
        """Remove what was being made or removed."""
        shutil.rmtree(self._root / _HALF, ignore_errors=True)

    def _names(self) -> Sequence[str]:
        return sorted(os.listdir(self._root)) if self._root.exists() else []


class _DiskErrors:
    """Says what could not be done with a snapshot where the disk refused."""

    def __init__(self, verb: str) -> None:
        self._verb = verb

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError):
            raise SnapshotError(f"cannot {self._verb} the snapshot: {error}") from error
