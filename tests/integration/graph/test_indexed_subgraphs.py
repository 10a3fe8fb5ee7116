"""The test subgraphs on a real graph-node: each kind of handler and data source does its work."""

from __future__ import annotations

import anyio
import pytest

from graph_test_daemon.contracts import Contract
from graph_test_daemon.errors import QueryFailed
from graph_test_daemon.graph_node import (
    BlockPointer,
    IndexingFailed,
    NotSynced,
    sync,
    wait_for_sync,
)
from graph_test_daemon.ipfs.dag import FileWriter, Form
from tests.subgraphs.building import contract

from .lab import Lab

pytestmark = [
    pytest.mark.usefixtures("graph_tools"),
    pytest.mark.timeout(120),
    pytest.mark.parametrize("anyio_backend", ["asyncio"]),
]


async def test_events_are_handled(lab: Lab) -> None:
    deployment = await lab.deploy("events")
    await lab.send("store", 1, "first")
    await lab.send("store", 1, "second")
    await lab.send("place", 7, (-3, 4, "home"), [1, 2])
    assert await lab.query(deployment, "{notes{text changes} places{number x y label path}}") == {
        "notes": [{"text": "second", "changes": 2}],
        "places": [{"number": "7", "x": "-3", "y": "4", "label": "home", "path": ["1", "2"]}],
    }


async def test_calls_are_handled(lab: Lab) -> None:
    deployment = await lab.deploy("calls")
    await lab.send("store", 5, "called")
    await lab.send("spawn", "child")
    answer = await lab.query(deployment, "{calls(orderBy: block){name given returned sender}}")
    stored, spawned = answer["calls"]
    assert stored == {"name": "store", "given": "5=called", "returned": None, "sender": lab.owner}
    assert (spawned["name"], spawned["given"]) == ("spawn", "child")
    assert len(spawned["returned"]) == 42


async def test_blocks_are_handled_by_every_filter(lab: Lab) -> None:
    deployment = await lab.deploy("blocks")
    await lab.send("store", 1, "in a block")
    await lab.chain.rpc.call("anvil_mine", [4])
    head = await lab.chain.block_number()
    answer = await lab.query(
        deployment,
        "{blocks(first: 1000){number} polledBlocks(first: 1000){number} firstBlocks{number}"
        " calledBlocks(first: 1000){number}}",
    )
    numbers = {key: sorted(int(row["number"]) for row in rows) for key, rows in answer.items()}
    assert numbers["blocks"][-1] == head
    assert numbers["polledBlocks"] == [n for n in numbers["blocks"] if n % 3 == 0]
    assert len(numbers["firstBlocks"]) == 1
    assert numbers["calledBlocks"] == [head - 4]


async def test_templates_are_started_with_their_context(lab: Lab) -> None:
    deployment = await lab.deploy("templates")
    await lab.send("spawn", "kid")
    found = await lab.query(deployment, "{toys{id name}}")
    (child,) = found["toys"]
    toy = Contract(lab.chain, child["id"], contract("Child").abi)
    await toy.send("poke", 9, sender=lab.owner)
    answer = await lab.query(deployment, "{toys{name pokes{number name}}}")
    assert answer["toys"] == [{"name": "kid", "pokes": [{"number": "9", "name": "kid"}]}]


async def test_overloads_are_told_apart(lab: Lab) -> None:
    deployment = await lab.deploy("overloads")
    await lab.send("say(string)", "hello")
    await lab.send("say(uint256)", 0)
    await lab.send("say(string,uint256)", "both", 2)
    answer = await lab.query(deployment, "{sayings(orderBy: event){event said described}}")
    assert answer["sayings"] == [
        {"event": "both", "said": "both/2", "described": "nothing"},
        {"event": "number", "said": "0", "described": "zero"},
        {"event": "text", "said": "hello", "described": "text: hello"},
    ]


async def test_reverted_calls_are_seen_as_such(lab: Lab) -> None:
    deployment = await lab.deploy("reverts")
    for number in (0, 1, 8):
        await lab.send("store", number, "")
    answer = await lab.query(deployment, "{halves(orderBy: id){id half refused}}")
    assert answer["halves"] == [
        {"id": "0", "half": None, "refused": True},
        {"id": "1", "half": None, "refused": True},
        {"id": "8", "half": "4", "refused": False},
    ]


async def test_an_error_that_is_not_fatal_is_passed_over(lab: Lab) -> None:
    deployment = await lab.deploy("non-fatal")
    await lab.send("store", 1, "broken")
    await lab.send("store", 2, "fine")
    await lab.sync(deployment)
    status = await lab.node.status(deployment)
    assert status is not None
    assert status.health == "unhealthy"
    text = "{notes(subgraphError: allow){text}}"
    with pytest.raises(QueryFailed, match="indexing_error") as caught:
        await lab.node.query(deployment, text)
    assert caught.value.data == {"notes": [{"text": "fine"}]}


@pytest.mark.parametrize("blocks_after", [0, 1, 3])
async def test_a_fatal_error_ends_a_subgraph_whose_proof_stays(lab: Lab, blocks_after: int) -> None:
    deployment = await lab.deploy("fatal")
    await lab.send("store", 1, "fine")
    before = await lab.chain.head()
    sent = await lab.send("store", 2, "fatal")
    await lab.chain.mine(blocks_after)
    with pytest.raises(IndexingFailed, match="this text cannot be handled") as caught:
        await lab.sync(deployment)
    failed = caught.value
    assert failed.block == sent.receipt.block_number
    assert failed.message == (
        "Mapping aborted at src/mapping.ts, line 5, column 3,"
        " with message: this text cannot be handled"
    )
    assert (failed.handler, failed.backtrace) == ("handleStored", ("src/mapping/handleStored",))
    assert failed.details["transaction"] == sent.receipt.transaction
    assert failed.details["head"] == failed.block + blocks_after
    assert "this text cannot be handled" in str(failed.details["log"])
    status = await lab.node.find(deployment)
    assert status.health == "failed"
    with pytest.raises(NotSynced, match="; Mapping aborted at"):
        await wait_for_sync(lab.node, lab.chain, deployment, timeout_s=0)
    at = BlockPointer(number=before.number, hash=before.hash)
    assert await lab.node.proof_of_indexing(status, at) is not None
    assert await lab.node.query(
        deployment, f"{{notes(block: {{number: {at.number}}}){{text}}}}"
    ) == {"notes": [{"text": "fine"}]}


async def test_a_mapping_whose_error_stays_is_not_waited_for(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "_PASSES_WITHIN_S", 1.0)
    deployment = await lab.deploy("fatal")
    sent = await lab.send("store", 1, "missing")
    with pytest.raises(IndexingFailed, match="missing value for non-nullable field") as caught:
        await lab.sync(deployment)
    failed = caught.value
    assert (failed.handler, failed.block) == ("handleStored", sent.receipt.block_number)
    assert failed.details["deterministic"] is False
    assert "tries again" in str(failed.hint)


async def test_a_graft_goes_on_with_the_data_of_its_base(lab: Lab) -> None:
    base = await lab.deploy("graft-base")
    await lab.send("store", 1, "before")
    at = await lab.chain.block_number()
    await lab.chain.rpc.call("anvil_mine", [12])
    await lab.sync(base)
    deployment = await lab.deploy("graft", base=base, block=at)
    await lab.send("store", 2, "after")
    answer = await lab.query(deployment, "{notes(orderBy: id){text by}}")
    assert answer["notes"] == [
        {"text": "base: before", "by": None},
        {"text": "graft: after", "by": lab.owner},
    ]


async def test_a_subgraph_follows_another(lab: Lab) -> None:
    source = await lab.deploy("followed")
    for amount in (3, 4):
        await lab.send("trade", amount)
    await lab.sync(source)
    deployment = await lab.deploy("following", source=source)
    answer = await lab.query(deployment, "{totals{trades amount}}")
    assert answer["totals"] == [{"trades": 2, "amount": "7"}]


async def test_topics_choose_events(lab: Lab) -> None:
    wanted, other = "0x" + "11" * 20, "0x" + "22" * 20
    deployment = await lab.deploy("topics", recipient="0x" + "00" * 12 + "11" * 20)
    for to in (wanted, other):
        await lab.send("move", to, 6)
    answer = await lab.query(deployment, "{moves{to amount}}")
    assert answer["moves"] == [{"to": wanted, "amount": "6"}]


async def test_declared_calls_are_made(lab: Lab) -> None:
    deployment = await lab.deploy("declared-calls")
    to = "0x" + "33" * 20
    for amount in (2, 3):
        await lab.send("move", to, amount)
    answer = await lab.query(deployment, "{balances{id amount}}")
    assert answer["balances"] == [{"id": to, "amount": "5"}]


async def test_what_was_removed_can_be_made_again(lab: Lab) -> None:
    deployment = await lab.deploy("remove-then-update")
    await lab.send("store", 1, "old")
    await lab.send("store", 2, "gone")
    await lab.send("store", 1, "new")
    await lab.send("remove", 2)
    assert await lab.query(deployment, "{notes{id text}}") == {
        "notes": [{"id": "1", "text": "new"}]
    }


async def test_every_type_of_value_comes_back_as_it_went(lab: Lab) -> None:
    deployment = await lab.deploy("values")
    big, unsigned = -(2**200), 2**256 - 1
    word, who = "0x" + "07" * 32, "0x" + "44" * 20
    await lab.send("measure", -(2**40), big, unsigned, "0x00ff", word, True, who, "ä")
    answer = await lab.query(
        deployment,
        "{measures{small middle big unsigned decimal data word flag who text kind list}}",
    )
    assert answer["measures"] == [
        {
            "small": str(-(2**40)),
            "middle": -776,
            "big": str(big),
            "unsigned": str(unsigned),
            "decimal": answer["measures"][0]["decimal"],
            "data": "0x00ff",
            "word": word,
            "flag": True,
            "who": who,
            "text": "ä",
            "kind": "NEGATIVE",
            "list": ["ä", word],
        }
    ]


async def test_a_time_series_is_aggregated(lab: Lab) -> None:
    deployment = await lab.deploy("aggregations")
    for amount in (5, 9):
        await lab.send("trade", amount)
    await lab.chain.rpc.call("evm_increaseTime", [7200])
    await lab.chain.rpc.call("anvil_mine", [1])
    await lab.send("trade", 1)
    answer = await lab.query(
        deployment, '{trades{amount} tradeStats_collection(interval: "hour"){sum largest}}'
    )
    assert len(answer["trades"]) == 3
    assert {"sum": "14", "largest": "9"} in answer["tradeStats_collection"]


async def test_a_file_is_handled_with_a_later_block_than_its_name(lab: Lab) -> None:
    deployment = await lab.deploy("files")
    text = f"a text for {lab.playground.address}"
    there = (await lab.ipfs.add_bytes(text.encode())).cid
    await lab.send("publish", there)
    await _mine_until_handled(lab, deployment, there, text)


async def test_a_file_that_comes_later_is_handled_then(lab: Lab) -> None:
    deployment = await lab.deploy("files")
    text = f"a late text for {lab.playground.address}"
    late = _name_of(text)
    await lab.send("publish", late)
    await lab.chain.mine(2)
    answer = await lab.query(deployment, "{publications{cid document{text}}}")
    assert answer["publications"] == [{"cid": late, "document": None}]
    assert (await lab.ipfs.add_bytes(text.encode())).cid == late
    await _mine_until_handled(lab, deployment, late, text)


def _name_of(text: str) -> str:
    """Return the name that a file will have, without adding it."""
    writer = FileWriter(lambda *_: None, Form())
    writer.write(text.encode())
    return str(writer.finish().cid)


async def _mine_until_handled(lab: Lab, deployment: str, cid: str, text: str) -> None:
    """Mine: graph-node writes what is in a file with the next block after it has the file."""
    wanted = [{"cid": cid, "document": {"text": text}}]

    async def is_handled() -> bool:
        answer = await lab.query(deployment, "{publications{cid document{text}}}")
        return bool(answer["publications"] == wanted)

    with anyio.fail_after(30):
        await lab.chain.mine_until(is_handled, what="the file to be handled")


async def test_many_subgraphs_are_indexed_side_by_side(lab: Lab) -> None:
    kinds = (
        *("events", "calls", "blocks", "templates", "overloads", "reverts", "files", "followed"),
        *("declared-calls", "remove-then-update", "values", "aggregations"),
    )
    deployments: list[str] = []

    async def deploy(kind: str) -> None:
        deployments.append(await lab.deploy(kind))

    async with anyio.create_task_group() as group:
        for kind in kinds:
            group.start_soon(deploy, kind)
    for number in range(5):
        await lab.send("store", number, "for all of them")
    async with anyio.create_task_group() as group:
        for deployment in deployments:
            group.start_soon(lab.sync, deployment)
    assert len(set(deployments)) == len(kinds)
    found = [await lab.node.find(deployment) for deployment in deployments]
    assert {one.health for one in found} == {"healthy"}
    assert "conn_pool_size: 50" in lab.stack.logs("graph-node", grep="conn_pool_size")
