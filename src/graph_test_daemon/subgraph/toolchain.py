"""The programs and libraries that build a subgraph, and how a copy of its sources finds them.

A project that has its own `node_modules` is built with the compiler and the library in there, as it
is elsewhere; one that has none with those of the tools.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from graph_test_daemon.errors import ToolsNotInstalled
from graph_test_daemon.tools import find_tool, tools_dir
from graph_test_daemon.tools.places import ToolMissing

__all__ = ["Toolchain", "find_toolchain"]

_LIBRARY = Path("@graphprotocol", "graph-ts", "package.json")
_COMPILER = Path("assemblyscript", "package.json")
_LOCKS = ("package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """What builds a subgraph.

    Attributes:
        gnd: the program that generates code and drives the compiler.
        node_modules: the directory with the compiler and the library.
    """

    gnd: Path
    node_modules: Path

    def fingerprint(self) -> str:
        """Return a text that changes when another version of any of it is there."""
        program = self.gnd.resolve()
        about = program.stat()
        parts = [f"{program}:{about.st_size}:{about.st_mtime_ns}"]
        libraries = (self.node_modules / each for each in (_LIBRARY, _COMPILER))
        locks = (self.node_modules.parent / name for name in _LOCKS)
        parts += [path.read_text("utf-8") for path in (*libraries, *locks) if path.is_file()]
        return "\0".join(parts)


def find_toolchain(directory: Path, *, env: Mapping[str, str] = os.environ) -> Toolchain:
    """Return what builds the subgraph of a directory.

    Args:
        directory: of its sources.
        env: whose variable names the directory of the tools.

    Raises:
        ToolsNotInstalled: something is missing, with how to get it.
    """
    if shutil.which("node") is None:
        raise ToolsNotInstalled(
            "cannot build a subgraph: there is no node, which the compiler runs on",
            hint="install Node.js 18 or later",
        )
    try:
        gnd = find_tool("gnd", env=env)
        own = _own_modules(directory.resolve())
        if own is None:
            find_tool("graph-ts", env=env)
            find_tool("asc", env=env)
    except ToolMissing as error:
        raise ToolsNotInstalled(
            f"cannot build a subgraph: {error}", hint="run `graph-test-daemon tools install`"
        ) from error
    return Toolchain(gnd=gnd, node_modules=own or tools_dir(env) / "node_modules")


def _own_modules(directory: Path) -> Path | None:
    """Return the nearest `node_modules` that has the library, from the directory upwards."""
    for place in (directory, *directory.parents):
        if (place / "node_modules" / _LIBRARY).is_file():
            return place / "node_modules"
    return None
