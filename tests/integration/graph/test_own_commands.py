"""The protocol's own commands, unmodified: what users' scripts run works against a stack."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from harness.commands import Command, run
from tests.requirements import graph_tool, node_modules
from tests.subgraphs.building import SUBGRAPHS

from .lab import Lab

pytestmark = [
    pytest.mark.usefixtures("graph_tools"),
    pytest.mark.timeout(180),
    pytest.mark.parametrize("anyio_backend", ["asyncio"]),
]


def sources(directory: Path, lab: Lab, *, node: Path) -> Path:
    """Return a user's directory of a subgraph, its addresses written in; `node`: node_modules."""
    for each in ("events", "contracts"):
        shutil.copytree(SUBGRAPHS / each, directory / each)
    home = directory / "events"
    (home / "node_modules").symlink_to(node)
    manifest = home / "subgraph.yaml"
    text = manifest.read_text().replace("@network@", "hardhat")
    manifest.write_text(text.replace("@Playground@", lab.playground.address))
    return home


async def deployed_by(command: Path, home: Path, name: str, lab: Lab) -> None:
    """Have a command make the name, and build, upload and deploy the subgraph."""
    lab.names.append(name)  # it is removed after the test
    admin, ipfs = lab.node.urls.admin, lab.ipfs.url
    env = {**os.environ, "NO_COLOR": "1", "HOME": str(home.parent)}
    for arguments in (
        ["codegen"],
        ["create", "--node", admin, name],
        ["deploy", "--node", admin, "--ipfs", ipfs, "--version-label", "v0.0.1", name],
    ):
        argv = (str(command), *arguments)
        done = await run(Command(argv=argv, env=env, working_dir=str(home), timeout_s=150))
        assert done.status.is_success, f"{argv}\n{done.stdout.decode()}\n{done.stderr.decode()}"


async def assert_indexed(name: str, lab: Lab) -> None:
    """See that a subgraph of that name follows the contract."""
    await lab.send("store", 1, "by a command")
    answer = await lab.query(name, "{notes{text}}")
    assert answer == {"notes": [{"text": "by a command"}]}


async def test_gnd_creates_and_deploys(lab: Lab, tmp_path: Path) -> None:
    gnd = graph_tool("gnd")
    home = sources(tmp_path, lab, node=graph_tool("graph-ts").parent.parent)
    await deployed_by(gnd, home, "commands/gnd", lab)
    await assert_indexed("commands/gnd", lab)


async def test_graph_cli_creates_and_deploys(lab: Lab, tmp_path: Path) -> None:
    graph = node_modules("@graphprotocol/graph-cli") / ".bin" / "graph"
    home = sources(tmp_path, lab, node=graph_tool("graph-ts").parent.parent)
    await deployed_by(graph, home, "commands/graph", lab)
    await assert_indexed("commands/graph", lab)
