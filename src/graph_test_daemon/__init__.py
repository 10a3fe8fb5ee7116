"""The Graph's whole stack for integration tests, on top of the harness, through its plugin door.

A chain, IPFS, PostgreSQL, graph-node, the protocol's contracts, subgraphs, epochs and allocations:
service types, task types and workflows, and the command `graph-test-daemon`. What launches the
services' programs must be quick, so nothing is imported here before it is asked for.
"""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

if TYPE_CHECKING:
    from .plugin import daemon, main

__all__ = ["daemon", "main"]

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, {"daemon": "plugin", "main": "plugin"})
