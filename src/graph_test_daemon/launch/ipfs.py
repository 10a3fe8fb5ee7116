"""Is the IPFS server: the one program here that is not another's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["launch"]

_KUBO_PORT = 5001


def launch(arguments: Sequence[str]) -> None:
    """Serve until a signal says to end."""
    parser = argparse.ArgumentParser(prog="ipfs", description="Serve IPFS as Kubo does.")
    parser.add_argument("--repo", type=Path, required=True, help="directory of the content")
    parser.add_argument("--port", type=int, default=_KUBO_PORT, help="0: a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--max-size", type=int, help="bytes that a request to add may have")
    given = parser.parse_args(arguments)

    from graph_test_daemon.errors import GraphError
    from graph_test_daemon.ipfs.server import serve

    try:
        serve(repo=given.repo, host=given.host, port=given.port, max_size=given.max_size)
    except GraphError as error:
        sys.exit(str(error))
