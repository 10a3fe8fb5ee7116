"""What tests get of a stack of The Graph: chain, graph-node and subgraphs, with no `await`.

Each verb is a typed action of the stack; what is not here is one call away: `stack.action(…)`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.testing import AsyncStack, Stack, finished

__all__ = ["ChainHandle", "DeploySubgraph", "GraphNodeHandle", "SubgraphHandle", "reset"]


def reset(stack: Stack, *, workflow: str = "reset") -> None:
    """Have a stack begin anew; return when contracts are deployed and graph-node is ready.

    Args:
        stack: that has the workflow, as the protocol's has.
        workflow: its name.
    """

    async def run(inner: AsyncStack) -> None:
        begun = await inner.client.workflows.run(workflow=workflow, project=inner.project)
        await finished(inner, begun)

    stack.run(run)


class ChainHandle:
    """The chain of a stack.

    Args:
        stack: that it is in.
        service: its name there.
    """

    def __init__(self, stack: Stack, service: str = "chain") -> None:
        self._stack = stack
        self._service = service

    @property
    def url(self) -> str:
        """Of its JSON-RPC."""
        return self._stack[self._service].url()

    @property
    def block(self) -> int:
        """Height of the newest block."""
        return int(self._do("block")["number"])

    @property
    def accounts(self) -> list[str]:
        """Addresses that the node signs for."""
        return list(self._do("accounts"))

    def mine(self, blocks: int = 1, *, interval: int | None = None) -> int:
        """Mine blocks; return the height. `interval`: seconds between their timestamps."""
        return int(self._do("mine", blocks=blocks, interval=interval)["number"])

    def increase_time(self, seconds: int) -> int:
        """Put the chain's clock forward and mine a block; return the height."""
        return int(self._do("increase-time", seconds=seconds)["number"])

    def send(
        self,
        *,
        sender: str,
        to: str | None = None,
        data: str = "0x",
        value: int = 0,
        gas: int | None = None,
    ) -> dict[str, Any]:
        """Send a transaction; return its receipt when it is in a block.

        Args:
            sender: an account that the node signs for.
            to: the contract; None: the data deploy one.
            data: in hexadecimal.
            value: wei.
            gas: limit.
        """
        return dict(self._do("send", sender=sender, to=to, data=data, value=value, gas=gas))

    def reorg(
        self, depth: int, *, include: Sequence[str] = (), network: str = "network"
    ) -> dict[str, Any]:
        """Replace the last blocks; return when graph-node knows the new ones.

        Args:
            depth: how many.
            include: hashes of transactions that are in the new ones, too.
            network: the service that sees to it.
        """
        action = f"{network}.inject-reorg"
        return dict(self._stack.action(action, depth=depth, include=list(include)))

    def _do(self, action: str, **parameters: Any) -> Any:
        return self._stack.action(f"{self._service}.{action}", **parameters)


class GraphNodeHandle:
    """The graph-node of a stack.

    Args:
        stack: that it is in.
        service: its name there.
    """

    def __init__(self, stack: Stack, service: str = "graph-node") -> None:
        self._stack = stack
        self._service = service

    @property
    def url(self) -> str:
        """Of queries."""
        return self._stack[self._service].url("query")

    def query(
        self,
        subgraph: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        block: int | None = None,
    ) -> dict[str, Any]:
        """Query a subgraph, by its name or the id of a deployment; `block`: as of that one."""
        return dict(
            self._do("query", subgraph=subgraph, query=query, variables=variables, block=block)
        )

    def wait_for_sync(
        self, subgraph: str, *, block: int | None = None, timeout_s: float = 60.0
    ) -> int:
        """Return the block that a subgraph has indexed when it is the chain's own at that height.

        Args:
            subgraph: its name, or the id of a deployment.
            block: at least this height; the chain's head unless given.
            timeout_s: how long it may take.
        """
        found = self._do("wait-for-sync", subgraph=subgraph, block=block, timeout_s=timeout_s)
        return int(found["block"]["number"])

    def status(self, subgraph: str) -> dict[str, Any]:
        """Return how far a subgraph is."""
        return dict(self._do("status", subgraph=subgraph))

    def verify(
        self,
        subgraph: str,
        *,
        blocks: Sequence[int] | None = None,
        ignore: Sequence[str] = (),
        network: str = "network",
    ) -> dict[str, Any]:
        """Compare a subgraph with a fresh deployment; see `SubgraphHandle.verify`."""
        action = f"{network}.verify-subgraph"
        given = {"subgraph": subgraph, "blocks": blocks, "ignore": list(ignore)}
        return dict(self._stack.action(action, **given))

    def proof_of_indexing(self, subgraph: str, *, block: int | None = None) -> str:
        """Return the proof of indexing at a block; the newest that is indexed unless given."""
        return str(self._do("proof-of-indexing", subgraph=subgraph, block=block)["poi"])

    def _do(self, action: str, **parameters: Any) -> Any:
        return self._stack.action(f"{self._service}.{action}", **parameters)


class SubgraphHandle:
    """A subgraph that is deployed.

    Attributes:
        name: that it is deployed under.
        deployment: its id.
    """

    def __init__(self, node: GraphNodeHandle, name: str, deployment: str) -> None:
        self._node = node
        self.name = name
        self.deployment = deployment

    def query(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        block: int | None = None,
        wait: bool = True,
    ) -> dict[str, Any]:
        """Query it.

        Args:
            query: GraphQL.
            variables: of the query.
            block: have it answered as of this one.
            wait: ask when everything up to the chain's head is indexed.
        """
        if wait:
            self._node.wait_for_sync(self.name)
        return self._node.query(self.name, query, variables, block=block)

    @property
    def status(self) -> dict[str, Any]:
        """How far it is."""
        return self._node.status(self.name)

    def verify(
        self,
        *,
        blocks: Sequence[int] | None = None,
        ignore: Sequence[str] = (),
        network: str = "network",
    ) -> dict[str, Any]:
        """Compare it with a fresh deployment of the same manifest, and fail if they differ.

        Args:
            blocks: heights besides the newest; the ten before it unless given.
            ignore: types, and fields as `Type.field`, that are not compared.
            network: the service that does it.
        """
        return self._node.verify(self.name, blocks=blocks, ignore=ignore, network=network)


class DeploySubgraph:
    """Deploys subgraphs.

    Args:
        stack: where.
        directory: where relative paths start.
        network: the service that does it.
    """

    def __init__(self, stack: Stack, directory: Path, network: str = "network") -> None:
        self._stack = stack
        self._directory = directory
        self._network = network

    def __call__(
        self,
        path: str | os.PathLike[str],
        *,
        name: str | None = None,
        values: Mapping[str, str | int] | None = None,
        **settings: Any,
    ) -> SubgraphHandle:
        """Build a subgraph, deploy it, and return it when it has caught up with the chain.

        Args:
            path: directory of its sources.
            name: that it is deployed under; made of the directory's name unless given.
            values: of placeholders; addresses of the contracts and the network are known.
            settings: the others of the action `deploy-subgraph`, such as `publish`.
        """
        directory = self._directory / path
        found = self._stack.action(
            f"{self._network}.deploy-subgraph",
            path=str(directory.resolve()),
            name=name or _name_of(directory),
            values=dict(values or {}),
            **settings,
        )
        return SubgraphHandle(GraphNodeHandle(self._stack), found["name"], found["deployment"])


def _name_of(directory: Path) -> str:
    """Return a directory's name as graph-node takes names."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", directory.resolve().name).strip("-")
    if not re.search(r"[A-Za-z]", words) or words == "graphql":
        words = f"subgraph-{words}".strip("-")
    return f"test/{words}"
