"""The proof of indexing that an allocation is closed with, from a graph-node.

It is the one at the first block of the present epoch, as the indexers' own agent has it: whoever
checks it later must know at which block to look.
"""

from __future__ import annotations

from dataclasses import dataclass

from graph_test_daemon.chain import Chain
from graph_test_daemon.graph_node import BlockPointer, GraphNode, wait_for_sync

from .epochs import Epochs
from .errors import NoProof

__all__ = ["ProofOfIndexing", "proof_block", "proof_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOfIndexing:
    """A proof of indexing, and the block that it is of.

    Attributes:
        deployment: what was indexed.
        indexer: whose proof it is.
        block: up to which block.
        poi: 32 bytes.
    """

    deployment: str
    indexer: str
    block: BlockPointer
    poi: str


async def proof_block(epochs: Epochs, chain: Chain) -> BlockPointer:
    """Return the block that proofs are of now: the first one of the present epoch."""
    number = (await epochs.now()).start_block
    block = await chain.block(number)
    assert block is not None  # noqa: S101 - the epoch has begun
    return BlockPointer(number=block.number, hash=block.hash)


async def proof_for(
    node: GraphNode,
    chain: Chain,
    epochs: Epochs,
    *,
    deployment: str,
    indexer: str,
    timeout_s: float = 30.0,
) -> ProofOfIndexing:
    """Ask a graph-node for the proof to close an allocation with.

    Args:
        node: that indexes the deployment.
        chain: of the contracts.
        epochs: of the contracts.
        deployment: its id.
        indexer: address of who closes the allocation.
        timeout_s: how long the node may take to index that block.

    Raises:
        DeploymentNotFound: the node does not have it.
        NotSynced: it has not indexed the chain's own block in time.
        NoProof: it has no proof for that block.
    """
    await node.find(deployment)
    block = await proof_block(epochs, chain)
    # After a reorganisation graph-node would prove what is not on the chain any more.
    await wait_for_sync(node, chain, deployment, block=block.number, timeout_s=timeout_s)
    status = await node.find(deployment)
    poi = await node.proof_of_indexing(status, block, indexer=indexer)
    if poi is None:
        raise NoProof(
            deployment=deployment,
            block=block.number,
            cause="graph-node has not indexed the first block of the epoch"
            f" ({_extent(status.earliest, status.latest)})",
            hint="where the deployment starts after it, advance an epoch; "
            "a proof of your own is the parameter poi",
        )
    return ProofOfIndexing(deployment=deployment, indexer=indexer, block=block, poi=poi)


def _extent(earliest: BlockPointer | None, latest: BlockPointer | None) -> str:
    if latest is None:
        return "it has indexed none yet"
    first = "the first" if earliest is None else str(earliest.number)
    return f"it has indexed from block {first} to {latest.number}"
