"""A whole query as of one block."""

from __future__ import annotations

import pytest

from graph_test_daemon.errors import QueryInvalid
from graph_test_daemon.graph_node.at_block import at_block


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("{ tokens { id } }", ["tokens(block: { number: 7 }) {"]),
        ("query Q($a: Int) { t(first: $a) { id } _meta { deployment } }",
         ["t(first: $a, block: { number: 7 }) {", "_meta(block: { number: 7 }) {"]),
        ("{ t(block: {number: 3}) { id inner { block } } }", ["t(block: { number: 3 }) {"]),
        ("{ __schema { types { name } } }", ["__schema {"]),
        ("{ a: t { id } ...F } fragment F on Query { u { id } }",
         ["a: t(block: { number: 7 })", "u(block: { number: 7 })"]),
        ("{ ... on Query { t { ...G } } } fragment G on Token { id owner { id } }",
         ["t(block: { number: 7 })"]),
    ],
)  # fmt: skip
def test_root_fields_without_a_block_get_it(text: str, fields: list[str]) -> None:
    found = " ".join(at_block(text, 7).replace("{number", "{ number").split())
    for field in fields:
        assert field in found
    assert found.count("number: 7") == sum("7" in field for field in fields)


def test_what_is_no_query_is_refused_with_its_place() -> None:
    with pytest.raises(QueryInvalid, match="line 1, column 10"):
        at_block("{ tokens ", 7)
