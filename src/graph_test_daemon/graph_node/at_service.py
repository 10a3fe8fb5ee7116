"""The graph-node that a service of a stack is."""

from __future__ import annotations

from graph_test_daemon.postgres import Database, databases_of
from harness.actions import Service

from .node import GraphNode, NodeUrls
from .store import Store

__all__ = ["node_at", "urls_of"]


def node_at(service: Service) -> GraphNode:
    """Return it; its store is among the databases of the stack.

    Raises:
        ActionError: it has not the ports of one.
    """

    async def databases() -> list[Database]:
        servers = service.peers("postgres")
        return [database for server in servers for database in await databases_of(server)]

    return GraphNode(urls_of(service), store=Store(databases))


def urls_of(service: Service) -> NodeUrls:
    """Return where it listens: its ports have the names of its endpoints.

    Raises:
        ActionError: it has no such port.
    """
    url = service.url
    return NodeUrls(query=url("query"), admin=url("admin"), status=url("status"))
