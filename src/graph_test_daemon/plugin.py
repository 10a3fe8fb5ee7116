"""What the Graph's daemon is made of: one object, which is the plugin, too."""

from __future__ import annotations

from importlib.util import find_spec
from typing import NoReturn

from harness.domain import BaseDaemon

from .chain.service import Anvil
from .configuration import GraphConfiguration
from .contracts.project import GraphProject
from .contracts.task import GraphContracts
from .graph_node.service import GraphNodeService
from .ipfs.service import IpfsService
from .network.service import GraphNetwork
from .postgres.service import Postgres
from .subgraph.task import GraphSubgraph
from .tap.service import TapAggregatorService
from .tap.task import TapEscrow

__all__ = ["daemon", "main"]

_LIBRARIES = (
    "base58",
    "eth_abi",
    "eth_account",
    "eth_utils",
    "graphql",
    "httpx2",
    "psycopg",
    "starlette",
    "uvicorn",
)

if missing := [name for name in _LIBRARIES if find_spec(name) is None]:
    raise ImportError(
        f"the Graph's daemon needs {', '.join(missing)}: pip install 'graph-network-harness[graph]'"
    )

daemon = BaseDaemon(
    "graph-test-daemon",
    at="graph_test_daemon:daemon",
    stack="stacks/protocol.yaml",
    service_types=[
        Anvil,
        GraphNetwork,
        GraphNodeService,
        IpfsService,
        Postgres,
        TapAggregatorService,
    ],
    task_types=[GraphConfiguration, GraphContracts, GraphProject, GraphSubgraph, TapEscrow],
    commands={"tools": "graph_test_daemon.cli.tools:tools"},
)


def main() -> NoReturn:
    """Be the command `graph-test-daemon`."""
    daemon.main()
