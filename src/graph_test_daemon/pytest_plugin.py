"""Fixtures of a stack of The Graph: `graph_stack`, `chain`, `graph_node`, `subgraph`.

    def test_transfers(chain, subgraph):
        transfers = subgraph("./subgraph", values={"Token": "0x5fbd…"})
        chain.mine(3)
        assert transfers.query("{ transfers { id } }") == {"transfers": []}

One stack serves all tests of a process, and each test finds it as it was when it had come up: chain
and database go back together. With pytest-xdist each worker has its own. Every pytest run of an
environment loads this file: it imports pytest and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from graph_test_daemon.testing import ChainHandle, DeploySubgraph, GraphNodeHandle
    from harness.testing import Stack

__all__: list[str] = []

_INI = "graph_stack"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the line of the ini file."""
    parser.addini(
        _INI, "stack file of the fixture graph_stack, from the root folder (default: protocol)"
    )


@pytest.fixture(scope="session")
def graph_stack(request: pytest.FixtureRequest, harness_run: object) -> Stack:
    """The stack: the protocol's own, or of the ini file's line `graph_stack`."""
    from graph_test_daemon import stacks
    from harness.testing import stack_of

    file = request.config.getini(_INI) or stacks.protocol
    return stack_of(request, file, isolation="snapshot")


@pytest.fixture
def chain(graph_stack: Stack) -> ChainHandle:
    """The stack's chain."""
    from graph_test_daemon.testing import ChainHandle

    return ChainHandle(graph_stack)


@pytest.fixture
def graph_node(graph_stack: Stack) -> GraphNodeHandle:
    """The stack's graph-node."""
    from graph_test_daemon.testing import GraphNodeHandle

    return GraphNodeHandle(graph_stack)


@pytest.fixture
def subgraph(request: pytest.FixtureRequest, graph_stack: Stack) -> DeploySubgraph:
    """Deploy a subgraph: `subgraph("./subgraph")`, from the test's folder, gives it when synced."""
    from graph_test_daemon.testing import DeploySubgraph

    return DeploySubgraph(graph_stack, request.path.parent)
