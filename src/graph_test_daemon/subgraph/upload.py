"""Uploads a subgraph that was built, to whatever adds files as Kubo does.

Each file is added, then the manifest with links in place of names: its CID is the deployment's id.
Done here rather than by `gnd deploy`, so that every server and every graph-node is served alike,
steps are told of, and nothing is compiled again; the same subgraph gets the id that gnd gives it.

Source: gnd 0.45, `gnd build --ipfs`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, ClassVar, Protocol

from anyio import to_thread

from .build import BuiltSubgraph
from .document import Path
from .manifest import MANIFEST
from .variants import dump, file_paths

__all__ = [
    "Added",
    "Adds",
    "FileUploaded",
    "OnUpload",
    "UploadedSubgraph",
    "linked",
    "upload_subgraph",
]


class Added(Protocol):
    """A file that is kept."""

    @property
    def cid(self) -> str:
        """What it is found by."""


class Adds(Protocol):
    """What keeps files by their content, such as `graph_test_daemon.ipfs.Ipfs`."""

    async def add_bytes(self, content: bytes, *, name: str) -> Added:
        """Keep and pin a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileUploaded:
    """A file of a subgraph was added.

    Attributes:
        file: its name in the manifest.
        cid: what it is found by.
    """

    is_detail: ClassVar[bool] = True

    file: str
    cid: str


OnUpload = Callable[[FileUploaded], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedSubgraph:
    """A subgraph that can be deployed.

    Attributes:
        deployment: its id: the CID of the manifest.
        manifest: the text that was added.
        files: name in the manifest → CID.
    """

    deployment: str
    manifest: str
    files: Mapping[str, str]


async def upload_subgraph(
    built: BuiltSubgraph, ipfs: Adds, *, on_progress: OnUpload | None = None
) -> UploadedSubgraph:
    """Add a subgraph's files and its manifest; what is there already stays as it is.

    Args:
        built: what to upload.
        ipfs: where to.
        on_progress: is told of each file when it is there, of the manifest last.
    """
    files: dict[str, str] = {}
    for name in built.files:
        content = await to_thread.run_sync((built.directory / name).read_bytes)
        # The last part only: a path would be added as folders.
        added = await ipfs.add_bytes(content, name=PurePosixPath(name).name)
        files[name] = added.cid
        await _tell(on_progress, name, files[name])
    manifest = dump(linked(built.manifest, files))
    deployment = (await ipfs.add_bytes(manifest.encode(), name=MANIFEST)).cid
    await _tell(on_progress, MANIFEST, deployment)
    return UploadedSubgraph(deployment=deployment, manifest=manifest, files=files)


def linked(manifest: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """Return a manifest with links in place of names of files; `files`: name → CID.

    A name that is not among them stays: gnd copies no ABIs for templates of files, and graph-node
    reads none there.
    """
    made: dict[str, Any] = json.loads(json.dumps(manifest))  # a copy in which nothing is shared
    for path in file_paths(made):
        *way, last = path
        holder = _at(made, tuple(way))
        if (cid := files.get(holder[last])) is not None:
            holder[last] = {"/": f"/ipfs/{cid}"}
    return made


def _at(data: Any, way: Path) -> Any:
    for step in way:
        data = data[step]
    return data


async def _tell(on_progress: OnUpload | None, file: str, cid: str) -> None:
    if on_progress is not None:
        await on_progress(FileUploaded(file=file, cid=cid))
