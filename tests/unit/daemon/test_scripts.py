"""Scripts without an event loop, which run workflows and hold leases, and a daemon beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from harness.client import BlockingClient, Client, make_source
from harness.daemon import serving
from harness.errors import InvalidParameters, LeaseExpired, WorkflowNotFound
from harness.protocol import Endpoint
from harness.workflows import Exec, ForEach, Param, Start, Stop, Workflow

pytestmark = pytest.mark.usefixtures("swept")

STACK = """
name: shop
services:
  db: {type: fake}
  real: {type: process, command: sleep 1000}
workflows:
  deploy:
    parameters: {n: {type: integer, default: 1}}
    steps: [{name: up, start: db}, {name: seen, set: {n: "${params.n + 1}"}}]
"""

Script = Callable[[BlockingClient, Any], Any]


@asynccontextmanager
async def daemon(directory: Path) -> AsyncIterator[tuple[Client, Callable[[Script], Any]]]:
    """Give the async client, and what runs a script in a thread."""
    (directory / "harness.yaml").write_text(STACK)
    endpoint = Endpoint(directory / "state")
    source = make_source(directory=str(directory), env={"PATH": "/usr/bin:/bin"})

    async def run(script: Script) -> Any:
        def work() -> Any:
            with BlockingClient(endpoint, start=False) as client:
                return script(client, source)

        return await to_thread.run_sync(work)

    with anyio.fail_after(30):
        async with serving(endpoint) as client:
            yield client, run


def _up(client: BlockingClient, source: Any) -> None:
    begun = client.services.up(source=source, units=["db"])
    assert client.operations.wait(id=begun["id"])["state"] == "done"


async def test_a_script_runs_a_workflow_and_sees_what_it_did(tmp_path: Path) -> None:
    def script(client: BlockingClient, source: Any) -> Any:
        assert [found["name"] for found in client.workflows.list(source=source)] == ["deploy"]
        assert (
            "n"
            in client.workflows.info(workflow="deploy", source=source)["parameters"]["properties"]
        )
        planned = client.workflows.plan(workflow="deploy", source=source)
        assert [step["path"] for step in planned["steps"]] == ["up", "seen"]
        run = client.workflows.run(workflow="deploy", source=source, parameters={"n": 4})
        assert client.operations.wait(id=run["id"])["state"] == "done"
        assert [found["id"] for found in client.workflows.runs(project="shop")] == [run["id"]]
        with pytest.raises(WorkflowNotFound, match='"deplyo"'):
            client.workflows.run(workflow="deplyo", source=source)
        with pytest.raises(InvalidParameters, match="n: "):
            client.workflows.run(workflow="deploy", source=source, parameters={"n": "x"})
        return client.workflows.trace(run=run["id"])["trace"][-1]["outputs"]

    async with daemon(tmp_path) as (_, run):
        assert await run(script) == {"n": 5}


async def test_a_script_runs_a_workflow_of_its_own(tmp_path: Path) -> None:
    greet = Workflow(
        "greet",
        steps=[
            Start("real", compensate=[Stop("real")]),
            ForEach("${params.names}", [Exec("real", ["echo", "${item}"], name="say")], name="all"),
        ],
        parameters={"names": Param("list", default=["a", "b"])},
    )

    def script(client: BlockingClient, source: Any) -> Any:
        run = client.workflows.run(workflow="greet", document=greet.document(), source=source)
        assert client.operations.wait(id=run["id"])["state"] == "done"
        (each,) = [s for s in client.workflows.trace(run=run["id"])["trace"] if s["name"] == "all"]
        return [found["say"]["outputs"]["stdout"] for found in each["outputs"]["results"]]

    async with daemon(tmp_path) as (_, run):
        assert await run(script) == ["a\n", "b\n"]


async def test_a_script_holds_a_lease_and_takes_its_stack_with_it(tmp_path: Path) -> None:
    def script(client: BlockingClient, source: Any) -> Any:
        _up(client, source)
        with client.leases.hold("shop", ttl_s=60) as held:
            (lease,) = client.leases.list()
            assert (lease["id"], held.project, held.lost) == (held.id, "shop", None)
        return client.projects.list()

    async with daemon(tmp_path) as (_, run):
        assert await run(script) == []


async def test_a_script_may_leave_its_stack_to_others(tmp_path: Path) -> None:
    def script(client: BlockingClient, source: Any) -> Any:
        _up(client, source)
        with pytest.raises(KeyError), client.leases.hold("shop", ttl_s=60, keep=True):
            raise KeyError("mine")
        assert client.leases.list() == []
        return [project["name"] for project in client.projects.list()]

    async with daemon(tmp_path) as (_, run):
        assert await run(script) == ["shop"]


async def test_a_script_that_lost_its_lease_is_told_when_the_block_ends(tmp_path: Path) -> None:
    def lose(client: BlockingClient) -> None:
        with client.leases.hold("shop", ttl_s=0.3) as held:
            client.leases.set(project="shop", ttl_s=60, owner="ci")
            client.run(lambda _: _lost(held))

    def script(client: BlockingClient, source: Any) -> Any:
        _up(client, source)
        with pytest.raises(LeaseExpired, match="ci took it over"):
            lose(client)
        return [lease["owner"] for lease in client.leases.list()]

    async with daemon(tmp_path) as (_, run):
        assert await run(script) == ["ci"]


async def _lost(held: Any) -> None:
    while held.lost is None:
        await anyio.lowlevel.checkpoint()  # it is renewed by nobody but its own task
