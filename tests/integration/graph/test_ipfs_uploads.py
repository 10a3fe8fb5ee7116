"""Unmodified tools upload subgraphs to the embedded server."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.requirements import graph_tool

from .conftest import running_ipfs

SUBGRAPH = Path(__file__).parents[2] / "cases" / "ipfs" / "subgraph"
_COMPLETED = re.compile(r"Build completed: (Qm\w{44})")
_LINK = re.compile(r"/: /ipfs/(Qm\w{44})")


@pytest.mark.timeout(90)
def test_gnd_builds_and_uploads_a_subgraph(tmp_path: Path) -> None:
    gnd, asc = graph_tool("gnd"), graph_tool("asc")
    directory = tmp_path / "subgraph"
    shutil.copytree(SUBGRAPH, directory)
    modules = next(path for path in asc.parents if path.name == "node_modules")
    (directory / "node_modules").symlink_to(modules)

    def run(*arguments: str) -> str:
        return subprocess.run(
            [gnd, *arguments], cwd=directory, check=True, capture_output=True, text=True
        ).stdout

    with running_ipfs(tmp_path / "repo") as (url, _):
        run("codegen")
        told = run("build", "--ipfs", url)
    found = _COMPLETED.search(told)
    assert found is not None, told
    files = tmp_path / "repo" / "files"
    manifest = (files / found[1]).read_text()
    links = _LINK.findall(manifest)
    # All that graph-node's dev mode opens is there, under the names that the manifest has.
    assert len(links) == 3
    assert {found[1], *links} == {path.name for path in files.iterdir()}
    built = {path.read_bytes() for path in (directory / "build").rglob("*.*") if path.is_file()}
    assert {(files / link).read_bytes() for link in links} <= built
