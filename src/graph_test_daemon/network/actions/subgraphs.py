"""Actions that take a subgraph from its sources onto graph-node, and onto the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from graph_test_daemon.graph_node import Synced, check_name, subgraph_path, wait_for_sync
from graph_test_daemon.ipfs import Cid
from graph_test_daemon.network.accounts import Who
from graph_test_daemon.network.amounts import wei
from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.network.curation import SignalMinted, SubgraphPublished
from graph_test_daemon.subgraph.build import BuildProgressed, check_subgraph
from graph_test_daemon.subgraph.checks import Expectations
from graph_test_daemon.subgraph.deploying import (
    SubgraphBuilt,
    SubgraphPlace,
    SubgraphUploaded,
    deploy_directory,
)
from graph_test_daemon.subgraph.filling import Value
from graph_test_daemon.subgraph.graft_chain import GraftSource
from graph_test_daemon.subgraph.place import place_of
from graph_test_daemon.subgraph.problems import Problem
from graph_test_daemon.subgraph.upload import FileUploaded
from harness.actions import Call, action
from harness.errors import InvalidParameters

from .grafts import GRAFTING, deploy_grafts

__all__ = ["DeployedSubgraph", "SubgraphActions", "SubgraphDeployed"]

_BUILDING = (BuildProgressed, SubgraphBuilt)
_UPLOADING = (*_BUILDING, FileUploaded, SubgraphUploaded)
_LOG_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphDeployed:
    """A deployment is assigned to a node.

    Attributes:
        name: of the subgraph.
        deployment: its id.
    """

    name: str
    deployment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedSubgraph:
    """What was done with a subgraph.

    Attributes:
        name: that it is deployed under.
        deployment: its id, `Qm…`.
        bytes32: the same as contracts have it.
        url: of its queries.
        subgraph_id: of the subgraph that was published, or None.
        block: that it had indexed in the end; None: it was not waited for.
    """

    name: str
    deployment: str
    bytes32: str
    url: str
    subgraph_id: str | None
    block: int | None


class SubgraphActions(NetworkBase):
    """Subgraphs: checked, built, uploaded, deployed, published."""

    @action()
    async def check_subgraph(
        self,
        path: Path,
        manifest: str = "subgraph.yaml",
        values: Mapping[str, Value] | None = None,
        reorgs: bool = False,
    ) -> list[Problem]:
        """Return what is wrong with a subgraph before it is built; an empty list: nothing.

        Args:
            path: directory of its sources; from elsewhere than a command, from the stack file on.
            manifest: its name in the directory.
            values: of placeholders; addresses of the contracts and the network are known.
            reorgs: blocks will be undone while it is there.
        """
        async with self._place() as place:
            expected = Expectations(network=place.network, reorgs=reorgs)
            checked, _ = check_subgraph(
                self._directory(path),
                name=manifest,
                values={**place.values, **(values or {})},
                expected=expected,
            )
        return list(checked.problems)

    @action(events=_BUILDING)
    async def build_subgraph(
        self,
        call: Call,
        path: Path,
        manifest: str = "subgraph.yaml",
        values: Mapping[str, Value] | None = None,
        fill_in: list[str] | None = None,
    ) -> str:
        """Build a subgraph; return the directory of what was built.

        Args:
            path: directory of its sources; from elsewhere than a command, from the stack file on.
            manifest: its name in the directory.
            values: of placeholders; addresses of the contracts and the network are known.
            fill_in: files with placeholders besides the manifest.
        """
        async with self._place() as place:
            built = await place.build(
                self._directory(path),
                manifest=manifest,
                values=values,
                fill_in=fill_in or (),
                tell=call.emit,
            )
        return str(built.directory)

    @action(events=_UPLOADING)
    async def upload_subgraph(
        self,
        call: Call,
        path: Path,
        manifest: str = "subgraph.yaml",
        values: Mapping[str, Value] | None = None,
        fill_in: list[str] | None = None,
    ) -> str:
        """Build a subgraph and add it to IPFS; return the deployment's id.

        Args:
            path: directory of its sources; from elsewhere than a command, from the stack file on.
            manifest: its name in the directory.
            values: of placeholders; addresses of the contracts and the network are known.
            fill_in: files with placeholders besides the manifest.
        """
        async with self._place() as place:
            built = await place.build(
                self._directory(path),
                manifest=manifest,
                values=values,
                fill_in=fill_in or (),
                tell=call.emit,
            )
            return (await place.upload(built, tell=call.emit)).deployment

    @action(events=[*GRAFTING, SubgraphDeployed, SubgraphPublished, SignalMinted])
    async def deploy_subgraph(
        self,
        call: Call,
        path: Path,
        name: str,
        manifest: str = "subgraph.yaml",
        values: Mapping[str, Value] | None = None,
        fill_in: list[str] | None = None,
        reorgs: bool = False,
        history_blocks: int | None = None,
        publish: bool = False,
        owner: Who = "curator",
        signal: Decimal = Decimal(0),
        graft_base: str | None = None,
        graft_block: int | None = None,
        wait: bool = True,
        timeout_s: float = 120.0,
    ) -> DeployedSubgraph:
        """Build a subgraph and deploy it, publish it if wanted, and wait until it is synced.

        Args:
            path: directory of its sources; from elsewhere than a command, from the stack file on.
            name: that it is deployed under, such as `my/subgraph`.
            manifest: its name in the directory.
            values: of placeholders; addresses of the contracts and the network are known.
            fill_in: files with placeholders besides the manifest.
            reorgs: blocks will be undone; it is refused where graph-node could not follow.
            history_blocks: how many blocks back it can be queried; all unless given.
            publish: publish it on the contracts as a new subgraph.
            owner: who publishes and signals.
            signal: GRT that the owner signals on what was published.
            graft_base: name of a subgraph, or id of a deployment, whose data it begins with.
            graft_block: the last block whose data it takes over; the newest that can be unless
                given.
            wait: return when it has caught up with the chain.
            timeout_s: how long that may take.
        """
        if graft_base is None and graft_block is not None:
            raise InvalidParameters(
                f"cannot graft at block {graft_block}: nothing is said to graft onto",
                hint="graft_base names a subgraph or a deployment",
            )
        check_name(name)
        async with self._place() as place:
            source = GraftSource(
                name=name,
                directory=self._directory(path),
                block=graft_block,
                manifest=manifest,
                values=values or {},
                fill_in=fill_in or (),
            )
            if graft_base is not None:
                (grafted,) = await deploy_grafts(
                    self,
                    call,
                    place,
                    graft_base,
                    [source],
                    wait=False,
                    reorgs=reorgs,
                    history_blocks=history_blocks,
                    timeout_s=timeout_s,
                )
                deployment = grafted.deployment
            else:
                deployment = await self._deploy(call, place, source, reorgs, history_blocks)
            await call.emit(SubgraphDeployed(name=name, deployment=deployment))
            published = None
            if publish:
                published = await self._publish(call, deployment, owner, signal)
            synced = await self._synced(call, place, name, timeout_s) if wait else None
            url = f"{place.node.urls.query.rstrip('/')}{subgraph_path(name)}"
        return DeployedSubgraph(
            name=name,
            deployment=deployment,
            bytes32=Cid.parse(deployment).bytes32(),
            url=url,
            subgraph_id=published,
            block=None if synced is None else synced.block.number,
        )

    @action()
    async def to_bytes32(self, deployment: str) -> str:
        """Return a deployment's id as contracts have it.

        Args:
            deployment: `Qm…`.
        """
        return Cid.parse(deployment).bytes32()

    # ── parts ────────────────────────────────────────────────────────────────────────────────────

    def _place(self) -> AbstractAsyncContextManager[SubgraphPlace]:
        """Open the place beside this service; addresses are known where there are contracts."""
        return place_of(self.service, dict(self.addresses()))

    def _directory(self, path: Path) -> Path:
        return self.service.directory / path

    async def _deploy(
        self,
        call: Call,
        place: SubgraphPlace,
        source: GraftSource,
        reorgs: bool,
        history_blocks: int | None,
    ) -> str:
        """Deploy one that begins with nothing, and remember it; return its id."""
        uploaded = await deploy_directory(
            place,
            source.directory,
            source.name,
            manifest=source.manifest,
            values=source.values,
            fill_in=source.fill_in,
            expected=Expectations(network=place.network, reorgs=reorgs),
            history_blocks=history_blocks,
            tell=call.emit,
        )
        await self.tracker.deployed(
            source.name,
            uploaded.deployment,
            network=place.network,
            source_directory=source.directory,
        )
        return uploaded.deployment

    async def _publish(self, call: Call, deployment: str, owner: Who, signal: Decimal) -> str:
        curation = (await self.network()).curation
        published = await curation.publish(owner, deployment)
        await call.emit(published)
        if signal > 0:
            await call.emit(await curation.mint(owner, published.subgraph, wei(signal)))
        await self.tracker.published(deployment, published.subgraph)
        return published.subgraph

    async def _synced(
        self, call: Call, place: SubgraphPlace, name: str, timeout_s: float
    ) -> Synced:
        return await wait_for_sync(
            place.node,
            self.chain,
            name,
            timeout_s=timeout_s,
            stall_s=timeout_s,
            mine=True,
            tell=call.emit,
            log=self.node_log,
        )
