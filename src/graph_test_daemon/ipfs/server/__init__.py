"""A server like Kubo, for one machine: the same methods, the same names, content on disk, no peers.

It is a process of its own: `python -m graph_test_daemon.launch ipfs --repo DIR --port 5001`.
"""

from .running import serve

__all__ = ["serve"]
