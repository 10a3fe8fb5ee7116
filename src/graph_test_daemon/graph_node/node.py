"""A graph-node: its admin port, its status and its queries, as one.

It is four URLs, whatever runs it: gnd, a graph-node, a container, somebody else's. A change of a
deployment is done when it shows, not when the node has noted it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from graph_test_daemon.errors import QueryFailed
from graph_test_daemon.graphql import GraphQL
from graph_test_daemon.http import Http

from .admin import Admin
from .errors import DeploymentNotFound, GraphNodeError
from .status import (
    STATUS_FIELDS,
    BlockPointer,
    DeploymentStatus,
    ListedDeployment,
    SubgraphFeatures,
)
from .store import Store
from .unknown import hint_for_query, hint_for_subgraph

__all__ = ["GraphNode", "Indexed", "NodeUrls", "is_deployment", "is_passing", "subgraph_path"]

_NOBODY = f"0x{'0' * 40}"
_LOOK_AGAIN_S = 0.03
_EFFECT_WITHIN_S = 20.0
_NOT_STARTED = "has not started syncing yet"
_PASSING = ("the chain was reorganized while executing the query", "database unavailable")
"""What it answers at the moment in which it undoes blocks, and while it looks for its database."""
_ASKED_AGAIN_FOR_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUrls:
    """Where a graph-node listens.

    Attributes:
        query: GraphQL of subgraphs, port 8000 by default.
        admin: JSON-RPC, 8020.
        status: GraphQL about deployments, 8030; the path `/graphql` is added.
    """

    query: str
    admin: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """How far queries of a subgraph are.

    Attributes:
        block: the newest block that they know.
        deployment: id of what answers.
        has_errors: it went on in spite of some.
    """

    block: BlockPointer
    deployment: str
    has_errors: bool


class GraphNode:
    """One graph-node.

    Args:
        urls: where it listens.
        store: its database, where that is known.
        timeout_s: how long an answer may take.

    Attributes:
        admin: its admin port as it is.
    """

    def __init__(
        self, urls: NodeUrls, *, store: Store | None = None, timeout_s: float = 30.0
    ) -> None:
        self.urls = urls
        self.store = store
        self.admin = Admin(urls.admin)
        self._status = GraphQL(f"{urls.status.rstrip('/')}/graphql", timeout_s=timeout_s)
        self._explorer = Http(f"{urls.status.rstrip('/')}/explorer", timeout_s=timeout_s)
        self._queries = GraphQL(urls.query, timeout_s=timeout_s)

    async def aclose(self) -> None:
        """Close its connections; it may be used again."""
        await self.admin.aclose()
        await self._status.aclose()
        await self._explorer.aclose()
        await self._queries.aclose()

    # ── deployments ──────────────────────────────────────────────────────────────────────────────

    async def deploy(
        self,
        name: str,
        deployment: str,
        *,
        node: str | None = None,
        history_blocks: int | None = None,
        debug_fork: str | None = None,
    ) -> DeploymentStatus:
        """Deploy a subgraph under a name, which is made where it is not; see `Admin.deploy`."""
        await self.admin.create(name)
        await self.admin.deploy(
            name, deployment, node=node, history_blocks=history_blocks, debug_fork=debug_fork
        )
        return await self._shows(deployment, "be assigned", lambda status: status.node is not None)

    async def remove(self, name: str) -> str | None:
        """Remove a name; return the deployment that nobody indexes any more, or None.

        Another name may have the same deployment: then it stays.
        """
        status = await self.status_of_name(name)
        await self.admin.remove(name)
        if status is None:
            return None
        await self._until(lambda: self._is_gone(name), f"cannot remove {name}: it is there still")
        after = await self.status(status.deployment)
        return status.deployment if after is None or after.node is None else None

    async def pause(self, deployment: str) -> None:
        """Pause the indexing of a deployment; return when it is paused."""
        await self.admin.pause(deployment)
        await self._shows(deployment, "pause", lambda status: status.paused)

    async def resume(self, deployment: str) -> None:
        """Resume a paused deployment; return when it is not paused any more."""
        await self.admin.resume(deployment)
        await self._shows(deployment, "resume", lambda status: not status.paused)

    async def reassign(self, deployment: str, node: str) -> None:
        """Have another node index a deployment; return when it is that node's."""
        await self.admin.reassign(deployment, node)
        await self._shows(deployment, "be reassigned", lambda status: status.node == node)

    # ── status ───────────────────────────────────────────────────────────────────────────────────

    async def statuses(self, deployments: Sequence[str] | None = None) -> list[DeploymentStatus]:
        """Return how far deployments are; None: all that were deployed.

        What a dev node deploys by itself, whose id is a path, is not among them.
        """
        if deployments is None:
            data = await _asked(self._status, f"{{ indexingStatuses {{{STATUS_FIELDS}}} }}")
        else:
            text = (
                "query($ids: [String!]) { indexingStatuses(subgraphs: $ids)"
                f" {{{STATUS_FIELDS}}} }}"
            )
            data = await _asked(self._status, text, {"ids": list(deployments)})
        found = map(DeploymentStatus.read, data["indexingStatuses"])
        return [status for status in found if not status.deployment.startswith("/")]

    async def networks(self) -> list[str]:
        """Return the names of the chains that anything that was deployed is about, sorted.

        What a dev node deploys by itself tells its own, so that there is always one of those.
        """
        data = await _asked(self._status, "{ indexingStatuses { chains { network } } }")
        found = data["indexingStatuses"]
        return sorted({chain["network"] for status in found for chain in status["chains"]})

    async def status(self, deployment: str) -> DeploymentStatus | None:
        """Return how far a deployment is; None where there is none."""
        for found in await self.statuses([deployment]):
            return found
        return None

    async def status_of_name(self, name: str, *, pending: bool = False) -> DeploymentStatus | None:
        """Return how far the version that a name stands for is; None where there is none.

        Args:
            name: of the subgraph.
            pending: the version that is to take over when it has caught up.
        """
        which = "Pending" if pending else "Current"
        text = (
            f"query($name: String!) {{ found: indexingStatusFor{which}Version(subgraphName: $name)"
            f" {{{STATUS_FIELDS}}} }}"
        )
        found = (await _asked(self._status, text, {"name": name}))["found"]
        return None if found is None else DeploymentStatus.read(found)

    async def versions(self, name: str) -> list[DeploymentStatus]:
        """Return all deployments that a name has had, oldest first; those of a second mixed."""
        text = (
            "query($name: String!) { found: indexingStatusesForSubgraphName(subgraphName: $name)"
            f" {{{STATUS_FIELDS}}} }}"
        )
        data = await _asked(self._status, text, {"name": name})
        return [DeploymentStatus.read(found) for found in data["found"]]

    async def listed(self, *, everything: bool = False) -> list[ListedDeployment]:
        """Return how far deployments are, with their names; in the order in which they came.

        Args:
            everything: also what nobody indexes and no name stands for, such as earlier versions.
        """
        found = []
        for status in await self.statuses():
            names = await self.names_of(status.deployment)
            if everything or names or status.node is not None:
                fields = {one.name: getattr(status, one.name) for one in dataclasses.fields(status)}
                found.append(ListedDeployment(**fields, names=names))
        return found

    async def names_of(self, deployment: str) -> tuple[str, ...] | None:
        """Return the names that stand for a deployment, sorted; None: the node does not tell.

        Those whose next version it is are among them.

        Source: graph-node, `server/index-node/src/explorer.rs`, which is not promised to stay.
        """
        answer = await self._explorer.request("GET", f"/subgraphs-for-deployment/{deployment}")
        try:
            found = json.loads(answer.body)
            return tuple(sorted({str(one["name"]) for one in found}))
        except (ValueError, TypeError, KeyError):
            return None

    async def find(self, subgraph: str) -> DeploymentStatus:
        """Return how far a subgraph is, by its name or by the id of a deployment.

        Raises:
            DeploymentNotFound: there is none.
        """
        by_id = await self.status(subgraph) if is_deployment(subgraph) else None
        found = by_id or await self.status_of_name(subgraph)
        if found is None:
            hint = await hint_for_subgraph(self, subgraph)
            cause = "nothing of it is deployed"
            raise DeploymentNotFound(what=f"find {subgraph}", cause=cause, hint=hint)
        return found

    async def proof_of_indexing(
        self, deployment: DeploymentStatus, block: BlockPointer, *, indexer: str | None = None
    ) -> str | None:
        """Return the proof of indexing at a block; None: the node has another block there, or none.

        graph-node itself answers with a proof whatever the hash is.

        Args:
            deployment: as it is now.
            block: with its canonical hash.
            indexer: whose proof; None: of nobody, which is the public one.
        """
        if await self.block_hash(deployment.network, block.number) != block.hash:
            return None
        data = await _asked(
            self._status,
            "query($subgraph: String!, $number: Int!, $hash: Bytes!, $indexer: Bytes)"
            " { poi: proofOfIndexing(subgraph: $subgraph, blockNumber: $number,"
            " blockHash: $hash, indexer: $indexer) }",
            {
                "subgraph": deployment.deployment,
                "number": block.number,
                "hash": block.hash,
                "indexer": indexer or _NOBODY,
            },
        )
        return None if data["poi"] is None else str(data["poi"])

    async def features(self, deployment: str) -> SubgraphFeatures:
        """Return what a subgraph makes use of."""
        data = await _asked(
            self._status,
            "query($id: String!) { found: subgraphFeatures(subgraphId: $id)"
            " { apiVersion specVersion features dataSources handlers network } }",
            {"id": deployment},
        )
        return SubgraphFeatures.read(data["found"])

    async def block_hash(self, network: str, number: int) -> str | None:
        """Return the hash of a block as the node knows it, with 0x; None: it does not know it."""
        text = (
            "query($network: String!, $number: Int!)"
            " { found: blockHashFromNumber(network: $network, blockNumber: $number) }"
        )
        data = await _asked(self._status, text, {"network": network, "number": number})
        found = data["found"]
        return None if found is None else f"0x{found.removeprefix('0x')}"

    async def version(self) -> str:
        """Return the version of the node."""
        data = await _asked(self._status, "{ version { version } }")
        return str(data["version"]["version"])

    # ── queries ──────────────────────────────────────────────────────────────────────────────────

    async def query(
        self, subgraph: str, text: str, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Query a subgraph, by its name or by the id of a deployment.

        It is asked again for a while when blocks were undone meanwhile, and there is no answer as
        of any block, or when graph-node looks for its database.

        Raises:
            QueryFailed: it answered with errors; one about a name that nothing has says which one
                may be meant.
        """
        path = subgraph_path(subgraph)
        try:
            return await _asked(self._queries, text, variables, path=path)
        except QueryFailed as error:
            error.hint = await hint_for_query(self, self._queries, subgraph, path, error)
            raise

    async def indexed(self, subgraph: str) -> Indexed | None:
        """Return how far queries of a subgraph are; None before its first block.

        Raises:
            QueryFailed: there is none, or it does not answer any more.
        """
        text = "{ _meta { block { number hash } deployment hasIndexingErrors } }"
        try:
            meta = (await self.query(subgraph, text))["_meta"]
        except QueryFailed as error:
            if error.data is not None and error.data.get("_meta"):
                meta = error.data["_meta"]
            elif any(_NOT_STARTED in message for message in error.messages):
                return None
            else:
                raise
        block = BlockPointer.read(meta["block"])
        assert block is not None  # noqa: S101 - the schema says so
        return Indexed(
            block=block, deployment=meta["deployment"], has_errors=meta["hasIndexingErrors"]
        )

    # ── waiting for effects ──────────────────────────────────────────────────────────────────────

    async def _shows(
        self, deployment: str, what: str, holds: Callable[[DeploymentStatus], bool]
    ) -> DeploymentStatus:
        found: list[DeploymentStatus] = []

        async def look() -> bool:
            status = await self.status(deployment)
            found[:] = [status] if status is not None else []
            return status is not None and holds(status)

        await self._until(look, f"cannot see {deployment} {what}: the node shows it differently")
        return found[0]

    async def _is_gone(self, name: str) -> bool:
        return await self.status_of_name(name) is None

    async def _until(self, holds: Callable[[], Awaitable[bool]], otherwise: str) -> None:
        """Look until something holds: graph-node tells nobody."""
        with anyio.move_on_after(_EFFECT_WITHIN_S):
            while not await holds():  # noqa: ASYNC110 - see above
                await anyio.sleep(_LOOK_AGAIN_S)
            return
        what, _, cause = otherwise.removeprefix("cannot ").partition(": ")
        raise GraphNodeError(what=what, cause=f"{cause} after {_EFFECT_WITHIN_S:g} s")


def is_passing(error: QueryFailed) -> bool:
    """Tell whether the same question has an answer a moment later."""
    return any(one in message for one in _PASSING for message in error.messages)


async def _asked(
    server: GraphQL, text: str, variables: Mapping[str, Any] | None = None, *, path: str = ""
) -> dict[str, Any]:
    """Query; ask again for a while where the reason for which there is no answer passes."""
    until = anyio.current_time() + _ASKED_AGAIN_FOR_S
    while True:
        try:
            return await server.query(text, variables, path=path)
        except QueryFailed as error:
            if not is_passing(error) or anyio.current_time() > until:
                raise
        await anyio.sleep(_LOOK_AGAIN_S)


def is_deployment(text: str) -> bool:
    """Tell whether a text has the shape of a deployment's id, not of a name."""
    return len(text) == 46 and text.startswith("Qm") and text.isalnum()


def subgraph_path(subgraph: str) -> str:
    """Return the path of a subgraph's queries, by its name or by the id of a deployment."""
    return f"/subgraphs/{'id' if is_deployment(subgraph) else 'name'}/{subgraph}"
