"""Results of queries are kept, and compared with later ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from graph_test_daemon.errors import QueryFailed, QueryInvalid
from graph_test_daemon.graph_node import BlockPointer, Indexed, NotSynced
from graph_test_daemon.tracking import BlockAt, QuerySnapshot, Rules, Tracker
from graph_test_daemon.tracking.errors import (
    RecordExists,
    RecordInvalid,
    RecordNotFound,
    ResultsDiffer,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
QUERY = "{ tokens { id balance } }"


class Answers:
    """Answers with what there is at the newest block, and says what it was asked."""

    def __init__(self, head: int | None, balances: Mapping[str, int]) -> None:
        self.head = head
        self.balances = balances
        self.asked: list[tuple[str, str, Mapping[str, Any] | None]] = []

    async def query(
        self, subgraph: str, text: str, variables: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        self.asked.append((subgraph, " ".join(text.split()), variables))
        if subgraph == "broken":
            raise QueryFailed(messages=["no"])
        return {"tokens": [{"id": id_, "balance": n} for id_, n in self.balances.items()]}

    async def indexed(self, subgraph: str) -> Indexed | None:
        if self.head is None:
            return None
        pointer = BlockPointer(number=self.head, hash=f"0x{self.head}")
        return Indexed(block=pointer, deployment="QmA", has_errors=False)


@asynccontextmanager
async def tracker(directory: Path) -> AsyncIterator[Tracker]:
    opened = Tracker(directory, now=lambda: NOW)
    try:
        yield opened
    finally:
        await opened.aclose()


async def test_a_result_is_kept_as_of_the_newest_block(tmp_path: Path) -> None:
    node = Answers(9, {"0x1": 1})
    async with tracker(tmp_path) as told:
        kept = await told.queries.keep(node, "before", subgraph="my/s", query=QUERY)
        assert node.asked == [
            ("my/s", "{ tokens(block: { number: 9 }) { id balance } }", None),
        ]
    async with tracker(tmp_path) as again:
        assert await again.record(QuerySnapshot, "before") == kept
    assert kept == QuerySnapshot(
        name="before",
        subgraph="my/s",
        query=QUERY,
        variables={},
        block=BlockAt(number=9, hash="0x9"),
        result={"tokens": [{"id": "0x1", "balance": 1}]},
        taken_at=NOW,
    )


async def test_a_block_can_be_named(tmp_path: Path) -> None:
    node = Answers(None, {})
    async with tracker(tmp_path) as told:
        kept = await told.queries.keep(
            node, "a", subgraph="s", query=QUERY, variables={"n": 1}, block=4
        )
        assert kept.block == BlockAt(number=4)
        assert node.asked[0][1:] == ("{ tokens(block: { number: 4 }) { id balance } }", {"n": 1})


async def test_a_name_is_taken_once_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    node = Answers(1, {"0x1": 1})
    async with tracker(tmp_path) as told:
        await told.queries.keep(node, "a", subgraph="s", query=QUERY)
        with pytest.raises(RecordExists, match='"a"'):
            await told.queries.keep(node, "a", subgraph="s", query=QUERY)
        assert len(node.asked) == 1  # refused before anything is asked
        node.balances = {}
        await told.queries.keep(node, "a", subgraph="s", query=QUERY, replace=True)
        assert (await told.record(QuerySnapshot, "a")).result == {"tokens": []}


async def test_what_cannot_be_answered_is_not_kept(tmp_path: Path) -> None:
    async with tracker(tmp_path) as told:
        keep = told.queries.keep
        with pytest.raises(NotSynced, match="it has indexed no block yet"):
            await keep(Answers(None, {}), "a", subgraph="s", query=QUERY)
        with pytest.raises(QueryFailed):
            await keep(Answers(1, {}), "a", subgraph="broken", query=QUERY)
        with pytest.raises(QueryInvalid):
            await keep(Answers(1, {}), "a", subgraph="s", query="{ tokens")
        with pytest.raises(RecordInvalid):
            await keep(Answers(1, {}), "", subgraph="s", query=QUERY)
        assert await told.all(QuerySnapshot) == []


async def test_a_result_is_compared_with_what_is_answered_now(tmp_path: Path) -> None:
    node = Answers(1, {"0x1": 1, "0x2": 2})
    async with tracker(tmp_path) as told:
        await told.queries.keep(node, "a", subgraph="s", query=QUERY)
        node.head = 2
        node.balances = {"0x2": 2, "0x1": 1}
        same = await told.queries.compare_now(node, "a", Rules())
        assert (same.equal, same.count, same.other) == (True, 0, None)
        assert (same.block.number, same.other_block.number) == (1, 2)
        same.require()
        node.balances = {"0x2": 3}
        other = await told.queries.compare_now(node, "a", Rules())
        assert [d.path for d in other.differences] == ["tokens[id=0x1]", "tokens[id=0x2].balance"]
        with pytest.raises(ResultsDiffer) as caught:
            other.require()
        assert "what is answered now equal: they differ in 2 places" in str(caught.value)
        assert "tokens[id=0x2].balance: 2 became 3" in caught.value.summary
        ignoring = Rules(ignore=["tokens[id=0x1]", "balance"])
        assert (await told.queries.compare_now(node, "a", ignoring)).equal


async def test_it_is_asked_as_of_the_block_that_is_wanted(tmp_path: Path) -> None:
    node = Answers(1, {})
    async with tracker(tmp_path) as told:
        await told.queries.keep(node, "a", subgraph="s", query=QUERY)
        node.head = 5
        await told.queries.compare_now(node, "a", Rules(), same_block=True)
        await told.queries.compare_now(node, "a", Rules(), block=3)
        await told.queries.compare_now(node, "a", Rules())
        blocks = [text.partition("number: ")[2][0] for _, text, _ in node.asked]
        assert blocks == ["1", "1", "3", "5"]


async def test_two_kept_results_are_compared_without_asking(tmp_path: Path) -> None:
    node = Answers(1, {"0x1": 1})
    async with tracker(tmp_path) as told:
        await told.queries.keep(node, "before", subgraph="s", query=QUERY)
        node.balances = {"0x1": 2}
        await told.queries.keep(node, "after", subgraph="s", query=QUERY)
        found = await told.queries.compare_kept("before", "after", Rules())
        assert (found.other, found.summary) == ("after", "tokens[id=0x1].balance: 1 became 2")
        with pytest.raises(ResultsDiffer, match='cannot find "before" and "after" equal'):
            found.require()
        assert len(node.asked) == 2
        with pytest.raises(RecordNotFound) as caught:
            await told.queries.compare_kept("before", "aftr", Rules())
        assert caught.value.hint == 'did you mean "after"?'
        with pytest.raises(RecordNotFound):
            await told.queries.compare_now(node, "never", Rules())
        with pytest.raises(RecordInvalid, match="cannot read the path"):
            await told.queries.compare_kept("before", "after", Rules(ignore=["a["]))
