"""A subgraph is compared with what its blocks give: stale rows are found, and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import psycopg
import pytest

from graph_test_daemon.chain import Chain
from graph_test_daemon.graph_node import reorg_and_follow
from graph_test_daemon.subgraph.deploying import SubgraphPlace
from graph_test_daemon.verification import (
    BlockCompared,
    EntityDifference,
    SubgraphNotVerified,
    VerifiedSubgraph,
    verify_subgraph,
)
from harness.errors import InvalidParameters

from .lab import Lab

pytestmark = [
    pytest.mark.usefixtures("graph_tools"),
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anyio_backend", ["asyncio"]),
]


class Told(list[BlockCompared]):
    async def __call__(self, event: BlockCompared) -> None:
        self.append(event)


async def verify(lab: Lab, deployment: str, **settings: Any) -> VerifiedSubgraph:
    place = SubgraphPlace(node=lab.node, ipfs=lab.ipfs, network="hardhat")
    settings = {"tell": Told(), "log": lab.node_log, **settings}
    return await verify_subgraph(place, lab.chain, deployment, **settings)


async def in_database(lab: Lab, deployment: str, statement: str, *values: object) -> None:
    """Change the rows of a deployment behind graph-node's back; `{schema}` is where they are."""
    service = lab.stack["postgres"]

    def change() -> None:
        url = f"postgresql://postgres@{service.host()}:{service.port()}/graph-node"
        with psycopg.connect(url) as connection:
            (schema,) = connection.execute(
                "SELECT name FROM deployment_schemas WHERE subgraph = %s", [deployment]
            ).fetchone() or ("",)
            done = connection.execute(statement.format(schema=schema), list(values))
            assert done.rowcount == 1

    await anyio.to_thread.run_sync(change)


async def test_a_subgraph_that_followed_a_reorganisation_is_verified(lab: Lab) -> None:
    deployment = await lab.deploy("events")
    await lab.send("store", 0, "kept")
    dropped = [await lab.send("store", number, f"number {number}") for number in (1, 2, 3)]
    await lab.sync(deployment)
    done = await reorg_and_follow(lab.node, lab.chain, await lab.depth_of(dropped[0]))
    told = Told()
    found = await verify(lab, deployment, tell=told)
    found.require()
    head = await lab.chain.block_number()
    assert (found.ok, found.count, found.hashes, found.differences) == (True, 0, (), ())
    assert set(found.blocks) >= set(range(done.reorg.common, head + 1))
    assert found.types == ("Note", "Place")
    assert (found.entities, found.entity_count, found.expected_count) == (1, 2, 2)
    assert found.proofs == len(found.blocks)
    assert [one.block for one in told] == list(found.blocks)
    # Nothing of the twin is indexed any more.
    twin = await lab.node.status(found.twin)
    assert twin is None or twin.node is None


async def test_a_stale_row_is_found_and_named(lab: Lab) -> None:
    deployment = await lab.deploy("events")
    await lab.send("store", 1, "first")
    await lab.send("store", 2, "second")
    await lab.sync(deployment)
    stale = "UPDATE {schema}.note SET text = %s WHERE id = %s"
    await in_database(lab, deployment, stale, "of an undone block", "1")
    await in_database(lab, deployment, "DELETE FROM {schema}.note WHERE id = %s", "2")
    head = await lab.chain.block_number()
    found = await verify(lab, deployment, blocks=[])
    assert not found.ok
    assert found.differences == (
        EntityDifference(
            block=head,
            type="Note",
            id="1",
            field="text",
            found="of an undone block",
            expected="first",
        ),
        EntityDifference(
            block=head,
            type="Note",
            id="2",
            field=None,
            found=None,
            expected={"id": "2", "text": "second", "by": lab.owner, "changes": 1},
        ),
    )
    with pytest.raises(SubgraphNotVerified) as caught:
        found.require()
    assert f"Note 1.text at block {head}: it has of an undone block, a fresh one first" in str(
        caught.value
    )
    assert (await verify(lab, deployment, blocks=[], ignore=["Note"])).ok
    with pytest.raises(InvalidParameters) as misspelt:
        await verify(lab, deployment, ignore=["Note.txt"])
    assert misspelt.value.hint == 'did you mean "Note.text"?'


async def test_a_row_that_was_not_closed_again_is_found_where_it_is_seen(lab: Lab) -> None:
    deployment = await lab.deploy("events")
    await lab.send("store", 1, "first")
    at = await lab.chain.block_number()
    await lab.chain.mine(3)
    await lab.send("store", 1, "second")
    await lab.sync(deployment)
    shorter = (
        "UPDATE {schema}.note SET block_range = int4range(lower(block_range), %s) "
        "WHERE upper(block_range) IS NOT NULL"
    )
    await in_database(lab, deployment, shorter, at + 2)
    found = await verify(lab, deployment)
    missing = [(one.block, one.found) for one in found.differences]
    assert missing == [(at + 2, None), (at + 3, None)]


@pytest.mark.parametrize(
    ("kind", "send"),
    [
        ("blocks", lambda chain: chain.mine(4)),
        ("values", None),
        ("aggregations", None),
        ("templates", None),
        ("graft", None),
    ],
)
async def test_every_kind_of_subgraph_can_be_verified(
    lab: Lab, kind: str, send: Callable[[Chain], Any] | None
) -> None:
    if kind == "graft":
        base = await lab.deploy("graft-base")
        await lab.send("store", 1, "before")
        block = await lab.chain.block_number()
        await lab.chain.mine(12)
        await lab.sync(base)
        deployment = await lab.deploy("graft", base=base, block=block)
    else:
        deployment = await lab.deploy(kind)
    if kind == "aggregations":
        await lab.send("trade", 3)
        await lab.chain.increase_time(7200)
        await lab.send("trade", 4)
    if send is not None:
        await send(lab.chain)
    await lab.send("store", 5, "after")
    found = await verify(lab, deployment)
    found.require()
    assert found.types
