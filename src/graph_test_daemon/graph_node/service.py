"""Typed actions of services with `service_type: graph-node`, whatever runs them.

Its ports are found by their names: `query`, `admin` and `status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio

from graph_test_daemon.chain import Chain
from graph_test_daemon.errors import PeerUnclear
from graph_test_daemon.peers import peer_of
from harness.actions import Call, Service, action

from .at_block import at_block
from .at_service import node_at, urls_of
from .checking import CheckedQueries
from .errors import GraphNodeError, NotSynced
from .failures import FailureReport, failure_report
from .log import LEVELS, NodeLogged, read_line
from .node import GraphNode
from .same_chain import check_same_chain
from .status import BlockPointer, DeploymentStatus, ListedDeployment, SubgraphFeatures
from .sync import Synced, SyncProgressed, wait_for_sync

__all__ = ["GraphNodeService"]

_LOG_LINES = 20
_LOG_LINES_LOOKED_AT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphDeployed:
    """A deployment is assigned to a node.

    Attributes:
        name: of the subgraph.
        deployment: its id.
        url: of its queries.
    """

    name: str
    deployment: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphRemoved:
    """A name is gone; `deployment` is not indexed any more, or None where another name has it."""

    name: str
    deployment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof of indexing.

    Attributes:
        deployment: what was indexed.
        block: up to which block.
        poi: the proof, with 0x.
    """

    deployment: str
    block: BlockPointer
    poi: str


class GraphNodeService(CheckedQueries):
    """A graph-node: it indexes subgraphs and answers their queries."""

    name = "graph-node"
    # It remembers blocks and subgraphs that its database may not have any more.
    stops_for_snapshots = True

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._node: GraphNode | None = None
        self._chain: Chain | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        for client in (self._node, self._chain):
            if client is not None:
                await client.aclose()

    async def validate(self) -> None:
        """Ask for its version, and whether what it has indexed is of the chain that is there."""
        await self.node.version()
        try:
            chain = self.chain
        except PeerUnclear:  # it may index one that is no service of the stack
            return
        await check_same_chain(self.node, chain)

    @property
    def node(self) -> GraphNode:
        """The node where it is now."""
        if self._node is None or self._node.urls != urls_of(self.service):
            self._node = node_at(self.service)
        return self._node

    @property
    def chain(self) -> Chain:
        """The chain that it indexes."""
        url = peer_of(self.service, "anvil", label="chain").url()
        if self._chain is None or self._chain.rpc.url != url.rstrip("/"):
            self._chain = Chain(url)
        return self._chain

    # ── deployments ──────────────────────────────────────────────────────────────────────────────

    @action()
    async def create(self, name: str) -> str:
        """Make a name for subgraphs, unless it is there; return its id.

        Args:
            name: such as `my/subgraph`.
        """
        return await self.node.admin.create(name)

    @action(events=[SubgraphDeployed])
    async def deploy(
        self,
        call: Call,
        name: str,
        deployment: str,
        node: str | None = None,
        history_blocks: int | None = None,
    ) -> SubgraphDeployed:
        """Deploy a subgraph that is in IPFS under a name, which is made where it is not.

        Args:
            name: such as `my/subgraph`.
            deployment: the CID of its manifest, `Qm…`.
            node: the node that indexes it; the one that there is unless given.
            history_blocks: how many blocks back it can be queried; all unless given.
        """
        await self.node.deploy(name, deployment, node=node, history_blocks=history_blocks)
        url = f"{self.node.urls.query.rstrip('/')}/subgraphs/name/{name}"
        deployed = SubgraphDeployed(name=name, deployment=deployment, url=url)
        await call.emit(deployed)
        return deployed

    @action(events=[SubgraphRemoved])
    async def remove(self, call: Call, name: str) -> SubgraphRemoved:
        """Remove a name; its deployment is not indexed any more, and what is indexed stays.

        Args:
            name: of the subgraph.
        """
        removed = SubgraphRemoved(name=name, deployment=await self.node.remove(name))
        await call.emit(removed)
        return removed

    @action(name="pause")
    async def pause_indexing(self, subgraph: str) -> DeploymentStatus:
        """Have a subgraph not indexed for now.

        Args:
            subgraph: its name, or the id of a deployment.
        """
        deployment = (await self.node.find(subgraph)).deployment
        await self.node.pause(deployment)
        return await self.node.find(deployment)

    @action(name="resume")
    async def resume_indexing(self, subgraph: str) -> DeploymentStatus:
        """Have a paused subgraph indexed again.

        Args:
            subgraph: its name, or the id of a deployment.
        """
        deployment = (await self.node.find(subgraph)).deployment
        await self.node.resume(deployment)
        return await self.node.find(deployment)

    @action()
    async def reassign(self, subgraph: str, node: str) -> DeploymentStatus:
        """Have another node index a subgraph.

        Args:
            subgraph: its name, or the id of a deployment.
            node: the id of the node, such as `default`.
        """
        deployment = (await self.node.find(subgraph)).deployment
        await self.node.reassign(deployment, node)
        return await self.node.find(deployment)

    # ── status ───────────────────────────────────────────────────────────────────────────────────

    @action()
    async def status(self, subgraph: str) -> DeploymentStatus:
        """Return how far a subgraph is.

        Args:
            subgraph: its name, or the id of a deployment.
        """
        return await self.node.find(subgraph)

    @action()
    async def statuses(self, all: bool = False) -> list[ListedDeployment]:  # noqa: A002
        """Return how far deployments are, with their names.

        Args:
            all: also what nobody indexes and no name stands for, such as earlier versions.
        """
        return await self.node.listed(everything=all)

    @action()
    async def failure_report(self, subgraph: str, timeout_s: float = 0.0) -> FailureReport:
        """Return why a subgraph has failed: error, handler, block, log, the chain's height.

        Args:
            subgraph: its name, or the id of a deployment.
            timeout_s: so long it is waited for to fail; 0: it has to have failed already.
        """
        return await failure_report(
            self.node,
            self.chain,
            subgraph,
            timeout_s=timeout_s,
            log=lambda: self.service.last_lines(_LOG_LINES_LOOKED_AT),
        )

    @action()
    async def versions(self, name: str) -> list[DeploymentStatus]:
        """Return all deployments that a name has had, oldest first.

        Args:
            name: of the subgraph.
        """
        return await self.node.versions(name)

    @action()
    async def features(self, subgraph: str) -> SubgraphFeatures:
        """Return what a subgraph makes use of.

        Args:
            subgraph: its name, or the id of a deployment.
        """
        return await self.node.features((await self.node.find(subgraph)).deployment)

    @action()
    async def entity_count(self, subgraph: str) -> int:
        """Return how many entities a subgraph has, of all types.

        Args:
            subgraph: its name, or the id of a deployment.
        """
        return (await self.node.find(subgraph)).entity_count

    @action()
    async def proof_of_indexing(
        self, subgraph: str, block: int | None = None, indexer: str | None = None
    ) -> Proof:
        """Return the proof that a subgraph was indexed up to a block of the chain.

        Args:
            subgraph: its name, or the id of a deployment.
            block: its height; the newest that is indexed unless given.
            indexer: whose proof; the public one unless given.
        """
        status = await self.node.find(subgraph)
        latest = status.latest
        if latest is None:
            cause = "it has no block yet"
            raise GraphNodeError(what=f"prove the indexing of {subgraph}", cause=cause)
        height = latest.number if block is None else block
        poi = None
        # What is below a block of the chain is of the chain, too.
        if height <= latest.number and await self.chain.has(latest.number, latest.hash):
            at = latest if height == latest.number else await self._pointer(height)
            poi = await self.node.proof_of_indexing(status, at, indexer=indexer)
        if poi is None:
            raise NotSynced(
                deployment=status.deployment,
                at=latest.number,
                wanted=height,
                cause="the node has not indexed that block of the chain",
                hint="wait for it with wait-for-sync",
            )
        return Proof(deployment=status.deployment, block=at, poi=poi)

    async def _pointer(self, height: int) -> BlockPointer:
        block = await self.chain.block(height)
        if block is None:
            raise GraphNodeError(what="find a block", cause=f"the chain has no block {height}")
        return BlockPointer(number=height, hash=block.hash)

    @action()
    async def version(self) -> str:
        """Return the version of graph-node."""
        return await self.node.version()

    # ── queries, waiting ─────────────────────────────────────────────────────────────────────────

    @action()
    async def query(
        self,
        subgraph: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        block: int | None = None,
    ) -> dict[str, Any]:
        """Query a subgraph; return the data.

        Args:
            subgraph: its name, or the id of a deployment.
            query: GraphQL.
            variables: of the query, by name.
            block: have it answered as of this block; the newest that is indexed unless given.
        """
        text = query if block is None else at_block(query, block)
        return await self.node.query(subgraph, text, variables)

    @action(events=[SyncProgressed])
    async def wait_for_sync(
        self,
        call: Call,
        subgraph: str,
        block: int | None = None,
        timeout_s: float = 60.0,
        stall_s: float = 30.0,
        mine: bool = False,
    ) -> Synced:
        """Return when a subgraph has indexed the chain up to a block.

        Args:
            subgraph: its name, or the id of a deployment.
            block: its height; the chain's head unless given.
            timeout_s: how long it may take.
            stall_s: how long its block may stay the same.
            mine: mine a block when nothing has moved for a second, ten in vain at most.
        """
        if await self.node.status_of_name(subgraph) is None:
            await self.node.find(subgraph)
        return await wait_for_sync(
            self.node,
            self.chain,
            subgraph,
            block=block,
            timeout_s=timeout_s,
            stall_s=stall_s,
            mine=mine,
            tell=call.emit,
            log=lambda: self.service.last_lines(_LOG_LINES),
        )

    # ── log ──────────────────────────────────────────────────────────────────────────────────────

    @action(events=[NodeLogged])
    async def watch_log(
        self,
        call: Call,
        subgraph: str | None = None,
        level: str = "info",
        contains: str | None = None,
        whole_run: bool = False,
        limit_s: float | None = None,
    ) -> int:
        """Tell lines of its log as they come; return how many there were.

        Without `limit_s` and `contains` it goes on until it is cancelled.

        Args:
            subgraph: only lines about this one, by its name or the id of a deployment.
            level: only lines of this level or a more important one.
            contains: end with the first message that has this text.
            whole_run: begin with what it has printed in its present run.
            limit_s: end after so many seconds.
        """
        if level not in LEVELS:
            raise GraphNodeError(what="watch the log", cause=f"levels are {', '.join(LEVELS)}")
        of = None if subgraph is None else (await self.node.find(subgraph)).deployment
        count = 0
        with anyio.move_on_after(limit_s):
            async for _, line in await self.service.follow_lines(whole_run=whole_run):
                found = read_line(line.decode("utf-8", "replace"))
                if found is None or LEVELS.index(found.level) < LEVELS.index(level):
                    continue
                if of is not None and found.subgraph != of:
                    continue
                count += 1
                await call.emit(found)
                if contains is not None and contains in found.message:
                    break
        return count
