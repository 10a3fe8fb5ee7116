"""Actions and workflows of a client on another machine: over TLS, by a token, as on the socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.access import Authority, read_audit
from harness.client import Client, Remote, connect, make_source
from harness.clock import SystemClock
from harness.daemon import serving
from harness.errors import Forbidden, InvalidParameters
from harness.protocol import Endpoint

pytestmark = pytest.mark.usefixtures("swept")

STACK = """
name: shop
services: {toy: {type: fake, service_type: toy}}
workflows: {count: {steps: [{name: done, action: toy.count}]}}
"""


@asynccontextmanager
async def doors(directory: Path) -> AsyncIterator[tuple[Client, Any]]:
    """Give a client on the daemon's machine, and what makes a remote one of a role."""
    (directory / "harness.yaml").write_text(STACK)
    endpoint = Endpoint(directory / "state")
    with anyio.fail_after(30):
        async with serving(endpoint, plugins=["tests.toy_plugin"]) as client:
            source = make_source(directory=str(directory), env={})
            begun = await client.services.up(source=source)
            await client.operations.wait(id=begun["id"])
            listening = await client.daemon.listen(host="127.0.0.1")

            async def remote(role: str) -> Remote:
                made = await client.tokens.create(name=role, role=role)
                ca = directory / "ca.pem"
                ca.write_text(Authority(endpoint.certificates_dir, SystemClock()).ca_pem())
                return Remote(url=str(listening["url"]), token=made["token"], ca=ca)

            yield client, remote


async def test_an_action_runs_with_its_events_and_ends_when_it_is_left(tmp_path: Path) -> None:
    async with doors(tmp_path) as (_, remote), connect(await remote("operator")) as far:
        listed = {action["name"] for action in await far.actions.list(project="shop")}
        assert {"count", "wait", "add"} <= listed
        info = await far.actions.info(project="shop", service="toy", action="count")
        assert info["parameters"]["properties"].keys() == {"times", "step"}
        told: list[Any] = []
        result = await far.actions.run(
            project="shop",
            service="toy",
            action="count",
            parameters={"times": 3},
            on_event=told.append,
        )
        assert result == {"before": 0, "now": 3}
        assert told == [{"name": "counted", "data": {"value": n}} for n in (1, 2, 3)]
        with pytest.raises(InvalidParameters, match="times: "):
            await far.actions.run(
                project="shop", service="toy", action="count", parameters={"times": "x"}
            )
        async with far.actions.start(project="shop", service="toy", action="wait") as run:
            assert (await anext(run))["name"] == "progress"
        await far.actions.run(project="shop", service="toy", action="cancelled-once")


async def test_a_workflow_runs_and_is_remembered(tmp_path: Path) -> None:
    async with doors(tmp_path) as (near, remote), connect(await remote("operator")) as far:
        run = await far.workflows.run(workflow="count", project="shop")
        assert (await far.operations.wait(id=run["id"]))["state"] == "done"
        assert (await near.workflows.trace(run=run["id"]))["trace"][0]["outputs"] == {
            "before": 0, "now": 1,
        }  # fmt: skip


async def test_who_may_only_look_runs_nothing_and_is_written_down(tmp_path: Path) -> None:
    async with doors(tmp_path) as (_, remote), connect(await remote("viewer")) as far:
        assert await far.actions.list(project="shop")
        with pytest.raises(Forbidden):
            await far.actions.run(project="shop", service="toy", action="count")
        with pytest.raises(Forbidden):
            await far.workflows.run(workflow="count", project="shop")
        with pytest.raises(Forbidden):
            await far.snapshots.create(project="shop", name="s")
        with pytest.raises(Forbidden):
            await far.leases.set(project="shop", ttl_s=60, owner="me")
    refused = [
        (entry["who"], entry["what"])
        for entry in read_audit(Endpoint(tmp_path / "state").audit_path)
        if entry["result"] == "permission-denied"
    ]
    assert refused == [
        ("viewer", what)
        for what in ("actions.run", "workflows.run", "snapshots.create", "leases.set")
    ]


async def test_who_is_no_admin_has_no_files_of_the_daemons_machine_opened(tmp_path: Path) -> None:
    async with doors(tmp_path) as (near, remote):
        for role in ("viewer", "operator"):
            async with connect(await remote(role)) as far:
                named = await far.projects.resolve(directory="/", project="shop")
                assert named["name"] == "shop"
                for files in ([], [str(tmp_path / "harness.yaml")]):
                    with pytest.raises(Forbidden, match="that needs an admin") as caught:
                        await far.projects.resolve(directory=str(tmp_path), files=files)
                    assert caught.value.hint == "name the project (-p)"
        async with connect(await remote("admin")) as far:
            assert (await far.projects.resolve(directory=str(tmp_path)))["name"] == "shop"
        assert (await near.projects.resolve(directory=str(tmp_path)))["name"] == "shop"
