"""Where each program is: in the directory that they are installed into, else on PATH.

The directory is named by the hash of the lock file, so that each version of this package finds the
versions that it was tested with, and several may be installed side by side.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, overload

__all__ = ["NPM", "TOOLS", "VARIABLE", "Tool", "ToolMissing", "cache_dir", "find_tool", "tools_dir"]

NPM = Path(__file__).parent / "npm"
"""The manifest of the packages, and the lock file."""

VARIABLE = "GRAPH_TEST_TOOLS"

_HASH_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One program, or one directory of files.

    Attributes:
        name: of the program, as it is looked for on PATH.
        what: it is, in a few words.
        inside: where it is below `node_modules`; `*` stands for the platform.
        on_path: it may be one that the user has.
    """

    name: str
    what: str
    inside: str
    on_path: bool = True


TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        tool.name: tool
        for tool in (
            Tool(name="anvil", what="the chain", inside="@foundry-rs/anvil-*/bin/anvil"),
            Tool(name="gnd", what="graph-node", inside="@graphprotocol/gnd-*/bin/gnd"),
            Tool(
                name="postgres",
                what="PostgreSQL",
                inside="@embedded-postgres/*/native/bin/postgres",
            ),
            Tool(name="asc", what="the compiler", inside="assemblyscript/bin/asc"),
            Tool(
                name="graph-ts",
                what="the library of mappings",
                inside="@graphprotocol/graph-ts",
                on_path=False,
            ),
            Tool(
                name="contracts",
                what="the protocol's contracts",
                inside="@graphprotocol/contracts/artifacts",
                on_path=False,
            ),
        )
    }
)
"""By name."""


class ToolMissing(LookupError):
    """A program of the stack is not there; the message says how to get it."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"cannot find {name} ({TOOLS[name].what}): it is neither installed nor on PATH; "
            "`graph-test-daemon tools install` gets it"
        )


def cache_dir() -> Path:
    """Return the user's directory for what can be had or made again."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "graph-network-harness"


def tools_dir(env: Mapping[str, str] = os.environ) -> Path:
    """Return the directory that holds `node_modules`: `GRAPH_TEST_TOOLS`, else in the cache.

    Args:
        env: whose variable counts; in a daemon, those of who asked it for something.
    """
    if chosen := env.get(VARIABLE):
        return Path(chosen).absolute()
    lock = hashlib.sha256((NPM / "package-lock.json").read_bytes()).hexdigest()[:_HASH_LENGTH]
    return cache_dir() / f"tools-{lock}"


@overload
def find_tool(
    name: str, *, missing_ok: Literal[False] = False, env: Mapping[str, str] = os.environ
) -> Path: ...


@overload
def find_tool(
    name: str, *, missing_ok: bool, env: Mapping[str, str] = os.environ
) -> Path | None: ...


def find_tool(
    name: str, *, missing_ok: bool = False, env: Mapping[str, str] = os.environ
) -> Path | None:
    """Return where a program is.

    Args:
        name: of the program.
        missing_ok: return None rather than raise.
        env: whose variable names the directory.

    Raises:
        ToolMissing: nowhere, unless that is `missing_ok`.
    """
    tool = TOOLS[name]
    for found in sorted((tools_dir(env) / "node_modules").glob(tool.inside)):
        return found
    if tool.on_path and (found_on_path := shutil.which(name)) is not None:
        return Path(found_on_path)
    if missing_ok:
        return None
    raise ToolMissing(name)
