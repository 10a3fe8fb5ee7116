"""The task type `graph-subgraph`: a subgraph of a directory is deployed, and has caught up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graph_test_daemon.chain import Chain
from graph_test_daemon.graph_node import (
    InvalidSubgraphName,
    SyncProgressed,
    check_name,
    subgraph_path,
    wait_for_sync,
)
from graph_test_daemon.ipfs import Cid
from graph_test_daemon.peers import peer_of
from harness.actions import TaskCall, TaskType

from .build import BuildProgressed
from .deploying import SubgraphBuilt, SubgraphUploaded
from .filling import Value
from .place import place_of
from .upload import FileUploaded
from .values import Addresses, read_addresses

__all__ = ["GraphSubgraph", "SubgraphConfig", "SubgraphOutputs"]

_REFERENCE = "${"


@dataclass(frozen=True, kw_only=True)
class SubgraphConfig:
    """Which subgraph, and what its placeholders stand for."""

    path: str
    """Directory of its sources, relative to the stack file."""
    name: str
    """That it is deployed under, such as `my/subgraph`."""
    manifest: str = "subgraph.yaml"
    """Name of the manifest in the directory."""
    addresses: Addresses = field(default_factory=dict)
    """Values of placeholders, or JSON of them: `${tasks.contracts.outputs.addresses}`."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """Further values of placeholders; `network` is known."""
    fill_in: tuple[str, ...] = ()
    """Files with placeholders besides the manifest."""
    wait: bool = True
    """It is done when the subgraph has caught up with the chain."""
    timeout_s: float = 120.0
    """How long catching up may take."""

    def __post_init__(self) -> None:
        """Refuse a name that graph-node does not take before anything is built."""
        if _REFERENCE in self.name:
            return  # it has no value yet; this is looked at again when it has
        try:
            check_name(self.name)
        except InvalidSubgraphName as error:
            raise ValueError(f"{error}; {error.hint}") from error

    def all_values(self) -> dict[str, Value]:
        """Return the values of all placeholders.

        Raises:
            GraphError: the addresses are a text that is no JSON object.
        """
        return {**read_addresses(self.addresses), **self.values}


@dataclass(frozen=True, kw_only=True)
class SubgraphOutputs:
    """What others need."""

    name: str
    deployment: str
    """Its id, `Qm…`."""
    bytes32: str
    """The same as contracts have it."""
    url: str
    """Of its queries."""


class GraphSubgraph(TaskType):
    """Builds a subgraph, uploads it and deploys it."""

    name = "graph-subgraph"
    events = (BuildProgressed, SubgraphBuilt, FileUploaded, SubgraphUploaded, SyncProgressed)

    async def execute(self, config: SubgraphConfig, call: TaskCall) -> SubgraphOutputs:
        """Build a subgraph, upload it, deploy it, and wait until it has caught up."""
        await call.progress(f"building {config.path}")
        async with place_of(self.task, config.all_values()) as place:
            built = await place.build(
                self.task.directory / config.path,
                manifest=config.manifest,
                fill_in=config.fill_in,
                tell=call.emit,
            )
            uploaded = await place.upload(built, tell=call.emit)
            await call.progress(f"deploying {uploaded.deployment} as {config.name}")
            await place.node.deploy(config.name, uploaded.deployment)
            if config.wait:
                chain = Chain(peer_of(self.task, "anvil", label="chain").url())
                try:
                    synced = await wait_for_sync(
                        place.node,
                        chain,
                        config.name,
                        timeout_s=config.timeout_s,
                        stall_s=config.timeout_s,
                        mine=True,
                        tell=call.emit,
                    )
                finally:
                    await chain.aclose()
                call.log(f"synced with block {synced.block.number}")
            return _outputs(config, uploaded.deployment, place.node.urls.query)

    async def is_completed(self, config: SubgraphConfig) -> bool:
        """Build it, which takes a moment when nothing has changed, and ask whether it is there."""
        async with place_of(self.task, config.all_values()) as place:
            built = await place.build(
                self.task.directory / config.path,
                manifest=config.manifest,
                fill_in=config.fill_in,
            )
            wanted = (await place.upload(built)).deployment
            status = await place.node.status_of_name(config.name)
            return (
                status is not None
                and status.deployment == wanted
                and status.node is not None
                and status.health != "failed"
            )

    async def outputs(self, config: SubgraphConfig) -> SubgraphOutputs:
        """Return what is deployed."""
        async with place_of(self.task) as place:
            status = await place.node.find(config.name)
            return _outputs(config, status.deployment, place.node.urls.query)


def _outputs(config: SubgraphConfig, deployment: str, query_url: str) -> SubgraphOutputs:
    return SubgraphOutputs(
        name=config.name,
        deployment=deployment,
        bytes32=Cid.parse(deployment).bytes32(),
        url=f"{query_url.rstrip('/')}{subgraph_path(config.name)}",
    )
