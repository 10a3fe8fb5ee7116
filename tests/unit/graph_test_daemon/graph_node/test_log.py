"""Lines of graph-node's log."""

from __future__ import annotations

import pytest

from graph_test_daemon.graph_node.log import NodeLogged, read_line


def test_a_line_is_a_level_a_message_and_facts() -> None:
    line = (
        "Nov 29 02:32:19.917 INFO Subgraph deployed, locator: Qm[1], name: a/b, "
        "subgraph_id: QmX, component: SubgraphRegistrar"
    )
    assert read_line(line) == NodeLogged(
        level="info",
        message="Subgraph deployed",
        subgraph="QmX",
        component="SubgraphRegistrar",
    )


def test_a_message_may_have_commas_and_colons() -> None:
    line = "Nov  2 02:32:19.917 ERRO Cannot do: this, and that, code: SubgraphSyncingFailure"
    found = read_line(line)
    assert found is not None
    assert (found.level, found.message) == ("error", "Cannot do: this, and that")


def test_colors_are_not_part_of_it() -> None:
    found = read_line("\x1b[32mNov 29 02:32:19.917\x1b[0m \x1b[33mWARN\x1b[0m Slow")
    assert found is None or found.level == "warning"


@pytest.mark.parametrize("line", ["", "thread main panicked", "Nov 29 02:32:19.917 LOUD x"])
def test_other_lines_are_none(line: str) -> None:
    assert read_line(line) is None
