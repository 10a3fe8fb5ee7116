from __future__ import annotations

from pathlib import Path

import pytest

from graph_test_daemon.errors import ToolsNotInstalled
from graph_test_daemon.subgraph.toolchain import find_toolchain


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tools that are installed in a directory, and a node on PATH."""
    tools = tmp_path / "tools"
    put(tools / "node_modules/@graphprotocol/gnd-linux-x64/bin/gnd")
    put(tools / "node_modules/@graphprotocol/graph-ts/package.json")
    put(tools / "node_modules/assemblyscript/bin/asc")
    put(tmp_path / "bin/node")
    monkeypatch.setenv("GRAPH_TEST_TOOLS", str(tools))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tools


def test_a_project_without_libraries_is_built_with_those_of_the_tools(
    tools: Path, tmp_path: Path
) -> None:
    assert find_toolchain(tmp_path / "project").node_modules == tools / "node_modules"


def test_a_project_is_built_with_its_own_libraries_also_from_above(
    tools: Path, tmp_path: Path
) -> None:
    put(tmp_path / "project/node_modules/@graphprotocol/graph-ts/package.json")
    found = find_toolchain(tmp_path / "project/packages/notes")
    assert found.node_modules == tmp_path / "project/node_modules"
    before = found.fingerprint()
    (tmp_path / "project/node_modules/@graphprotocol/graph-ts/package.json").write_text("2")
    assert found.fingerprint() != before


def test_a_missing_node_is_named_with_how_to_get_it(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolsNotInstalled, match="there is no node") as caught:
        find_toolchain(tmp_path)
    assert caught.value.hint == "install Node.js 18 or later"


def test_a_missing_program_is_named_with_how_to_get_it(tools: Path, tmp_path: Path) -> None:
    (tools / "node_modules/@graphprotocol/gnd-linux-x64/bin/gnd").unlink()
    with pytest.raises(ToolsNotInstalled, match="cannot find gnd") as caught:
        find_toolchain(tmp_path)
    assert caught.value.hint == "run `graph-test-daemon tools install`"
