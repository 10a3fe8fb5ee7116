"""From a directory of sources to a subgraph that graph-node indexes: check, build, upload, deploy.

What is done is told while it is done. Each step is also a function of its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from graph_test_daemon.errors import GraphError
from graph_test_daemon.graph_node import GraphNode, check_name
from graph_test_daemon.ipfs import Cid, Ipfs

from .build import BuildProgressed, BuiltSubgraph, build_subgraph
from .checks import Expectations
from .filling import Value
from .upload import FileUploaded, UploadedSubgraph, upload_subgraph

__all__ = [
    "DeployStep",
    "SubgraphBuilt",
    "SubgraphPlace",
    "SubgraphUploaded",
    "deploy_directory",
    "mirror_files",
]

_LINK = re.compile(rb"/ipfs/(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphBuilt:
    """A subgraph is built.

    Attributes:
        directory: of its sources.
        was_kept: it had been compiled before.
        warnings: of the checks, each with its place.
    """

    directory: str
    was_kept: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphUploaded:
    """A subgraph is in IPFS.

    Attributes:
        deployment: its id, the CID of its manifest.
        bytes32: the same as contracts have it.
        files: how many were added, the manifest among them.
    """

    deployment: str
    bytes32: str
    files: int


DeployStep = BuildProgressed | SubgraphBuilt | FileUploaded | SubgraphUploaded
Tell = Callable[[DeployStep], Awaitable[None]]


async def _nobody(_: DeployStep) -> None:
    await anyio.lowlevel.checkpoint()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphPlace:
    """Where subgraphs are deployed.

    Attributes:
        node: that indexes them.
        ipfs: that has their files.
        network: the chain's name as the node knows it.
        values: of placeholders that every subgraph here may have, such as contracts' addresses.
        files: the directory where a node for development looks for files; None: it asks IPFS.
        env: whose variable names the directory of the tools.
    """

    node: GraphNode
    ipfs: Ipfs
    network: str
    values: Mapping[str, Value] = field(default_factory=dict)
    files: Path | None = None
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)

    async def build(
        self,
        directory: Path,
        *,
        manifest: str = "subgraph.yaml",
        values: Mapping[str, Value] | None = None,
        fill_in: Sequence[str] = (),
        expected: Expectations | None = None,
        tell: Tell = _nobody,
    ) -> BuiltSubgraph:
        """Check a subgraph and build it for this place; see `build_subgraph`."""
        built = await build_subgraph(
            directory,
            name=manifest,
            values={**self.values, **(values or {})},
            fill_in=fill_in,
            expected=expected or Expectations(network=self.network),
            ipfs_url=self.ipfs.url,
            on_progress=tell,
            env=self.env,
        )
        warnings = tuple(map(str, built.warnings))
        await tell(
            SubgraphBuilt(directory=str(directory), was_kept=built.was_kept, warnings=warnings)
        )
        return built

    async def upload(self, built: BuiltSubgraph, *, tell: Tell = _nobody) -> UploadedSubgraph:
        """Add a built subgraph to IPFS, where the node finds it."""
        uploaded = await upload_subgraph(built, self.ipfs, on_progress=tell)
        await self.make_available(uploaded.deployment)
        await tell(
            SubgraphUploaded(
                deployment=uploaded.deployment,
                bytes32=Cid.parse(uploaded.deployment).bytes32(),
                files=len(uploaded.files) + 1,
            )
        )
        return uploaded

    async def make_available(self, deployment: str) -> None:
        """Have the node find the files of a subgraph that is in IPFS."""
        if self.files is not None:
            await mirror_files(self.ipfs, deployment, self.files)


async def deploy_directory(
    place: SubgraphPlace,
    directory: Path,
    name: str,
    *,
    manifest: str = "subgraph.yaml",
    values: Mapping[str, Value] | None = None,
    fill_in: Sequence[str] = (),
    expected: Expectations | None = None,
    history_blocks: int | None = None,
    tell: Tell = _nobody,
) -> UploadedSubgraph:
    """Build a subgraph, upload it, and deploy it under a name, which is made where it is not.

    Args:
        place: where.
        directory: that holds the manifest.
        name: of the subgraph.
        manifest: its name in the directory.
        values: of placeholders, besides the place's own.
        fill_in: files with placeholders besides the manifest.
        expected: what is known of where it will run; None: the network's name.
        history_blocks: how many blocks back it can be queried; None: all.
        tell: is awaited with what is done.

    Raises:
        InvalidSubgraphName: graph-node takes no such names; nothing was done.
        PlaceholdersUnfilled: there are placeholders without a value.
        ManifestInvalid: it would not build, or not run here.
        BuildFailed: the tools could not build it.
        DeployRefused: the node does not take it.
    """
    check_name(name)
    built = await place.build(
        directory,
        manifest=manifest,
        values=values,
        fill_in=fill_in,
        expected=expected,
        tell=tell,
    )
    uploaded = await place.upload(built, tell=tell)
    await place.node.deploy(name, uploaded.deployment, history_blocks=history_blocks)
    return uploaded


async def mirror_files(ipfs: Ipfs, deployment: str, directory: Path) -> None:
    """Copy a subgraph's manifest and what it links to into a directory, each file by its CID.

    A node for development (`gnd dev`) looks there, and not in IPFS. Files that are there stay.

    Raises:
        ContentNotFound: IPFS does not have one of them.
    """
    manifest = await _copied(ipfs, deployment, directory)
    for link in dict.fromkeys(_LINK.findall(manifest)):
        await _copied(ipfs, link.decode(), directory)


async def _copied(ipfs: Ipfs, cid: str, directory: Path) -> bytes:
    target = anyio.Path(directory / cid)
    if await target.exists():
        return await target.read_bytes()
    content = await ipfs.cat(cid)
    making = anyio.Path(directory / f".{cid}.{id(content):x}")
    try:
        await making.write_bytes(content)
        await making.rename(target)
    except OSError as error:
        raise GraphError(f"cannot copy {cid} to {directory}: {error}") from error
    finally:
        await making.unlink(missing_ok=True)
    return content
