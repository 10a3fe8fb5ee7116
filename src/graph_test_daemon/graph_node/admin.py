"""The admin port of a graph-node: names, deployments, who indexes them.

Source: graph-node, `server/json-rpc`. It answers as soon as a change is noted, so who goes on at
once may meet the state before; `GraphNode` waits for the effect.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from graph_test_daemon.errors import RpcFault
from graph_test_daemon.rpc import JsonRpc

from .errors import (
    DeploymentNotFound,
    DeployRefused,
    GraphNodeError,
    SubgraphNotFound,
)
from .names import check_name

__all__ = ["Admin"]


class Admin:
    """One admin port.

    Args:
        url: where it is.
    """

    def __init__(self, url: str) -> None:
        self._rpc = JsonRpc(url)

    async def create(self, name: str) -> str:
        """Make a name for subgraphs, unless it is there; return its id.

        Raises:
            InvalidSubgraphName: graph-node takes no such names.
        """
        check_name(name)
        async with _mapped(f"create the subgraph {name}"):
            found = await self._rpc.call("subgraph_create", {"name": name})
        return str(found["id"])

    async def deploy(
        self,
        name: str,
        deployment: str,
        *,
        node: str | None = None,
        history_blocks: int | None = None,
        debug_fork: str | None = None,
    ) -> None:
        """Deploy a subgraph, whose files are where the node finds them, under a name.

        Args:
            name: that was created.
            deployment: its id, `Qm…`.
            node: that indexes it; None: the node decides.
            history_blocks: how many blocks back it can be queried; None: all.
            debug_fork: a deployment whose entities are taken from elsewhere.

        Raises:
            SubgraphNotFound: the name is not there.
            DeployRefused: something is wrong with it.
        """
        given = {"node_id": node, "history_blocks": history_blocks, "debug_fork": debug_fork}
        params: dict[str, Any] = {"name": name, "ipfs_hash": deployment}
        params |= {key: value for key, value in given.items() if value is not None}
        async with _mapped(f"deploy {deployment} as {name}", refused=DeployRefused):
            await self._rpc.call("subgraph_deploy", params, timeout_s=120.0)

    async def remove(self, name: str) -> None:
        """Remove a name; the deployment's data stay. One that is not there is no error."""
        async with _mapped(f"remove the subgraph {name}"):
            await self._rpc.call("subgraph_remove", {"name": name})

    async def pause(self, deployment: str) -> None:
        """Have a deployment not indexed for now.

        Raises:
            DeploymentNotFound: nobody indexes one of that id.
        """
        async with _mapped(f"pause {deployment}"):
            await self._rpc.call("subgraph_pause", {"deployment": deployment})

    async def resume(self, deployment: str) -> None:
        """Have a paused deployment indexed again.

        Raises:
            DeploymentNotFound: nobody indexes one of that id.
        """
        async with _mapped(f"resume {deployment}"):
            await self._rpc.call("subgraph_resume", {"deployment": deployment})

    async def reassign(self, deployment: str, node: str) -> None:
        """Have another node index a deployment; the one that does already is no error.

        Raises:
            DeploymentNotFound: nobody indexes one of that id.
        """
        params = {"ipfs_hash": deployment, "node_id": node}
        try:
            async with _mapped(f"reassign {deployment} to {node}"):
                await self._rpc.call("subgraph_reassign", params)
        except GraphNodeError as error:
            if "deployment assignment unchanged" not in error.cause:
                raise

    async def aclose(self) -> None:
        """Close its connections; it may be used again."""
        await self._rpc.aclose()


@asynccontextmanager
async def _mapped(
    what: str, *, refused: type[GraphNodeError] = GraphNodeError
) -> AsyncIterator[None]:
    try:
        yield
    except RpcFault as fault:
        kind: type[GraphNodeError] = refused
        if fault.message.startswith("subgraph name not found"):
            kind = SubgraphNotFound
        elif fault.message.startswith("deployment not found"):
            kind = DeploymentNotFound
        raise kind(what=what, cause=fault.message) from fault
