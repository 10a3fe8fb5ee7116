"""Compares what a subgraph has stored with a twin: a fresh deployment that saw no block undone.

A twin has the same manifest with a comment at its end, and so another id; graph-node indexes it
from its first block. What the twin has is what the chain's blocks give, so where the two differ the
subgraph has kept something of a block that is not on the chain, or has lost something. A graft's
twin begins with the same data of the base: what the base has kept wrongly is not seen here.

Proofs of indexing are over the deployment's id, too, so that those of twins differ always. That
graph-node gives one means that it has the chain's own block there.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import anyio

from graph_test_daemon.chain import Chain
from graph_test_daemon.errors import GraphError
from graph_test_daemon.graph_node import BlockPointer, GraphNode, wait_for_sync
from graph_test_daemon.subgraph.deployed import schema_of

from .entities import EntityReader, Stored
from .errors import SubgraphNotVerified

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from graph_test_daemon.subgraph.deploying import SubgraphPlace

logger = logging.getLogger(__name__)

__all__ = [
    "BlockCompared",
    "EntityDifference",
    "HashDifference",
    "VerifiedSubgraph",
    "verify_subgraph",
]

_LAST_BLOCKS = 10
_SHOWN = 10
_KEPT = 1000
_REMOVED_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDifference:
    """One value that is not what the chain's blocks give.

    Attributes:
        block: as of which.
        type: of the entity; of an aggregation with its interval.
        id: of the entity.
        field: whose value differs; None: the whole entity is there, or is missing.
        found: what the subgraph has; None: nothing.
        expected: what a fresh deployment has; None: nothing.
    """

    block: int
    type: str
    id: str
    field: str | None
    found: Any
    expected: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class HashDifference:
    """A block that graph-node knows by another hash than the chain; None: it does not know it."""

    block: int
    found: str | None
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCompared:
    """All entities as of a block were compared; `differences`: how many were found."""

    block: int
    entities: int
    differences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedSubgraph:
    """What was compared, and what differs.

    Attributes:
        deployment: that was verified.
        twin: the fresh deployment that it was compared with, which is removed again; graph-node
            gives its data up hours later.
        since: of a graft, the block up to which both have the base's data; 0: all was compared.
        ok: nothing differs.
        blocks: heights as of which all entities were compared.
        types: that were compared; aggregations with their intervals.
        entities: how many the fresh deployment has as of the last of the blocks.
        entity_count: what graph-node counts for the subgraph, by itself.
        expected_count: likewise for the fresh one; None: the two were not at the same block.
        proofs: so many of the blocks graph-node gives a proof of indexing for.
        count: how many differences there are, of all kinds.
        differences: of entities, the first thousand.
        hashes: blocks that graph-node knows by other hashes than the chain.
    """

    deployment: str
    twin: str
    since: int
    ok: bool
    blocks: tuple[int, ...]
    types: tuple[str, ...]
    entities: int
    entity_count: int
    expected_count: int | None
    proofs: int
    count: int
    differences: tuple[EntityDifference, ...]
    hashes: tuple[HashDifference, ...]

    def require(self) -> None:
        """Do nothing if nothing differs.

        Raises:
            SubgraphNotVerified: something does; the message names the first differences.
        """
        if not self.ok:
            raise SubgraphNotVerified(
                deployment=self.deployment,
                count=self.count,
                summary="\n".join(self._lines()),
                result=asdict(self),
            )

    def _lines(self) -> Iterator[str]:
        for one in self.hashes[:_SHOWN]:
            yield f"  block {one.block}: graph-node has {one.found}, the chain {one.expected}"
        for each in self.differences[:_SHOWN]:
            field = "" if each.field is None else f".{each.field}"
            yield (
                f"  {each.type} {each.id}{field} at block {each.block}: it has "
                f"{_short(each.found)}, a fresh one {_short(each.expected)}"
            )
        if self.expected_count not in (None, self.entity_count):
            yield f"  entities: it has {self.entity_count}, a fresh one {self.expected_count}"
        if self.proofs < len(self.blocks):
            yield f"  proofs: of {len(self.blocks)} blocks graph-node proves {self.proofs}"


Tell = Callable[[BlockCompared], Awaitable[None]]


async def verify_subgraph(
    place: SubgraphPlace,
    chain: Chain,
    subgraph: str,
    *,
    blocks: Sequence[int] | None = None,
    ignore: Collection[str] = (),
    timeout_s: float = 120.0,
    tell: Tell,
    log: Callable[[], Sequence[str]] = tuple,
) -> VerifiedSubgraph:
    """Compare a subgraph with a twin as of several blocks, the newest one among them.

    The chain may go on meanwhile; blocks must not be undone.

    Args:
        place: where it is deployed.
        chain: that it indexes.
        subgraph: its name, or the id of the deployment.
        blocks: heights besides the newest; None: the last ten.
        ignore: types, and fields as `Type.field`, that are not compared.
        timeout_s: how long each of the two may take to index what there is.
        tell: is awaited with each block, as it is compared.
        log: gives the node's last lines of output, for errors.

    Raises:
        DeploymentNotFound: there is no such subgraph.
        IndexingFailed: it has stopped at an error.
        NotSynced: one of them did not get to the newest block.
    """
    node = place.node
    deployment = (await node.find(subgraph)).deployment
    head = await chain.block_number()
    manifest = await place.ipfs.cat(deployment)
    schema = await schema_of(place.ipfs, deployment)
    if schema is None:
        raise GraphError(
            f"cannot verify {deployment}: IPFS does not have its schema, or it is none"
        )

    async def sync(which: str) -> None:
        await wait_for_sync(
            node, chain, which, block=head, timeout_s=timeout_s, stall_s=timeout_s, log=log
        )

    await sync(deployment)
    async with _twin(place, manifest) as twin:
        await sync(twin)
        heights = await _heights(node, (deployment, twin), head, blocks)
        reader = await EntityReader.of(node, deployment, schema, ignore=ignore)
        hashes, proofs = await _blocks(node, chain, deployment, heights)
        differences: list[EntityDifference] = []
        different = entities = 0
        for height in heights:
            count = entities = 0
            for stored in reader.stored:
                found = await reader.all(deployment, stored, height)
                expected = await reader.all(twin, stored, height)
                entities += len(expected)
                for one in _differences(stored, height, found, expected):
                    count += 1
                    if len(differences) < _KEPT:
                        differences.append(one)
            different += count
            await tell(BlockCompared(block=height, entities=entities, differences=count))
        own, other = await node.find(deployment), await node.find(twin)
    expected_count = other.entity_count if own.latest == other.latest else None
    result = VerifiedSubgraph(
        deployment=deployment,
        twin=twin,
        since=_grafted_at(manifest),
        ok=False,
        blocks=heights,
        types=tuple(one.name for one in reader.stored),
        entities=entities,
        entity_count=own.entity_count,
        expected_count=expected_count,
        proofs=proofs,
        count=different
        + len(hashes)
        + (expected_count not in (None, own.entity_count))
        + (proofs < len(heights)),
        differences=tuple(differences),
        hashes=hashes,
    )
    return replace(result, ok=result.count == 0)


def _grafted_at(manifest: bytes) -> int:
    import yaml

    graft = yaml.safe_load(manifest).get("graft")
    return 0 if graft is None else int(graft["block"])


@asynccontextmanager
async def _twin(place: SubgraphPlace, manifest: bytes) -> AsyncIterator[str]:
    """Have a twin deployed while the context is open."""
    token = secrets.token_hex(8)
    twin = (await place.ipfs.add_bytes(manifest + f"\n# twin {token}\n".encode())).cid
    await place.make_available(twin)
    name = f"verification/twin-{token}"
    try:
        await place.node.deploy(name, twin)
        yield twin
    finally:
        await _remove(place.node, name)


async def _remove(node: GraphNode, name: str) -> None:
    """Remove a twin; where that fails it is logged, and does not hide why it came to that."""
    cause: object = f"no answer within {_REMOVED_WITHIN_S:g} s"
    with anyio.move_on_after(_REMOVED_WITHIN_S, shield=True):
        try:
            await node.remove(name)
        except GraphError as error:
            cause = error
        else:
            return
    logger.warning("Cannot remove %s, which goes on being indexed: %s", name, cause)


async def _heights(
    node: GraphNode, deployments: Sequence[str], head: int, blocks: Sequence[int] | None
) -> tuple[int, ...]:
    """Return the heights to compare at, lowest first; one that both do not have is refused."""
    earliest = 0
    for deployment in deployments:
        first = (await node.find(deployment)).earliest
        earliest = max(earliest, 0 if first is None else first.number)
    if blocks is None:
        return tuple(range(max(earliest, head - _LAST_BLOCKS), head + 1))
    if beyond := [one for one in blocks if not earliest <= one <= head]:
        raise GraphError(
            f"cannot compare at block {beyond[0]}: the subgraph has blocks {earliest} to {head}"
        )
    return tuple(sorted({*blocks, head}))


async def _blocks(
    node: GraphNode, chain: Chain, deployment: str, heights: Sequence[int]
) -> tuple[tuple[HashDifference, ...], int]:
    """Return which blocks graph-node knows by other hashes, and how many it has proofs for."""
    status = await node.find(deployment)
    hashes, proofs = [], 0
    for height in heights:
        block = await chain.block(height)
        if block is None:
            raise GraphError(
                f"cannot compare at block {height}: the chain has none any more",
                hint="verify it while no blocks are undone",
            )
        known = await node.block_hash(status.network, height)
        if known != block.hash:
            hashes.append(HashDifference(block=height, found=known, expected=block.hash))
        at = BlockPointer(number=height, hash=block.hash)
        proofs += await node.proof_of_indexing(status, at) is not None
    return tuple(hashes), proofs


def _differences(
    stored: Stored,
    block: int,
    found: Mapping[str, Mapping[str, Any]],
    expected: Mapping[str, Mapping[str, Any]],
) -> Iterator[EntityDifference]:
    for name in sorted({*found, *expected}):
        have, want = found.get(name), expected.get(name)
        if have == want:
            continue
        if have is None or want is None:
            fields: list[str | None] = [None]
        else:
            fields = [field for field in want if have[field] != want[field]]
        for field in fields:
            yield EntityDifference(
                block=block,
                type=stored.name,
                id=name,
                field=field,
                found=have if field is None or have is None else have[field],
                expected=want if field is None or want is None else want[field],
            )


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
