"""What the Graph's daemon is made of: one object, which is the plugin, too.

What it brings is named, not imported: the command imports this module whatever it is asked for.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import NoReturn

from harness.domain import BaseDaemon

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
        "graph_test_daemon.chain.service:Anvil",
        "graph_test_daemon.network.service:GraphNetwork",
        "graph_test_daemon.graph_node.service:GraphNodeService",
        "graph_test_daemon.ipfs.service:IpfsService",
        "graph_test_daemon.postgres.service:Postgres",
        "graph_test_daemon.tap.service:TapAggregatorService",
    ],
    task_types=[
        "graph_test_daemon.configuration:GraphConfiguration",
        "graph_test_daemon.contracts.task:GraphContracts",
        "graph_test_daemon.contracts.project:GraphProject",
        "graph_test_daemon.subgraph.task:GraphSubgraph",
        "graph_test_daemon.tap.task:TapEscrow",
    ],
    commands={"tools": "graph_test_daemon.cli.tools:tools"},
)


def main() -> NoReturn:
    """Be the command `graph-test-daemon`."""
    daemon.main()
