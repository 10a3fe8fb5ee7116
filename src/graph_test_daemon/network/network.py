"""The protocol as a network of people: everything that can be done in it, in one object."""

from __future__ import annotations

from collections.abc import Mapping

from graph_test_daemon.contracts.protocol import Protocol
from graph_test_daemon.graph_node import GraphNode

from .accounts import Participants
from .allocation import AllocationClosed
from .allocations import Allocations
from .curation import Curation
from .delegation import Delegations
from .disputes import Disputes
from .epochs import Epochs
from .errors import NoProof
from .keys import MNEMONIC
from .proofs import ProofOfIndexing, proof_for
from .staking import Staking
from .vouchers import Vouchers

__all__ = ["Network"]


class Network:
    """One network.

        deployed = await LegacyContracts().deploy(chain)
        network = Network(Protocol(chain, deployed.book, provider), roles=deployed.accounts)
        await network.staking.stake("indexer", 100_000 * GRT)

    Args:
        protocol: the contracts.
        roles: role → address, as the deployment has it.
        mnemonic: of the chain's accounts; keys of allocations are derived from it, too.

    Attributes:
        protocol: the contracts.
        participants: the accounts.
        epochs: the epochs.
        staking: stake of indexers.
        delegations: delegation to them.
        allocations: allocations of indexers.
        vouchers: fees that somebody has signed for.
        curation: published subgraphs, and signal.
        disputes: disputes, and denied rewards.
    """

    def __init__(
        self, protocol: Protocol, *, roles: Mapping[str, str], mnemonic: str = MNEMONIC
    ) -> None:
        self.protocol = protocol
        self.participants = Participants(protocol, roles=roles, mnemonic=mnemonic)
        who = self.participants
        self.epochs = Epochs(protocol, who)
        self.staking = Staking(protocol, who, self.epochs)
        self.delegations = Delegations(protocol, who, self.epochs)
        self.allocations = Allocations(protocol, who, self.epochs, mnemonic=mnemonic)
        self.vouchers = Vouchers(protocol, who)
        self.curation = Curation(protocol, who)
        self.disputes = Disputes(protocol, who, self.allocations)

    async def proof(
        self, node: GraphNode | None, allocation: str, *, timeout_s: float = 30.0
    ) -> ProofOfIndexing:
        """Return the proof of indexing to close an allocation with; see `proof_for`.

        Args:
            node: that is asked; None: there is none.
            allocation: its id.
            timeout_s: how long the node may take to index the block.

        Raises:
            NoProof: there is none.
        """
        found = await self.allocations.get(allocation)
        if node is None:
            raise NoProof(
                deployment=found.deployment,
                cause="there is no graph-node to ask",
                hint="give the parameter poi, 32 bytes as 0x and 64 hex digits",
            )
        return await proof_for(
            node,
            self.protocol.chain,
            self.epochs,
            deployment=found.deployment,
            indexer=found.indexer,
            timeout_s=timeout_s,
        )

    async def close_with_proof(
        self, node: GraphNode | None, allocation: str, *, timeout_s: float = 30.0
    ) -> AllocationClosed:
        """Close an allocation as its indexer, with the proof of indexing of a graph-node."""
        proof = await self.proof(node, allocation, timeout_s=timeout_s)
        return await self.allocations.close(allocation, proof.poi)
