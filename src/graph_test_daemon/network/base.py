"""What actions on the network stand on: its chain, its graph-node, and its contracts.

A stack names the task that has brought the contracts in the label `contracts` of the network's
service; without it the task is called `contracts`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts import AddressBook, BookEntry, Sent
from graph_test_daemon.contracts.protocol import LegacyContracts, Protocol
from graph_test_daemon.graph_node import GraphNode, node_at, urls_of
from graph_test_daemon.peers import peer_of
from graph_test_daemon.tracking import Transaction
from graph_test_daemon.tracking.actions import TrackedActions
from harness.actions import Service
from harness.errors import UnknownTask

from .errors import NoContracts
from .keys import MNEMONIC
from .network import Network
from .remembering import Remembering

__all__ = ["NetworkBase"]

logger = logging.getLogger(__name__)

_TASK = "contracts"


class NetworkBase(TrackedActions):
    """Hosts actions on the network; each group of them derives from it.

    Attributes:
        name: of the service type that has all groups.
    """

    name = "graph-network"

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._chain: Chain | None = None
        self._node: GraphNode | None = None
        self._network: Network | None = None
        self._found: Mapping[str, Any] = {}

    async def aclose(self) -> None:
        """Close the connections, and the file of what is remembered."""
        await super().aclose()
        for client in (self._node, self._chain):
            if client is not None:
                await client.aclose()

    async def validate(self) -> None:
        """Ask the contracts, where the stack has any that are known, which epoch it is."""
        if self.has_contracts() and self._outputs()["variant"] is not None:
            await (await self.network()).epochs.now()

    @property
    def chain(self) -> Chain:
        """The chain that the contracts are on."""
        url = peer_of(self.service, "anvil", label="chain").url()
        if self._chain is None or self._chain.rpc.url != url.rstrip("/"):
            self._chain = Chain(url)
        return self._chain

    @property
    def node(self) -> GraphNode:
        """The graph-node that indexes the chain."""
        service = peer_of(self.service, "graph-node", label="graph-node")
        if self._node is None or self._node.urls != urls_of(service):
            self._node = node_at(service)
        return self._node

    @property
    def node_if_any(self) -> GraphNode | None:
        """The same; None: the stack has none."""
        has_one = "graph-node" in self.service.labels or self.service.peers("graph-node")
        return self.node if has_one else None

    def node_log(self) -> list[str]:
        """Return the last lines of the graph-node's output, for errors."""
        return peer_of(self.service, "graph-node", label="graph-node").last_lines()

    def addresses(self) -> Mapping[str, str]:
        """Return contract → address; nothing where the stack has no contracts.

        Raises:
            NoContracts: it is to have some, and they are not there.
        """
        return dict(self._outputs()["addresses"]) if self.has_contracts() else {}

    def has_contracts(self) -> bool:
        """Tell whether the stack is to have contracts: a label names a task, or one is there."""
        if "contracts" in self.service.labels:
            return True
        try:
            self.service.outputs(_TASK)
        except UnknownTask:
            return False
        return True

    async def network(self) -> Network:
        """Return the network as it is deployed now.

        Raises:
            NoContracts: it is not, or not in a form that is known here.
        """
        chain, outputs = self.chain, self._outputs()
        known = self._network
        if known is not None and outputs == self._found and known.protocol.chain is chain:
            return known
        if outputs["variant"] is None:
            task = self.service.labels.get("contracts", _TASK)
            raise NoContracts(
                f'cannot use the contracts of the task "{task}": they are not of the protocol '
                "that is known here, but of another provider",
                hint="this action knows the provider legacy, the protocol before Horizon; "
                "deploying subgraphs, queries and reorganisations work with any",
            )
        entries = {
            name: BookEntry(address=address) for name, address in outputs["addresses"].items()
        }
        book = AddressBook(chain_id=outputs["chain_id"], entries=entries)
        contracts = LegacyContracts(variant=outputs["variant"], env=self.service.env)
        protocol = Protocol(chain, book, contracts, on_sent=Remembering(self.tracker))
        # Reading what the contracts understand takes a moment.
        await anyio.to_thread.run_sync(getattr, protocol, "abis")
        mnemonic = self.service.labels.get("mnemonic", MNEMONIC)
        self._network = Network(protocol, roles=outputs["accounts"], mnemonic=mnemonic)
        self._found = dict(outputs)
        return self._network

    async def brought_back(self, transactions: Sequence[Transaction]) -> None:
        """Remember anew what transactions did to allocations: epoch and rewards may be others."""
        if not transactions or not self.has_contracts():
            return
        try:
            staking = (await self.network()).protocol.staking
        except NoContracts as error:
            # The reorg has happened, and whoever made it gets its result all the same.
            count = len(transactions)
            logger.warning("Cannot read anew what %d transactions did: %s", count, error)
            return
        remembering = Remembering(self.tracker)
        for transaction in transactions:
            receipt = await self.chain.receipt(transaction.hash)
            if receipt is not None and receipt.succeeded:
                sent = Sent(receipt=receipt, events=staking.events(receipt.logs))
                await remembering.allocations(sent)

    def _outputs(self) -> Mapping[str, Any]:
        task = self.service.labels.get("contracts", _TASK)
        try:
            outputs = self.service.outputs(task)
        except UnknownTask as error:
            raise NoContracts(
                f'cannot find the contracts of "{self.service.name}": there is no task "{task}"',
                hint="add a task with `task_type: graph-contracts`, and have "
                f"{self.service.name} depend on it; its label `contracts` names another task",
            ) from error
        if not {"addresses", "chain_id", "variant", "accounts"} <= outputs.keys():
            state = "has left no addresses" if outputs else "has not completed"
            raise NoContracts(
                f'cannot find the contracts of "{self.service.name}": the task "{task}" {state}',
                hint=f"`harness task run {task}` runs it",
            )
        return outputs
