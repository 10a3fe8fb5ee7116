"""Subgraphs built by the real tools, and the files of them that graph-node will find."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

import anyio
import pytest

from graph_test_daemon.graph_node import GraphNode, NodeUrls
from graph_test_daemon.ipfs import Ipfs
from graph_test_daemon.subgraph import (
    BuildCache,
    BuildFailed,
    BuildProgressed,
    BuiltSubgraph,
    DeployStep,
    FileUploaded,
    SubgraphPlace,
    SubgraphUploaded,
    Value,
    build_subgraph,
    grafted,
    upload_subgraph,
)
from harness.commands import Command, run
from tests.requirements import graph_tool
from tests.subgraphs.building import NAMES, SUBGRAPHS, build, build_and_upload

from .conftest import running_ipfs

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
DEPLOYMENT = "QmcYzr1v1xpXch8aU6qFb7EjxEKvNhjTVJmKDUXSPFg3TD"
VALUES: dict[str, Value] = {
    "Playground": ADDRESS,
    "base": DEPLOYMENT,
    "block": 3,
    "recipient": "0x00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8",
}


_COMPLETED = re.compile(r"Build completed: (Qm\w{44})")


@pytest.fixture(scope="module")
def ipfs_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_ipfs(tmp_path_factory.mktemp("ipfs")) as (url, _):
        yield url


@pytest.fixture(autouse=True)
def tools() -> None:
    graph_tool("gnd")
    graph_tool("graph-ts")
    graph_tool("asc")


# ── all kinds ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.timeout(120)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("name", [name for name in NAMES if name != "following"])
async def test_a_subgraph_of_every_kind_is_built(name: str) -> None:
    built = await build(name, VALUES)
    assert built.warnings == ()
    assert all((built.directory / file).stat().st_size for file in built.files)
    assert built.manifest["dataSources"][0]["source"]["address"] == ADDRESS


@pytest.mark.timeout(120)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_one_that_follows_another_is_built_from_what_was_uploaded(ipfs_url: str) -> None:
    async with aclosing(Ipfs(ipfs_url)) as ipfs:
        followed = await build_and_upload("followed", ipfs, VALUES)
    built = await build("following", {"source": followed.deployment}, ipfs_url=ipfs_url)
    assert built.manifest["dataSources"][0]["source"]["address"] == followed.deployment
    assert (built.directory / "Followed/Followed.wasm").stat().st_size


@pytest.mark.timeout(120)
async def test_as_many_files_are_counted_as_are_told_of(ipfs_url: str) -> None:
    told: list[DeployStep] = []

    async def tell(event: DeployStep) -> None:
        await anyio.lowlevel.checkpoint()
        told.append(event)

    nowhere = NodeUrls(query=ipfs_url, admin=ipfs_url, status=ipfs_url)  # it is not asked
    async with aclosing(Ipfs(ipfs_url)) as ipfs:
        place = SubgraphPlace(node=GraphNode(nowhere), ipfs=ipfs, network="hardhat")
        uploaded = await place.upload(await build("events", VALUES), tell=tell)
    files = [event.file for event in told if isinstance(event, FileUploaded)]
    (end,) = [event for event in told if isinstance(event, SubgraphUploaded)]
    assert sorted(files) == sorted([*uploaded.files, "subgraph.yaml"])
    assert end.files == len(files)


# ── once for the same ────────────────────────────────────────────────────────────────────────────


@pytest.mark.timeout(120)
async def test_the_same_is_built_once_and_told_of_while_it_is(tmp_path: Path) -> None:
    cache, told = BuildCache(tmp_path), []

    async def tell(event: BuildProgressed) -> None:
        told.append((event.step, event.message))

    both: list[BuiltSubgraph] = []

    async def one() -> None:
        both.append(await build("followed", VALUES, cache=cache, on_progress=tell))

    async with anyio.create_task_group() as group:
        group.start_soon(one)
        group.start_soon(one)
    assert sorted(built.was_kept for built in both) == [False, True]
    assert told[0] == ("codegen", "Load subgraph from subgraph.yaml")
    assert told.count(("build", "Compile data source: Playground")) == 1
    assert left_in(cache) == [""]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_variant_takes_what_was_compiled_and_gets_the_id_that_gnd_gives_it(
    tmp_path: Path, ipfs_url: str
) -> None:
    other = "0x00000000000000000000000000000000000000ab"
    await build("followed", VALUES)
    built = await build("followed", {**VALUES, "Playground": other})
    assert built.was_kept
    made = grafted(built, base=DEPLOYMENT, block=3)
    async with aclosing(Ipfs(ipfs_url)) as ipfs:
        uploaded = await upload_subgraph(made, ipfs)
        assert await ipfs.cat(uploaded.deployment) == uploaded.manifest.encode()
    assert uploaded.deployment == await uploaded_by_gnd(tmp_path, other, ipfs_url)


async def uploaded_by_gnd(directory: Path, address: str, ipfs_url: str) -> str:
    """Let gnd build and upload the same graft by itself; return the id that it tells."""
    home = copied("followed", directory)
    (home / "node_modules").symlink_to(graph_tool("graph-ts").parent.parent)
    manifest = home / "subgraph.yaml"
    text = manifest.read_text().replace("@network@", "hardhat").replace("@Playground@", address)
    manifest.write_text(f"{text}graft:\n  base: {DEPLOYMENT}\n  block: 3\nfeatures: [grafting]\n")
    for arguments in (["codegen"], ["build", "--ipfs", ipfs_url]):
        command = Command(argv=(str(graph_tool("gnd")), *arguments), working_dir=str(home))
        told = await run(command, check=True)
    found = _COMPLETED.search(told.stdout.decode())
    assert found is not None, told
    return found[1]


def copied(name: str, directory: Path) -> Path:
    """Copy one of the subgraphs, and the contracts beside it."""
    for each in (name, "contracts"):
        shutil.copytree(SUBGRAPHS / each, directory / "subgraphs" / each)
    return directory / "subgraphs" / name


# ── what cannot be built ─────────────────────────────────────────────────────────────────────────


@pytest.mark.timeout(120)
async def test_errors_of_the_compiler_have_file_line_and_column(tmp_path: Path) -> None:
    home = copied("followed", tmp_path)
    mapping = home / "src" / "mapping.ts"
    mapping.write_text(mapping.read_text().replace("trade.amount = ", "trade.amuont = "))
    before = sorted(home.rglob("*"))
    cache = BuildCache(tmp_path / "cache")
    with pytest.raises(BuildFailed, match=r"src/mapping.ts:6:9: Property 'amuont'") as caught:
        await build_subgraph(home, values={**VALUES, "network": "hardhat"}, cache=cache)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("src/mapping.ts", 6, 9)
    assert caught.value.step == "build"
    assert sorted(home.rglob("*")) == before
    assert left_in(cache) == []


@pytest.mark.timeout(60)
async def test_a_build_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    compiling = anyio.Event()

    async def tell(event: BuildProgressed) -> None:
        if event.step == "build":
            compiling.set()

    async with anyio.create_task_group() as group:
        group.start_soon(partial(build, "followed", VALUES, cache=cache, on_progress=tell))
        with anyio.fail_after(50):
            await compiling.wait()
        group.cancel_scope.cancel()
    assert left_in(cache) == []


def left_in(cache: BuildCache) -> list[str]:
    return sorted(path.suffix for path in cache.directory.iterdir())
