"""Typed actions over the wire, with a plugin of the tests."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.client import Client
from harness.errors import (
    ActionCancelled,
    ActionFailed,
    ActionNotFound,
    ActionTimeout,
    InvalidParameters,
    UnknownService,
)
from tests.toy_plugin import Toy

from .test_methods import _up, daemon

pytestmark = pytest.mark.usefixtures("swept", "plugin")

STACK = """
name: shop
services:
  toy:
    type: fake
    service_type: toy
    labels: {tier: back}
    env: {COLOUR: red}
    ports: {rpc: {port: 8545, scheme: http}}
  second: {type: fake, service_type: toy}
  plain: {type: fake}
tasks:
  seed: {type: process, command: "true"}
"""


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the daemon load the tests' plugin."""
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.toy_plugin")


async def _run(client: Client, action: str, /, service: str = "toy", **parameters: Any) -> Any:
    return await client.actions.run(
        project="shop", service=service, action=action, parameters=parameters
    )


async def test_actions_of_all_services_and_of_the_daemon_are_listed(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        assert [a["name"] for a in await client.actions.list()] == ["add"]
        await _up(client, source)
        found = await client.actions.list(project="shop")
        owners = [a["service"] for a in found if a["name"] in ("count", "add")]
        assert owners == ["toy", "second", None]
        assert {a["service_type"] for a in found} == {"toy", None}
        alone = await client.actions.list(project="shop", service="toy")
        assert {a["service"] for a in alone} == {"toy"}


async def test_a_service_sees_what_is_beside_it(tmp_path: Path) -> None:
    stack = STACK + "  tell: {type: process, command: [echo, '{\"n\": 3}'], outputs: [n]}\n"
    async with daemon(tmp_path, stack) as (client, source):
        await _up(client, source)
        assert await _run(client, "look-around", at="plain", task="tell") == {
            "peers": ["toy", "second"],
            "peer": "running",
            "outputs": {"n": 3},
            "data": True,
            "directory": str(tmp_path),
        }
        with pytest.raises(UnknownService, match='"plane"'):
            await _run(client, "look-around", at="plane", task="tell")
        with pytest.raises(UnknownService):
            await _run(client, "look-around", at="seed", task="tell")


async def test_a_service_hears_what_it_prints(tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    script = "echo first; until [ ! -e go ]; do sleep 0.02; done; echo second; exec sleep 60"
    stack = f"""
name: shop
services:
  toy: {{type: process, service_type: toy, command: [sh, -c, "{script}"]}}
"""
    async with daemon(tmp_path, stack) as (client, source):
        await _up(client, source)
        with anyio.fail_after(10):
            async with client.actions.start(
                project="shop", service="toy", action="listen"
            ) as running:
                async for event in running:
                    if event["name"] == "progress":
                        (tmp_path / "go").unlink(missing_ok=True)
                assert await running.result() == ["stdout", "first", "second"]


async def test_an_action_is_described_by_its_schemas(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        info = await client.actions.info(project="shop", service="toy", action="count")
        assert info["summary"] == "Count on."
        assert info["parameters"]["properties"].keys() == {"times", "step"}
        assert info["events"]["counted"]["properties"]["value"]["type"] == "integer"
        assert info["timeout_s"] is None


async def test_an_action_is_run_with_its_events(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        told: list[Any] = []
        result = await client.actions.run(
            project="shop",
            service="toy",
            action="count",
            parameters={"times": 3},
            on_event=told.append,
        )
        assert result == {"before": 0, "now": 3}
        assert told == [{"name": "counted", "data": {"value": n}} for n in (1, 2, 3)]
        # Each service has its own, and keeps it.
        assert await _run(client, "count") == {"before": 3, "now": 4}
        assert await _run(client, "count", service="second") == {"before": 0, "now": 1}


async def test_events_can_be_iterated_while_it_runs(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        async with client.actions.start(project="shop", service="toy", action="wait") as run:
            assert (await anext(run))["name"] == "progress"
        with anyio.fail_after(5):
            await _run(client, "cancelled-once")


async def test_its_events_are_facts_of_the_project(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        await _run(client, "count")
        (event,) = [e for e in await client.events.list() if e["kind"] == "action-event"]
        assert (event["project"], event["unit"]) == ("shop", "toy")
        assert event["data"] == {"action": "count", "name": "counted", "data": {"value": 1}}


async def test_an_action_of_the_daemon_needs_no_project(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, _):
        assert await client.actions.run(action="add", parameters={"a": 1}) == 3
        with pytest.raises(ActionNotFound, match="the daemon has none of that name") as caught:
            await client.actions.run(action="ad")
        assert caught.value.hint == 'did you mean "add"?'


async def test_a_type_knows_its_service(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        assert await _run(client, "where") == "http://127.0.0.1:8545"
        assert await _run(client, "about") == {
            "name": "toy",
            "project": "shop",
            "state": "running",
            "ready": True,
            "labels": {"tier": "back"},
            "colour": "red",
            "path": "/usr/bin:/bin",
        }


async def test_what_goes_wrong_arrives_as_its_kind(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        with pytest.raises(InvalidParameters, match="times: "):
            await _run(client, "count", times="x")
        with pytest.raises(ActionFailed, match="the node did not answer"):
            await _run(client, "late")
        with pytest.raises(ActionTimeout):
            await _run(client, "dawdle")
        with pytest.raises(ActionNotFound, match='"toy" has none of that name'):
            await _run(client, "cuont")
        with pytest.raises(ActionNotFound, match='"plain": it has no service_type'):
            await _run(client, "count", service="plain")
        with pytest.raises(ActionNotFound, match='"seed": it has no service_type'):
            await _run(client, "count", service="seed")
        with pytest.raises(UnknownService):
            await _run(client, "count", service="to")
        with pytest.raises(InvalidParameters, match="name its project"):
            await client.actions.run(service="toy", action="count")


async def test_a_service_without_ports_has_no_address(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        with pytest.raises(Exception, match='cannot reach "second": it has no ports'):
            await _run(client, "where", service="second")


async def test_a_run_can_be_cancelled_by_its_name(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        call = client.connection.call
        place = {"project": "shop", "service": "toy", "action": "wait", "run": "mine"}
        failures: list[Exception] = []

        async def wait() -> None:
            try:
                await call("actions.run", place)
            except ActionCancelled as error:
                failures.append(error)

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(InvalidParameters, match='has a run "mine" already'):
                await call("actions.run", {**place, "action": "count"})
            await call("actions.cancel", {"run": "mine"})
        assert [str(failure) for failure in failures] == [
            "cannot finish toy.wait: it was cancelled"
        ]
        await call("actions.cancel", {"run": "mine"})


async def test_giving_a_call_up_cancels_the_work(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        with anyio.move_on_after(0.1):
            await _run(client, "wait")
        with anyio.fail_after(5):
            await _run(client, "cancelled-once")


async def test_an_error_in_the_callers_own_context_passes_as_it_is(tmp_path: Path) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        with suppress(KeyError):
            async with client.actions.start(project="shop", service="toy", action="wait"):
                raise KeyError("mine")


async def test_plugins_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.toy_plugin,no.such.module")
    async with daemon(tmp_path, STACK) as (client, _):
        good, bad = (p for p in await client.plugins.list() if p["source"] == "HARNESS_PLUGINS")
        assert good["brings"] == {
            "service_types": ["toy", "furnished"],
            "task_types": ["carve", "note", "ponder"],
            "daemon_actions": ["add"],
            "workflow_steps": ["note"],
            "workflows": ["noted"],
        }
        assert "No module named 'no'" in (bad["error"] or "")


async def test_the_end_of_the_daemon_lets_go_of_what_did_actions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []

    async def aclose(self: Toy) -> None:
        closed.append(self.service.name)

    monkeypatch.setattr(Toy, "aclose", aclose)
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        await _run(client, "count")
        assert closed == []
    assert closed == ["toy"]
