"""What one connection may use, and what happens when it takes more. See also the transports."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from anyio.abc import TaskStatus

from harness.daemon.channel import Channel
from harness.daemon.dispatcher import Dispatcher
from harness.daemon.session import Call, Limits
from harness.errors import HarnessError, ProtocolError, StorageError
from harness.protocol import Empty, SubscriptionRef
from tests.unit.daemon.serving import HANDLERS, serving

_CALL = '{"jsonrpc": "2.0", "id": 1, "method": "daemon.status"}'


async def test_a_client_that_takes_nothing_is_disconnected_and_the_others_go_on():
    with anyio.fail_after(10):
        async with (
            serving(limits=Limits(stall_s=0.05, queue_bytes=100)) as server,
            server.client() as other,
        ):
            silent = server.pipe()
            await silent.send('{"jsonrpc": "2.0", "id": 1, "method": "events.subscribe"}')
            received = await _to_the_end(silent, begin=_calls_until_gone(silent))
            await other.daemon.status()
    assert received < 100


async def _calls_until_gone(silent: Any) -> None:
    """Call without ever reading, until the daemon has hung up."""
    try:
        while True:
            await silent.send(_CALL)
    except anyio.BrokenResourceError:
        return


async def _to_the_end(stream: Any, *, begin: Any) -> int:
    await begin
    count = 0
    try:
        while True:
            await stream.receive()
            count += 1
    except anyio.EndOfStream:
        stream.abort()
        return count


async def test_a_subscription_without_a_window_waits_for_room_in_the_queue():
    sent = 0

    async def subscribe(_: Any, call: Call) -> SubscriptionRef:
        async def run(channel: Channel, status: TaskStatus[None]) -> None:
            nonlocal sent
            status.started()
            while True:
                await channel.notify("events.event", {"event": {"text": "x" * 100}})
                sent += 1

        return SubscriptionRef(subscription=await call.open_channel(run))

    with anyio.fail_after(10):
        async with serving(
            {"events.subscribe": subscribe}, limits=Limits(queue_bytes=1_000)
        ) as server:
            stream = server.pipe()
            await stream.send('{"jsonrpc": "2.0", "id": 1, "method": "events.subscribe"}')
            await anyio.wait_all_tasks_blocked()
            waiting = sent
            for _ in range(100):
                await stream.receive()
            await anyio.wait_all_tasks_blocked()
            stream.abort()
    assert waiting < 50
    assert waiting < sent < 200


async def test_a_message_that_is_too_large_is_answered_and_ends_the_connection():
    with anyio.fail_after(10):
        async with serving() as server:
            stream = server.pipe(max_message_bytes=500)
            await stream.send(_CALL + " " * 500)
            answer = json.loads(await stream.receive())
            assert answer["error"]["data"]["kind"] == "malformed-message"
            assert answer["id"] is None
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()
            stream.abort()


async def test_a_notification_gets_no_answer_whatever_it_says():
    with anyio.fail_after(10):
        async with serving() as server:
            stream = server.pipe()
            for method in ("daemon.status", "no.such", "subscriptions.ack"):
                await stream.send(json.dumps({"jsonrpc": "2.0", "method": method}))
            await stream.send(_CALL)
            assert json.loads(await stream.receive()) == {"jsonrpc": "2.0", "id": 1, "result": {}}
            stream.abort()


async def test_an_answer_that_nobody_asked_for_is_refused():
    with anyio.fail_after(10):
        async with serving() as server:
            stream = server.pipe()
            await stream.send('{"jsonrpc": "2.0", "id": 1, "result": 1}')
            answer = json.loads(await stream.receive())
            assert "nobody asked" in answer["error"]["message"]
            stream.abort()


async def test_too_many_subscriptions_are_refused():
    with anyio.fail_after(10):
        async with serving(limits=Limits(subscriptions=1)) as server, server.client() as client:
            async with client.events.subscribe():
                with pytest.raises(ProtocolError, match="has 1 subscriptions"):
                    await client.connection.call("events.subscribe")
            # The place is free again.
            async with client.events.subscribe() as events:
                await anext(events)


async def test_two_who_wait_for_room_both_get_it():
    async def subscribe(_: Any, call: Call) -> SubscriptionRef:
        async def run(channel: Channel, status: TaskStatus[None]) -> None:
            status.started()
            for number in range(5):
                await channel.notify("events.event", {"event": {"number": number}})

        return SubscriptionRef(subscription=await call.open_channel(run))

    received: list[int] = []
    with anyio.fail_after(10):
        async with serving({"events.subscribe": subscribe}, limits=Limits(queue_bytes=1)) as server:
            stream = server.pipe()
            for _ in range(2):
                await stream.send('{"jsonrpc": "2.0", "id": 1, "method": "events.subscribe"}')
            await anyio.wait_all_tasks_blocked()
            while len(received) < 10:
                message = json.loads(await stream.receive())
                if "method" in message:
                    received.append(message["params"]["event"]["number"])
            stream.abort()
    assert sorted(received) == sorted([*range(5), *range(5)])


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("the file has gone"), "OSError in the daemon"),
        (StorageError("cannot read the log: the file has gone"), "the file has gone"),
    ],
)
async def test_a_stream_that_breaks_says_so_and_disturbs_nothing_else(caplog, error, told):
    async def subscribe(_: Any, call: Call) -> SubscriptionRef:
        async def run(channel: Channel, status: TaskStatus[None]) -> None:
            status.started()
            raise error

        return SubscriptionRef(subscription=await call.open_channel(run))

    with anyio.fail_after(10):
        async with serving({"events.subscribe": subscribe}) as server, server.client() as client:
            with pytest.raises(HarnessError, match=told):
                async with client.events.subscribe() as events:
                    await anext(events)
            await client.daemon.status()
    assert "the file has gone" in caplog.text


async def test_a_stream_that_breaks_after_it_has_begun_tells_no_secret():
    async def subscribe(_: Any, call: Call) -> SubscriptionRef:
        async def run(channel: Channel, status: TaskStatus[None]) -> None:
            status.started()
            await channel.notify("events.event", {"event": {"number": 1}})
            raise StorageError("cannot read hush", hint="hush", details={"path": "hush"})

        return SubscriptionRef(subscription=await call.open_channel(run))

    def masked(value: Any) -> Any:
        return json.loads(json.dumps(value).replace("hush", "***"))

    with anyio.fail_after(10):
        async with serving() as server:
            handlers = {**HANDLERS, "events.subscribe": subscribe}
            server.server.dispatcher = Dispatcher(handlers, masked=masked)
            async with server.client() as client, client.events.subscribe() as events:
                assert (await anext(events))["number"] == 1
                with pytest.raises(StorageError, match=r"cannot read \*\*\*") as caught:
                    await anext(events)
    assert (caught.value.hint, caught.value.details["path"]) == ("***", "***")


async def test_what_waits_to_be_sent_is_sent_before_a_session_is_closed():
    asked = anyio.Event()

    async def reload(_: Any, __: Call) -> Empty:
        asked.set()
        return Empty()

    with anyio.fail_after(10):
        async with serving({"services.reload": reload}) as server:
            stream = server.pipe()
            await stream.send(
                '{"jsonrpc": "2.0", "id": 1, "method": "services.reload",'
                ' "params": {"project": "shop", "units": []}}'
            )
            await asked.wait()
            await server.server.drain()
            await server.server.close_sessions()
            assert json.loads(await stream.receive())["result"] == {}
            stream.abort()
