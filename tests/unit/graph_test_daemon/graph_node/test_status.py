"""What is read from a graph-node's answers about errors."""

from __future__ import annotations

import pytest

from graph_test_daemon.graph_node import IndexingError

ABORTED = "Mapping aborted at ~lib/a.ts, line 1\tin handler `handleStored` at block #7 (0a): no"


@pytest.mark.parametrize(
    ("told", "message", "handler"),
    [
        ("handleMoved", ABORTED, "handleMoved"),
        (None, ABORTED, "handleStored"),
        (None, "the subgraph has no handlers", None),
    ],
)
def test_the_handler_is_known_where_only_the_message_names_it(
    told: str | None, message: str, handler: str | None
) -> None:
    assert IndexingError.read({"message": message, "handler": told}).handler == handler
