"""What is remembered, by the actions of a service type, through a daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.client import Client
from harness.errors import InvalidParameters, RemoteFailure
from tests.answering import Answers, answering
from tests.unit.daemon.test_methods import _up, daemon

pytestmark = pytest.mark.usefixtures("swept", "plugin")

STACK = """
name: shop
services:
  network:
    type: external
    service_type: tracked-network
    ports: {{query: {{port: {port}, scheme: http}}}}
"""
QUERY = "{ tokens { id balance } }"


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the daemon load the tests' plugin."""
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.tracking_plugin")


@pytest.fixture
def answers() -> Iterator[Answers]:
    """Who answers queries."""
    with answering() as found:
        yield found


class Network:
    """The service's actions, as a client runs them."""

    def __init__(self, client: Client, told: list[Any]) -> None:
        self._client = client
        self.told = told

    async def __call__(self, action: str, **parameters: Any) -> Any:
        return await self._client.actions.run(
            project="shop",
            service="network",
            action=action,
            parameters=parameters,
            on_event=self.told.append,
        )


@asynccontextmanager
async def network(directory: Path, answers: Answers) -> AsyncIterator[Network]:
    stack = STACK.format(port=answers.url.rpartition(":")[2])
    async with daemon(directory, stack) as (client, source):
        await _up(client, source)
        yield Network(client, [])


@contextmanager
def refused(kind: str) -> Iterator[pytest.ExceptionInfo[RemoteFailure]]:
    """Expect an error of the domain, which a client without the domain knows by its kind."""
    with pytest.raises(RemoteFailure) as caught:
        yield caught
    assert caught.value.remote_kind == kind


async def test_deployments_and_their_grafts_are_listed(tmp_path: Path, answers: Answers) -> None:
    async with network(tmp_path, answers) as run:
        await run("tell-deployed", name="a", deployment="QmA")
        await run("tell-deployed", name="a", deployment="QmB", base="QmA")
        found = await run("list-deployments")
        assert [(d["deployment"], d["state"]) for d in found] == [
            ("QmA", "replaced"),
            ("QmB", "active"),
        ]
        assert found[1]["graft"] == {"base": "QmA", "block": 3}
        assert await run("list-deployments", state="active", name="a") == found[1:]
        assert await run("list-deployments", network="main") == []
        assert await run("graft-lineage", deployment="QmB") == ["QmA", "QmB"]
        assert await run("list-graft-chains") == []
        with pytest.raises(InvalidParameters, match="state: "):
            await run("list-deployments", state="gone")


async def test_allocations_and_transactions_are_listed(tmp_path: Path, answers: Answers) -> None:
    async with network(tmp_path, answers) as run:
        await run("tell-allocated", allocation="0xAA")
        assert [a["state"] for a in await run("list-allocations", indexer="0xA")] == ["active"]
        await run("tell-allocated", allocation="0xaa", close=True)
        (closed,) = await run("list-allocations", state="closed")
        assert (closed["tokens"], closed["rewards"]) == (10**22, 10**21)
        await run("tell-sent", count=10)
        assert len(await run("list-transactions")) == 10
        newest = await run("list-transactions", sender="0xA", to="0xB", limit=2)
        assert [t["hash"] for t in newest] == ["0x8", "0x9"]
        found = await run("list-transactions", what="T.m1", succeeded=True, state="included")
        assert [t["hash"] for t in found] == ["0x4"]
        assert await run("list-transactions", limit=0) == []
        assert await run("forget", kind="transaction", key="0x4") == 1
        with refused("record-not-found"):
            await run("forget", kind="transaction", key="0x4")
        assert await run("list-notes") == []


async def test_results_are_kept_and_compared(tmp_path: Path, answers: Answers) -> None:
    answers.data = {"tokens": [{"id": "0x1", "balance": "1"}, {"id": "0x2", "balance": "2"}]}
    async with network(tmp_path, answers) as run:
        kept = await run("query-snapshot", name="before", subgraph="my/s", query=QUERY)
        assert (kept["block"], kept["result"]) == ({"number": 1, "hash": "0x1"}, answers.data)
        text = "{ tokens(block: { number: 1 }) { id balance } }"
        assert answers.asked == [("/subgraphs/name/my/s", text)]
        assert await run("kept-query", name="before") == kept
        with refused("record-exists"):
            await run("query-snapshot", name="before", subgraph="my/s", query=QUERY)
        answers.block = 2
        answers.data = {"tokens": [{"id": "0x2", "balance": "2"}, {"id": "0x1", "balance": "5"}]}
        found = await run("compare-query", name="before")
        assert (found["equal"], found["count"]) == (False, 1)
        assert found["summary"] == 'tokens[id=0x1].balance: "1" became "5"'
        assert found["differences"][0]["change"] == "changed"
        equal = await run("compare-query", name="before", ignore=["*.balance"], require=True)
        assert equal["equal"]
        with refused("results-differ") as caught:
            await run("compare-query", name="before", require=True)
        assert str(caught.value).endswith('tokens[id=0x1].balance: "1" became "5"')
        assert "`ignore` leaves fields out" in str(caught.value.hint)
        await run("query-snapshot", name="after", subgraph="my/s", query=QUERY)
        assert (await run("compare-query", name="before", other="after"))["other"] == "after"
        listed = await run("list-query-snapshots", subgraph="my/s")
        assert [(k["name"], k["block"]["number"]) for k in listed] == [("before", 1), ("after", 2)]
        assert await run("list-query-snapshots", subgraph="other") == []
        assert {event["name"] for event in run.told} == {"query-kept", "query-compared"}
        assert run.told[0]["data"] == {"name": "before", "subgraph": "my/s", "block": 1}


async def test_what_to_compare_with_is_said_once(tmp_path: Path, answers: Answers) -> None:
    async with network(tmp_path, answers) as run:
        for both in ({"other": "b", "block": 1}, {"same_block": True, "block": 1}):
            with pytest.raises(InvalidParameters, match="with two things at once"):
                await run("compare-query", name="a", **both)


async def test_a_snapshot_of_the_stack_has_it(tmp_path: Path, answers: Answers) -> None:
    stack = STACK.format(port=answers.url.rpartition(":")[2])
    async with daemon(tmp_path, stack) as (client, source):
        await _up(client, source)
        run = Network(client, [])
        await run("tell-deployed", name="a", deployment="QmA")
        before = await run("list-deployments")
        for verb in ("create", "restore"):
            operation = await getattr(client.snapshots, verb)(project="shop", name="clean")
            await client.operations.wait(id=operation["id"], timeout_s=10)
            if verb == "create":
                await run("tell-deployed", name="a", deployment="QmB")
        assert await run("list-deployments") == before


@pytest.mark.parametrize("action", ["query-snapshot", "compare-query"])
async def test_actions_say_what_their_parameters_are(
    tmp_path: Path, answers: Answers, action: str
) -> None:
    async with daemon(tmp_path, STACK.format(port=1)) as (client, source):
        await _up(client, source)
        info = await client.actions.info(project="shop", service="network", action=action)
        described = info["parameters"]["properties"]
        assert [name for name, value in described.items() if "description" not in value] == []
