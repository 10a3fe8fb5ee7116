"""Names of subgraphs, and ids of deployments."""

from __future__ import annotations

import pytest

from graph_test_daemon.graph_node import (
    InvalidSubgraphName,
    check_name,
    is_deployment,
    subgraph_path,
)

CID = "QmcYzr1v1xpXch8aU6qFb7EjxEKvNhjTVJmKDUXSPFg3TD"


@pytest.mark.parametrize("name", ["a", "my/sub-graph_1", "0x1/a1", "a" * 255])
def test_names_that_graph_node_takes(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name", ["", "/", "a/", "a//b", "1", "-a", "a-", "a/graphql", "a b", "ä", "a" * 256]
)
def test_names_that_it_does_not_take(name: str) -> None:
    with pytest.raises(InvalidSubgraphName):
        check_name(name)


def test_an_id_is_told_from_a_name() -> None:
    assert is_deployment(CID)
    assert not is_deployment(CID[:-1])
    assert subgraph_path(CID) == f"/subgraphs/id/{CID}"
    assert subgraph_path("a/b") == "/subgraphs/name/a/b"
