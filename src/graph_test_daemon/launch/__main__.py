"""Becomes the program that the first argument names."""

from __future__ import annotations

import sys
from importlib import import_module

from graph_test_daemon.tools.places import ToolMissing

_PROGRAMS = {
    "anvil": "anvil",
    "graph-node": "graph_node",
    "ipfs": "ipfs",
    "postgres": "postgres",
    "tap-aggregator": "tap_aggregator",
}
"""Name → module of this package, each with a function `launch(arguments)`."""


def main() -> None:
    """Launch it; what is missing or wrong ends this with one line, and a hint."""
    name, *arguments = sys.argv[1:] or [""]
    if name not in _PROGRAMS:
        sys.exit(f"cannot launch {name!r}: one of {', '.join(sorted(_PROGRAMS))}")
    try:
        import_module(f"{__package__}.{_PROGRAMS[name]}").launch(arguments)
    except ToolMissing as error:
        sys.exit(str(error))


main()
