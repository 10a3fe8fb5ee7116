"""A contract of a test's own on the shared stack, and the subgraphs that index it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts import Contract, Sent
from graph_test_daemon.graph_node import GraphNode, NodeUrls, Synced, wait_for_sync
from graph_test_daemon.ipfs import Ipfs
from graph_test_daemon.subgraph import Value
from harness.testing import Stack
from tests.subgraphs.building import build_and_upload, contract

__all__ = ["Lab", "running_lab"]

_SYNCED_WITHIN_S = 60.0


@dataclass
class Lab:
    """A contract of the test's own, and what indexes it."""

    stack: Stack
    node: GraphNode
    chain: Chain
    ipfs: Ipfs
    owner: str
    playground: Contract
    names: list[str] = field(default_factory=list)

    async def send(self, function: str, *values: Any, sender: str | None = None) -> Sent:
        """Call a function of the contract, in a block of its own."""
        return await self.playground.send(function, *values, sender=sender or self.owner)

    async def deploy(self, kind: str, *, name: str | None = None, **values: Value) -> str:
        """Deploy one of the test subgraphs for the contract; return the deployment."""
        values = {"Playground": self.playground.address, **values}
        uploaded = await build_and_upload(kind, self.ipfs, values, ipfs_url=self.ipfs.url)
        await self.deploy_as(name or kind, uploaded.deployment)
        return uploaded.deployment

    async def deploy_as(self, name: str, deployment: str) -> None:
        """Deploy what was uploaded under a name of this test's, which is removed at its end."""
        full_name = f"kinds/{name}-{self.playground.address[-6:]}x"
        self.names.append(full_name)
        await self.node.deploy(full_name, deployment)

    async def sync(self, deployment: str) -> Synced:
        """Return when everything up to the head is indexed."""
        return await wait_for_sync(
            self.node,
            self.chain,
            deployment,
            timeout_s=_SYNCED_WITHIN_S,
            mine=True,  # graph-node sometimes overlooks the last block of a chain that rests
            log=self.node_log,
        )

    async def depth_of(self, sent: Sent) -> int:
        """Return how many blocks have to be replaced for a transaction to be undone."""
        return await self.chain.block_number() - sent.receipt.block_number + 1

    async def query(self, deployment: str, text: str) -> Mapping[str, Any]:
        """Ask when everything up to the head is indexed."""
        await self.sync(deployment)
        return await self.node.query(deployment, text)

    def node_log(self) -> Sequence[str]:
        """Return what graph-node said last."""
        return self.stack.logs("graph-node", tail=20).splitlines()

    async def remove_all(self) -> None:
        """Remove the subgraphs: many that run at once wait for one another."""
        async with anyio.create_task_group() as group:
            for name in self.names:
                group.start_soon(self.node.remove, name)


@asynccontextmanager
async def running_lab(stack: Stack) -> AsyncIterator[Lab]:
    """Give a lab, and leave no subgraph of it."""
    service = stack["graph-node"]
    urls = NodeUrls(
        query=service.url("query"), admin=service.url("admin"), status=service.url("status")
    )
    node, chain, ipfs = GraphNode(urls), Chain(stack["chain"].url()), Ipfs(stack["ipfs"].url())
    owner = (await chain.accounts())[0]
    receipt = await chain.send(sender=owner, data=contract().bytecode)
    assert receipt.contract is not None
    playground = Contract(chain, receipt.contract.lower(), contract().abi)
    lab = Lab(stack, node, chain, ipfs, owner, playground)
    try:
        yield lab
    finally:
        with anyio.CancelScope(shield=True):
            try:
                await lab.remove_all()
            finally:
                for part in (node, chain, ipfs):
                    await part.aclose()
