"""Which files a build is of: a manifest, what it names, and what its mappings import.

Nothing else is copied or hashed, so a changed README builds nothing anew, and files beside the
subgraph's directory, such as ABIs of a monorepo, are found where they are.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .manifest import Manifest

__all__ = ["Inputs", "collect_inputs"]

_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*["'](\.{1,2}/[^"']+)["']""")
_SETTINGS = ("package.json", "asconfig.json")
_GENERATED = "generated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files of a build.

    Attributes:
        root: the nearest directory that holds all of them.
        directory: of the subgraph, relative to the root.
        manifest: likewise.
        files: path relative to the root → what it holds, with placeholders filled in.
    """

    root: Path
    directory: Path
    manifest: Path
    files: Mapping[Path, bytes]

    def digest(self, program: str, *more: str) -> str:
        """Return a hash of everything that what is compiled depends on.

        Args:
            program: what of the manifest counts, in place of its text.
            more: whatever else it depends on.
        """
        hashed = hashlib.sha256()
        for part in (program, *more, str(self.directory)):
            hashed.update(f"{len(part)}:{part}\0".encode())
        for path in sorted(self.files.keys() - {self.manifest}):
            hashed.update(f"{path}\0{len(self.files[path])}\0".encode())
            hashed.update(self.files[path])
        return hashed.hexdigest()

    def write(self, into: Path) -> Path:
        """Write them below a directory; return the subgraph's own there."""
        for path, content in self.files.items():
            target = into / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return into / self.directory


def collect_inputs(manifest: Manifest, filled: Mapping[str, str]) -> Inputs:
    """Read all files that a build needs.

    Args:
        manifest: that names them.
        filled: path relative to its directory → text to use in place of what is there.

    Raises:
        OSError: one cannot be read; checks have told of those that are missing.
    """
    directory = manifest.directory.resolve()
    texts = {_normal(directory / name): text.encode() for name, text in filled.items()}
    found: dict[Path, bytes] = {}
    waiting = [_normal(path) for path in _named(manifest, directory)] + list(texts)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = texts[path] if path in texts else path.read_bytes()
            if path.suffix == ".ts":
                waiting += _imported(path, found[path], directory)
    root = Path(os.path.commonpath([directory, *(path.parent for path in found)]))
    return Inputs(
        root=root,
        directory=directory.relative_to(root),
        manifest=_normal(directory / manifest.document.file).relative_to(root),
        files={path.relative_to(root): content for path, content in found.items()},
    )


def _named(manifest: Manifest, directory: Path) -> Iterator[Path]:
    yield directory / manifest.document.file
    names = [manifest.schema]
    for source in manifest.sources:
        names += [source.file, *source.abis.values()]
    yield from (directory / name for name in names if name is not None)
    yield from (directory / name for name in _SETTINGS if (directory / name).is_file())


def _imported(path: Path, content: bytes, directory: Path) -> Iterable[Path]:
    """Yield the files beside it that a source imports; what is generated is made by the build."""
    for name in _IMPORT.findall(content.decode("utf-8", "replace")):
        target = _normal(path.parent / name)
        if directory / _GENERATED in target.parents:
            continue
        for candidate in (target.with_name(f"{target.name}.ts"), target / "index.ts", target):
            if candidate.is_file():
                yield candidate
                break


def _normal(path: Path) -> Path:
    """Return a path without dots; links stay, for a copy has the file at the link's place."""
    return Path(os.path.normpath(path))
