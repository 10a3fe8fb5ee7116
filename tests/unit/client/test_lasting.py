"""A connection in place of which another one comes, to daemons that the test plays."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup

from harness.client.connection import Connection
from harness.client.lasting import LastingConnection
from harness.errors import DaemonUnavailable, ProtocolError
from harness.protocol import MessageStream, message_pipe


class Daemons:
    """One daemon after the other; each answers, dies, or keeps silent.

    Attributes:
        asked: methods, with the number of the daemon.
        deaths: how many calls from now on find a daemon that dies of them.
        silent: methods that get no answer.
        greeting: raised when a daemon is greeted.
        gone: set when a client has closed its connection.
    """

    def __init__(self, group: TaskGroup) -> None:
        self._group = group
        self.count = 0
        self.asked: list[tuple[int, str]] = []
        self.deaths = 0
        self.silent: set[str] = set()
        self.greeting: Exception | None = None
        self.gone = anyio.Event()

    async def reach(self) -> MessageStream:
        self.count += 1
        await anyio.lowlevel.checkpoint()
        ours, theirs = message_pipe()
        self._group.start_soon(self._serve, theirs, self.count)
        return ours

    async def greet(self, _: Connection) -> dict[str, Any]:
        await anyio.lowlevel.checkpoint()
        if self.greeting is not None:
            raise self.greeting
        return {"pid": self.count}

    async def _serve(self, stream: MessageStream, number: int) -> None:
        try:
            while True:
                request = json.loads(await stream.receive())
                self.asked.append((number, request["method"]))
                if self.deaths:
                    self.deaths -= 1
                    return
                if request["method"] == "events.subscribe":
                    await self._serve_events(stream, request, number)
                    return
                if request["method"] not in self.silent:
                    answer = {"jsonrpc": "2.0", "id": request["id"], "result": number}
                    await stream.send(json.dumps(answer))
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self.gone.set()
        finally:
            stream.abort()

    async def _serve_events(self, stream: MessageStream, request: Any, number: int) -> None:
        """Send one event, numbered as the daemon is, and die."""
        answer = {"jsonrpc": "2.0", "id": request["id"], "result": {"subscription": "s"}}
        await stream.send(json.dumps(answer))
        event = {"subscription": "s", "event": {"number": number}}
        told = {"jsonrpc": "2.0", "method": "events.event", "params": event}
        await stream.send(json.dumps(told))


@asynccontextmanager
async def lasting() -> AsyncIterator[tuple[LastingConnection, Daemons]]:
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            daemons = Daemons(group)
            connection = LastingConnection(group, daemons.reach, daemons.greet)
            yield connection, daemons
            await connection.aclose()
            group.cancel_scope.cancel()


async def test_what_reads_is_asked_again_of_the_next_daemon() -> None:
    async with lasting() as (connection, daemons):
        daemons.deaths = 1
        assert await connection.call("services.status") == 2
        assert daemons.asked == [(1, "services.status"), (2, "services.status")]
        assert connection.hello == {"pid": 2}


async def test_what_changes_something_is_asked_once() -> None:
    async with lasting() as (connection, daemons):
        daemons.deaths = 1
        with pytest.raises(DaemonUnavailable):
            await connection.call("services.restart")
        assert daemons.asked == [(1, "services.restart")]
        assert await connection.call("services.restart") == 2


async def test_daemons_that_all_die_of_a_question_are_not_asked_for_ever() -> None:
    async with lasting() as (connection, daemons):
        daemons.deaths = 100
        with pytest.raises(DaemonUnavailable):
            await connection.call("services.status")
        assert len(daemons.asked) == 3


async def test_a_daemon_that_lives_and_is_slow_is_not_asked_again() -> None:
    async with lasting() as (connection, daemons):
        daemons.silent.add("services.status")
        with pytest.raises(DaemonUnavailable, match="none came within"):
            await connection.call("services.status", timeout_s=0.02)
        assert daemons.asked == [(1, "services.status")]


async def test_calls_at_the_same_time_make_one_connection() -> None:
    async with lasting() as (connection, daemons), anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(connection.call, "services.status")
    assert daemons.count == 1


async def test_a_daemon_that_refuses_is_let_go_of_and_reached_again() -> None:
    async with lasting() as (connection, daemons):
        daemons.greeting = ProtocolError("another version")
        with pytest.raises(ProtocolError, match="another version"):
            await connection.call("services.status")
        await daemons.gone.wait()
        daemons.greeting = None
        assert await connection.call("services.status") == 2


async def test_a_subscription_goes_on_although_a_daemon_dies_of_its_resumption() -> None:
    async with lasting() as (connection, daemons):
        subscribed = connection.subscribe("events.subscribe", {"after": 0}, window=1_000)
        async with subscribed as events:
            assert (await anext(events))[1]["event"]["number"] == 1
            daemons.deaths = 2
            assert (await anext(events))[1]["event"]["number"] == 4


async def test_a_subscription_is_not_resumed_for_ever() -> None:
    async with lasting() as (connection, daemons):
        subscribed = connection.subscribe("events.subscribe", {"after": 0}, window=1_000)
        async with subscribed as events:
            await anext(events)
            daemons.deaths = 100
            with pytest.raises(DaemonUnavailable):
                await anext(events)
            assert len(daemons.asked) == 4
            daemons.deaths = 0
            assert (await anext(events))[1]["event"]["number"] == 5
