"""What is asked of graph-node to read everything that a subgraph has stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import anyio
import pytest

from graph_test_daemon.errors import GraphError
from graph_test_daemon.graph_node import GraphNode
from graph_test_daemon.subgraph import read_schema
from graph_test_daemon.verification.entities import EntityReader

SCHEMA = """
type _Schema_ @fulltext(name: "search", language: en, algorithm: rank,
    include: [{ entity: "Note", fields: [{ name: "text" }] }])
type Note @entity { id: ID! text: String! authors: [Author!]! }
type Author @entity { id: ID! notes: [Note!]! @derivedFrom(field: "authors") }
"""


class _Node:
    """Answers as graph-node does to a schema with a search for texts."""

    def __init__(self, authors: int) -> None:
        self.asked: list[str] = []
        self._authors = [{"id": str(number)} for number in range(authors)]

    async def query(self, _: str, text: str) -> Mapping[str, Any]:
        await anyio.lowlevel.checkpoint()
        if "__schema" in text:
            fields = [_list("notes", "Note"), _list("authors", "Author"), _list("search", "Note")]
            return {"__schema": {"queryType": {"fields": fields}}}
        self.asked.append(text)
        return {"found": [{"id": "1", "text": "one", "authors": self._authors}]}


def _list(name: str, of: str) -> dict[str, Any]:
    return {"name": name, "type": {"ofType": {"kind": "LIST", "ofType": {"ofType": {"name": of}}}}}


async def _reader(node: _Node) -> EntityReader:
    return await EntityReader.of(cast("GraphNode", node), "Qm", read_schema(SCHEMA))


async def test_a_search_for_texts_is_not_taken_for_the_list_of_all() -> None:
    node = _Node(authors=2)
    reader = await _reader(node)
    notes = next(one for one in reader.stored if one.name == "Note")
    assert list(await reader.all("Qm", notes, 7)) == ["1"]
    (asked,) = node.asked
    assert asked.startswith("{ found: notes(first: 1000, orderBy: id, block: {number: 7}")


async def test_a_list_that_graph_node_does_not_tell_whole_is_not_compared() -> None:
    reader = await _reader(_Node(authors=1000))
    notes = next(one for one in reader.stored if one.name == "Note")
    with pytest.raises(GraphError, match=r"cannot compare Note 1: .* list authors") as caught:
        await reader.all("Qm", notes, 7)
    assert caught.value.hint == 'leave it out: ignore ["Note.authors"]'
