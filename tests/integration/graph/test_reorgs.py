"""graph-node follows reorganisations of the chain, and is not asked to where it could not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from graph_test_daemon.graph_node import (
    IndexingFailed,
    NotSynced,
    Nudges,
    ReorgConverged,
    ReorgNotFollowed,
    ReorgTooDeep,
    reorg_and_follow,
    wait_for_sync,
)
from graph_test_daemon.graph_node.reorgs import REORG_THRESHOLD

from .lab import Lab
from .subgraphs import upload_idle, upload_twin

pytestmark = [
    pytest.mark.usefixtures("graph_tools"),
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anyio_backend", ["asyncio"]),
]

_ALL = "{notes(orderBy: id, first: 1000 %s){id text by changes}}"


async def _entities(lab: Lab, deployment: str, at: int) -> Mapping[str, Any]:
    return await lab.node.query(deployment, _ALL % f"block: {{number: {at}}}")


@pytest.mark.parametrize("included", [False, True], ids=["all dropped", "some included"])
@pytest.mark.parametrize("depth", [1, 3, 9])
async def test_a_reorganisation_is_followed(lab: Lab, depth: int, included: bool) -> None:
    deployment = await lab.deploy("events")
    senders = (await lab.chain.accounts())[:2]
    await lab.send("store", 0, "before")
    sent = [
        (number, await lab.send("store", number, f"number {number}", sender=senders[number % 2]))
        for number in range(1, depth + 1)
    ]
    await lab.sync(deployment)
    deep = await lab.depth_of(sent[0][1])
    kept = {n: one.receipt.transaction for n, one in sent if included and n % 2 == 1}
    told: list[ReorgConverged] = []

    async def tell(event: ReorgConverged) -> None:
        await anyio.lowlevel.checkpoint()
        told.append(event)

    done = await reorg_and_follow(
        lab.node, lab.chain, deep, include=list(kept.values()), mine=1, tell=tell
    )
    assert done.reorg.depth == deep
    assert all(one.took_s == round(one.took_s, 3) for one in done.deployments)
    assert done.reorg.included == tuple(kept.values())
    assert deployment in {one.deployment for one in done.deployments}
    assert list(done.deployments) == told
    head = await lab.chain.head()
    assert (await lab.node.query(deployment, _ALL % ""))["notes"] == [
        {"id": "0", "text": "before", "by": senders[0], "changes": 1},
        *(
            {"id": str(n), "text": f"number {n}", "by": senders[n % 2], "changes": 1}
            for n in sorted(kept, key=str)
        ),
    ]
    twin = await upload_twin(lab.ipfs, deployment)
    await lab.deploy_as("twin", twin)
    await lab.sync(twin)
    for height in range(done.reorg.common - 1, head.number + 1):
        block = await lab.chain.block(height)
        assert block is not None
        assert await lab.node.block_hash("hardhat", height) == block.hash
        assert await _entities(lab, deployment, height) == await _entities(lab, twin, height)
    await lab.sync(deployment)
    status = await lab.node.find(deployment)
    assert status.health == "healthy"
    assert status.entity_count == (await lab.node.find(twin)).entity_count


async def test_what_was_changed_in_dropped_blocks_is_as_before(lab: Lab) -> None:
    deployment = await lab.deploy("events")
    await lab.send("store", 1, "first")
    await lab.chain.mine(2)
    second = await lab.send("store", 1, "second")
    await lab.send("store", 1, "third")
    assert await lab.query(deployment, "{notes{text changes}}") == {
        "notes": [{"text": "third", "changes": 3}]
    }
    await reorg_and_follow(lab.node, lab.chain, await lab.depth_of(second))
    assert await lab.node.query(deployment, "{notes{text changes}}") == {
        "notes": [{"text": "first", "changes": 1}]
    }
    await lab.send("store", 1, "again")
    assert await lab.query(deployment, "{notes{text changes}}") == {
        "notes": [{"text": "again", "changes": 2}]
    }


async def test_two_reorganisations_after_one_another_are_followed(lab: Lab) -> None:
    deployment = await lab.deploy("events")
    await lab.chain.mine(3)
    for number in (1, 2):
        sent = await lab.send("store", number, "kept")
        await lab.send("store", 10 + number, "dropped")
        await reorg_and_follow(lab.node, lab.chain, 2, include=[sent.receipt.transaction])
    assert await lab.query(deployment, "{notes(orderBy: id){id text}}") == {
        "notes": [{"id": "1", "text": "kept"}, {"id": "2", "text": "kept"}]
    }


async def test_one_that_is_too_deep_for_a_subgraph_is_refused(lab: Lab) -> None:
    await lab.chain.mine(20)
    first = await lab.chain.block_number() - 5
    late = await upload_idle(lab.ipfs, start_block=first)
    await lab.deploy_as("late", late)
    fine = await lab.deploy("events")
    await lab.send("store", 1, "stays")
    await lab.sync(late)
    await lab.sync(fine)
    before = await lab.chain.head()
    with pytest.raises(ReorgTooDeep, match=f"{late} has blocks from {first - 1} on") as caught:
        await reorg_and_follow(lab.node, lab.chain, 2)
    assert caught.value.deployments == (late,)
    assert await lab.chain.head() == before
    assert await lab.query(fine, "{notes{text}}") == {"notes": [{"text": "stays"}]}
    # With one block more than it takes to be refused it is followed.
    await lab.chain.mine_until_block(first - 1 + REORG_THRESHOLD + 2)
    await lab.sync(late)
    done = await reorg_and_follow(lab.node, lab.chain, 2)
    assert {one.deployment for one in done.deployments} >= {late, fine}


async def test_a_paused_subgraph_hinders_no_reorganisation(lab: Lab) -> None:
    await lab.chain.mine(20)
    late = await upload_idle(lab.ipfs, start_block=await lab.chain.block_number() - 5)
    await lab.deploy_as("late", late)
    fine = await lab.deploy("events")
    dropped = await lab.send("store", 1, "dropped")
    await lab.sync(late)
    await lab.sync(fine)
    await lab.node.pause(late)
    done = await reorg_and_follow(lab.node, lab.chain, await lab.depth_of(dropped))
    followed = {one.deployment for one in done.deployments}
    assert (fine in followed, late in followed) == (True, False)
    assert await lab.query(fine, "{notes{text}}") == {"notes": []}


async def test_one_that_failed_before_is_not_waited_for(lab: Lab) -> None:
    failed, fine = await lab.deploy("fatal"), await lab.deploy("events")
    await lab.send("store", 1, "fatal")
    await lab.chain.mine(3)
    await lab.sync(fine)
    with pytest.raises(IndexingFailed):
        await lab.sync(failed)
    assert (await lab.node.find(failed)).health == "failed"
    done = await reorg_and_follow(lab.node, lab.chain, 2)
    followed = {one.deployment for one in done.deployments}
    assert (fine in followed, failed in followed) == (True, False)


async def test_where_one_does_not_follow_few_blocks_are_mined_and_told_of(lab: Lab) -> None:
    deployment = await lab.deploy("events")
    await lab.send("store", 1, "dropped")
    await lab.sync(deployment)
    height = await lab.chain.block_number()

    async def pause(_: object) -> None:
        await lab.node.pause(deployment)

    with pytest.raises(ReorgNotFollowed) as stuck:
        await reorg_and_follow(lab.node, lab.chain, 1, timeout_s=2.5, on_reorg=pause)
    mined = await lab.chain.block_number() - height - 1
    assert 1 <= mined <= 2
    assert f"and {mined} block" in str(stuck.value)
    assert deployment in stuck.value.deployments


async def test_blocks_are_not_mined_in_vain_for_ever(lab: Lab) -> None:
    deployment = await lab.deploy("events")
    await lab.sync(deployment)
    await lab.node.pause(deployment)
    await lab.chain.mine(1)
    height = await lab.chain.block_number()
    nudges = Nudges(lab.chain, at_most=3, after_s=0.05)
    with pytest.raises(
        NotSynced, match="3 blocks mined meanwhile did not help; it is paused"
    ) as it:
        await wait_for_sync(lab.node, lab.chain, deployment, timeout_s=1, mine=nudges)
    assert await lab.chain.block_number() == height + 3
    assert it.value.details["mined"] == 3
