"""A name that graph-node does not take is refused before anything is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph_test_daemon.chain import Chain
from graph_test_daemon.graph_node import GraphNode, InvalidSubgraphName, NodeUrls
from graph_test_daemon.ipfs import Ipfs
from graph_test_daemon.subgraph import (
    GraftSource,
    SubgraphPlace,
    deploy_directory,
    deploy_graft_chain,
)
from graph_test_daemon.subgraph.task import GraphSubgraph
from harness.actions import check_task_config
from harness.errors import InvalidTaskConfig

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def place() -> SubgraphPlace:
    """A place where nothing answers: whoever asks for something there fails otherwise."""
    node = GraphNode(NodeUrls(query=NOWHERE, admin=NOWHERE, status=NOWHERE))
    return SubgraphPlace(node=node, ipfs=Ipfs(NOWHERE), network="hardhat")


async def test_it_is_refused_before_a_subgraph_is_built(
    place: SubgraphPlace, tmp_path: Path
) -> None:
    with pytest.raises(InvalidSubgraphName, match='"a b"'):
        await deploy_directory(place, tmp_path, "a b")


async def test_it_is_refused_before_the_base_of_a_graft_is_looked_for(
    place: SubgraphPlace, tmp_path: Path
) -> None:
    sources = [GraftSource(name=name, directory=tmp_path) for name in ("a-1", "a-2/")]
    with pytest.raises(InvalidSubgraphName, match='"a-2/"'):
        await deploy_graft_chain(place, Chain(NOWHERE), "base", sources)


def test_it_is_refused_when_the_stack_file_is_checked() -> None:
    with pytest.raises(InvalidTaskConfig, match=r'"a b" as a name.*slashes'):
        check_task_config(GraphSubgraph, "indexed", {"path": "subgraph", "name": "a b"})
    check_task_config(GraphSubgraph, "indexed", {"path": "subgraph", "name": "${NAME:-a}/b"})
