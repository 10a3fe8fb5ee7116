"""What the Graph's daemon is made of: one object, which is the plugin, too."""

from __future__ import annotations

from typing import NoReturn

from harness.domain import BaseDaemon

from .graph_node.service import GraphNodeService

__all__ = ["daemon", "main"]

daemon = BaseDaemon(
    "graph-test-daemon",
    at="graph_test_daemon:daemon",
    service_types=[GraphNodeService],
    commands={"tools": "graph_test_daemon.cli.tools:tools"},
)


def main() -> NoReturn:
    """Be the command `graph-test-daemon`."""
    daemon.main()
