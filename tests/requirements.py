"""Skips that say why, and that CI can turn into failures."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from graph_test_daemon.tools import find_tool, tools_dir

__all__ = ["debians_postgres", "faketime_library", "graph_tool", "node_modules", "require"]

_ROOT = Path(__file__).parents[1]


def require(name: str, present: bool, reason: str) -> None:
    """Skip the test when something it needs is missing.

    With `name` in the comma-separated HARNESS_REQUIRE it fails instead: there it must be present.
    """
    if present:
        return
    if name in os.environ.get("HARNESS_REQUIRE", "").split(","):
        pytest.fail(f"{name} is required here: {reason}")
    pytest.skip(f"needs {name}: {reason}")


def faketime_library() -> Path:
    """Return the library that shows a program another time; `faketime` is its requirement."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    require("faketime", bool(found), "libfaketime, of Debian's package faketime")
    return found[0]


def debians_postgres() -> Path:
    """Return the directory of Debian's newest server; `postgres-debian` is its requirement."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    require("postgres-debian", bool(found), "the server of Debian's package postgresql")
    return found[-1].parent


def graph_tool(name: str) -> Path:
    """Return a program of the Graph's stack as it is installed; `graph` is its requirement."""
    found = find_tool(name, missing_ok=True)
    installed = found is not None and tools_dir() in found.parents
    require("graph", installed, f"{name}, which make tools installs")
    assert found is not None
    return found


def node_modules(package: str) -> Path:
    """Return where npm has put what tests compare with; `npm-tests` is its requirement.

    Args:
        package: that must be there.
    """
    place = _ROOT / ".tools" / "tests" / "node_modules"
    node = shutil.which("node")
    require("npm-tests", node is not None, "Node.js, which brings npm")
    require("npm-tests", (place / package).is_dir(), f"{package}, which make test-tools installs")
    return place
