"""The place where a service or a task of a stack has subgraphs deployed: what is beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio

from graph_test_daemon.graph_node import GraphNode, node_at
from graph_test_daemon.ipfs import Ipfs
from graph_test_daemon.launch.graph_node import FILES
from graph_test_daemon.peers import peer_of
from harness.actions import Service, Task

from .deploying import SubgraphPlace
from .filling import Value

__all__ = ["NETWORK_LABEL", "place_of"]

NETWORK_LABEL = "network"
"""Label of a graph-node's service: the chain's name, where the node cannot tell."""

_DEFAULT = "hardhat"


@asynccontextmanager
async def place_of(
    owner: Service | Task, values: Mapping[str, Value] | None = None
) -> AsyncIterator[SubgraphPlace]:
    """Open the place beside a service or a task; `values`: of placeholders.

    Raises:
        PeerUnclear: it is not clear which graph-node or IPFS is meant.
    """
    service = peer_of(owner, "graph-node", label="graph-node")
    node = node_at(service)
    ipfs = Ipfs(peer_of(owner, "ipfs", label="ipfs").url())
    try:
        files = service.data_dir / FILES
        yield SubgraphPlace(
            node=node,
            ipfs=ipfs,
            network=service.labels.get(NETWORK_LABEL) or await _network(node),
            values=values or {},
            env=owner.env,
            files=files if await anyio.Path(files).is_dir() else None,
        )
    finally:
        with anyio.CancelScope(shield=True):
            await node.aclose()
            await ipfs.aclose()


async def _network(node: GraphNode) -> str:
    """Return the chain's name as the node knows it: of the only one that it has."""
    networks = await node.networks()
    return networks[0] if len(networks) == 1 else _DEFAULT
