from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from harness.client.connection import Connection
from harness.errors import DaemonUnavailable, MalformedMessage
from harness.protocol import MessageStream, message_pipe


@asynccontextmanager
async def _connected() -> AsyncIterator[tuple[Connection, MessageStream]]:
    """Yield a connection and the daemon's end of it, which the test plays."""
    ours, theirs = message_pipe()
    connection = Connection(ours)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(connection.run)
            yield connection, theirs
            await connection.aclose()
            group.cancel_scope.cancel()
    theirs.abort()


async def _answer(daemon: MessageStream, result: Any) -> dict[str, Any]:
    request: dict[str, Any] = json.loads(await daemon.receive())
    answer = {"jsonrpc": "2.0", "id": request["id"], "result": result}
    await daemon.send(json.dumps(answer))
    return request


async def test_a_call_that_gets_no_answer_ends_at_its_deadline():
    async with _connected() as (connection, _):
        with pytest.raises(DaemonUnavailable, match=r"none came within 0\.05 s"):
            await connection.call("daemon.status", timeout_s=0.05)


async def test_an_answer_that_comes_too_late_is_left_alone():
    async with _connected() as (connection, daemon), anyio.create_task_group() as group:
        with pytest.raises(DaemonUnavailable):
            await connection.call("daemon.status", timeout_s=0.05)
        await _answer(daemon, "late")
        group.start_soon(_answer, daemon, "in time")
        assert await connection.call("daemon.status") == "in time"


async def test_open_calls_fail_when_the_daemon_hangs_up():
    async with _connected() as (connection, daemon), anyio.create_task_group() as group:

        async def hang_up() -> None:
            await daemon.receive()
            daemon.abort()

        group.start_soon(hang_up)
        with pytest.raises(DaemonUnavailable, match="closed the connection") as gone:
            await connection.call("daemon.status", timeout_s=None)
        assert "run the command again" in (gone.value.hint or "")
        with pytest.raises(DaemonUnavailable, match="closed the connection"):
            await connection.call("daemon.status")
        await connection.wait_closed()


async def test_an_answer_right_before_the_end_is_still_an_answer():
    async with _connected() as (connection, daemon), anyio.create_task_group() as group:

        async def answer_and_leave() -> None:
            await _answer(daemon, "goodbye")
            daemon.abort()

        group.start_soon(answer_and_leave)
        assert await connection.call("daemon.stop") == "goodbye"


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        '{"jsonrpc": "2.0", "method": "events.event", "params": {}}',
        '{"jsonrpc": "2.0", "id": null, "error": {"message": "cannot read you"}}',
        '{"jsonrpc": "2.0", "id": null, "error": {"data": {"kind": "protocol-error"}}}',
        '{"jsonrpc": "2.0", "id": null, "error": {"data": {"kind": "malformed-message"}}}',
    ],
)
async def test_what_is_not_understood_fails_open_calls_with_the_reason(text):
    async with _connected() as (connection, daemon), anyio.create_task_group() as group:

        async def babble() -> None:
            await daemon.receive()
            await daemon.send(text)

        group.start_soon(babble)
        with pytest.raises(MalformedMessage):
            await connection.call("daemon.status")


async def test_messages_for_nobody_are_left_alone():
    async with _connected() as (connection, daemon), anyio.create_task_group() as group:
        for text in (
            '{"jsonrpc": "2.0", "id": 99, "result": 1}',
            '{"jsonrpc": "2.0", "id": 99, "error": {}}',
            '{"jsonrpc": "2.0", "id": 1, "method": "client.ask"}',
            '{"jsonrpc": "2.0", "method": "logs.chunk", "params": {"subscription": "gone"}}',
        ):
            await daemon.send(text)
        group.start_soon(_answer, daemon, 7)
        assert await connection.call("daemon.status") == 7


async def test_a_closed_connection_takes_no_calls():
    async with _connected() as (connection, _):
        await connection.aclose()
        with pytest.raises(DaemonUnavailable, match="the connection was closed"):
            await connection.call("daemon.status")


async def test_a_reader_tells_what_it_consumed_and_not_more():
    async with _connected() as (connection, daemon), anyio.create_task_group() as group:
        acknowledged = anyio.Event()

        async def play() -> None:
            request = await _answer(daemon, {"subscription": "s"})
            assert request["params"]["window"] == 1_000
            for number in range(4):
                params = {"subscription": "s", "number": number, "text": "x" * 200}
                await daemon.send(
                    json.dumps({"jsonrpc": "2.0", "method": "logs.chunk", "params": params})
                )
            ack = json.loads(await daemon.receive())
            assert ack["method"] == "subscriptions.ack"
            assert ack["params"]["subscription"] == "s"
            assert 500 <= ack["params"]["bytes"] <= 1_000
            acknowledged.set()
            await _answer(daemon, {})

        group.start_soon(play)
        async with connection.subscribe("logs.read", {}, window=1_000) as subscription:
            received = [(await anext(subscription))[1]["number"] for _ in range(4)]
            await acknowledged.wait()
    assert received == [0, 1, 2, 3]


async def test_a_subscription_delivers_what_came_before_the_end_and_then_fails():
    async with _connected() as (connection, daemon), anyio.create_task_group() as group:

        async def play() -> None:
            await _answer(daemon, {"subscription": "s"})
            await daemon.send(
                '{"jsonrpc": "2.0", "method": "a.b", "params": {"subscription": "s", "n": 1}}'
            )
            await daemon.aclose()

        group.start_soon(play)
        async with connection.subscribe("logs.read", {}, window=1_000) as subscription:
            await connection.wait_closed()
            assert (await anext(subscription))[1]["n"] == 1
            with pytest.raises(DaemonUnavailable):
                await anext(subscription)


async def test_a_subscription_that_was_given_up_before_it_was_named_is_ended():
    async with _connected() as (connection, daemon):
        async with anyio.create_task_group() as group:

            async def subscribe() -> None:
                async with connection.subscribe("logs.read", {}, window=1_000):
                    raise AssertionError("it was not answered")

            group.start_soon(subscribe)
            request = json.loads(await daemon.receive())
            group.cancel_scope.cancel()
        await daemon.send(
            json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {"subscription": "s"}})
        )
        cancelled = json.loads(await daemon.receive())
    assert cancelled["method"] == "subscriptions.cancel"
    assert cancelled["params"] == {"subscription": "s"}
    assert "id" not in cancelled


async def test_what_was_given_up_and_is_refused_needs_no_end():
    async with _connected() as (connection, daemon), anyio.create_task_group() as group:
        async with anyio.create_task_group() as giving_up:

            async def subscribe() -> None:
                async with connection.subscribe("logs.read", {}, window=1_000):
                    raise AssertionError("it was not answered")

            giving_up.start_soon(subscribe)
            request = json.loads(await daemon.receive())
            giving_up.cancel_scope.cancel()
        error = {"code": -32000, "message": "no", "data": {"kind": "unknown-service"}}
        await daemon.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}))
        group.start_soon(_answer, daemon, 7)
        assert await connection.call("daemon.status") == 7
