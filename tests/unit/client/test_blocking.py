"""The client for scripts, in a thread beside the server of the test."""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio import to_thread

from harness.client import BlockingClient, Client
from harness.errors import DaemonUnavailable, MethodNotFound
from harness.protocol import Endpoint
from tests.unit.daemon.serving import SmallServer, serving


@asynccontextmanager
async def served() -> AsyncIterator[tuple[SmallServer, Endpoint]]:
    async with serving(over="socket") as server:
        yield server, Endpoint(server.path.parent)


async def in_thread(work: Callable[[], Any]) -> Any:
    with anyio.fail_after(10):
        return await to_thread.run_sync(work)


async def test_verbs_return_what_the_daemon_answers() -> None:
    async with served() as (_, endpoint):

        def script() -> Any:
            with BlockingClient(endpoint, start=False) as client:
                return client.services.status(project="shop"), client.hello["version"]

        assert await in_thread(script) == ({"project": "shop", "services": []}, "test")


async def test_subscriptions_are_contexts_that_are_iterated_over() -> None:
    async with served() as (_, endpoint):

        def script() -> Any:
            with (
                BlockingClient(endpoint, start=False) as client,
                client.events.subscribe(after=5) as events,
            ):
                return [next(events)["number"] for _ in range(3)]

        assert await in_thread(script) == [6, 7, 8]


async def test_errors_are_the_daemons() -> None:
    async with served() as (_, endpoint):

        def script() -> None:
            with BlockingClient(endpoint, start=False) as client:
                with pytest.raises(MethodNotFound):
                    client.plugins.list()
                with pytest.raises(AttributeError, match="a client has no 'servces'"):
                    _ = client.servces

        await in_thread(script)


async def test_what_needs_the_async_client_runs_beside_the_script_or_in_its_place() -> None:
    async with served() as (_, endpoint):

        async def names(client: Client) -> Any:
            return await client.services.status(project="shop")

        async def for_ever(client: Client) -> None:
            await anyio.sleep_forever()

        def script() -> Any:
            with BlockingClient(endpoint, start=False) as client:
                beside = client.begin(for_ever)
                found = client.run(names)
                assert not beside.done()
                assert beside.cancel()
                return found

        assert await in_thread(script) == {"project": "shop", "services": []}


def test_no_daemon_is_an_error_on_entering(tmp_path: Any) -> None:
    before = threading.active_count()
    with pytest.raises(DaemonUnavailable), BlockingClient(Endpoint(tmp_path), start=False):
        pass
    assert threading.active_count() == before


async def test_leaving_early_ends_the_thread_and_the_connection() -> None:
    async with served() as (server, endpoint):

        def script() -> None:
            with BlockingClient(endpoint, start=False) as client:
                client.daemon.status()
                raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            await in_thread(script)
        with anyio.fail_after(5):
            while server.server.connections:  # noqa: ASYNC110 - the server has no event for it
                await anyio.sleep(0.01)


_INTERRUPTED = """
import os, signal, sys, threading
from pathlib import Path
from harness.client import BlockingClient, Endpoint

with BlockingClient(Endpoint(Path(sys.argv[1])), start=False) as client:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        client.operations.wait(id="never")
    except KeyboardInterrupt:
        print("interrupted", client.services.status(project="shop")["project"])
"""


async def test_an_interrupt_ends_a_call_and_not_the_connection() -> None:
    async def never(_: Any, __: Any) -> None:
        await anyio.sleep_forever()

    async with serving({"operations.wait": never}, over="socket") as server:
        with anyio.fail_after(20):
            done = await anyio.run_process(
                [sys.executable, "-c", _INTERRUPTED, str(server.path.parent)], check=False
            )
        assert (done.returncode, done.stdout) == (0, b"interrupted shop\n"), done.stderr
