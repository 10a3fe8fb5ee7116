"""Becomes anvil, the chain."""

from __future__ import annotations

import os
from collections.abc import Sequence

from graph_test_daemon.tools.places import find_tool

__all__ = ["launch"]


def launch(arguments: Sequence[str]) -> None:
    """Become it; all arguments are its own."""
    program = str(find_tool("anvil"))
    os.execv(program, [program, *arguments])
