"""Every transport carries the protocol in the same way."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio.abc import TaskStatus

from harness.daemon.channel import Channel
from harness.daemon.session import Call, Limits
from harness.errors import (
    DaemonUnavailable,
    InvalidParameters,
    MethodNotFound,
    ProtocolError,
    RemoteFailure,
    StartFailed,
)
from harness.protocol import Empty, ExecRef, SubscriptionRef
from tests.unit.daemon.serving import serving

pytestmark = pytest.mark.parametrize("over", ["pipe", "socket", "tls"])


async def test_a_call_gets_its_result(over):
    async with serving(over=over) as server, server.client() as client:
        status: Any = await client.services.status(project="shop")
        assert status == {"project": "shop", "services": []}


async def test_text_arrives_as_it_was_sent(over):
    name = 'ünï "\\\n\x00 \U0001f600 ' + "x" * 100_000
    async with serving(over=over) as server, server.client() as client:
        assert (await client.services.status(project=name))["project"] == name


async def test_bytes_that_are_no_utf8_arrive_as_they_were_sent(over):
    name = b"caf\xe9 \xff".decode("utf-8", "surrogateescape")
    async with serving(over=over) as server, server.client() as client:
        answer = (await client.services.status(project=name))["project"]
        assert answer.encode("utf-8", "surrogateescape") == b"caf\xe9 \xff"


async def test_calls_are_answered_as_they_end_and_not_as_they_came(over):
    release, order = anyio.Event(), []

    async def wait(_: Any, __: Call) -> Empty:
        await release.wait()
        return Empty()

    async def slow(client: Any) -> None:
        await client.services.wait(project="shop")
        order.append("slow")

    with anyio.fail_after(10):
        async with (
            serving({"services.wait": wait}, over=over) as server,
            server.client() as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(slow, client)
            await client.daemon.status()
            order.append("fast")
            release.set()
    assert order == ["fast", "slow"]


async def test_hundreds_of_calls_are_in_flight_at_once(over):
    arrived, everybody = [], anyio.Event()

    async def wait(params: Any, _: Call) -> Empty:
        arrived.append(params.project)
        if len(arrived) == 300:
            everybody.set()
        await everybody.wait()
        return Empty()

    with anyio.fail_after(10):
        async with (
            serving({"services.wait": wait}, over=over) as server,
            server.client() as client,
            anyio.create_task_group() as group,
        ):
            for number in range(300):
                group.start_soon(_wait_for, client, str(number))
    assert sorted(arrived, key=int) == [str(number) for number in range(300)]


async def _wait_for(client: Any, project: str) -> None:
    await client.services.wait(project=project)


async def test_an_error_arrives_as_the_class_that_was_raised(over):
    async def fail(_: Any, __: Call) -> Empty:
        raise StartFailed(service="db", executor="docker", cause="no image", hint="pull it")

    async with serving({"services.reload": fail}, over=over) as server, server.client() as client:
        with pytest.raises(StartFailed, match='cannot start "db": no image') as caught:
            await client.services.reload(project="shop", units=["db"])
    assert caught.value.hint == "pull it"


async def test_a_defect_of_a_handler_is_an_error_and_the_connection_goes_on(over, caplog):
    async def fail(_: Any, __: Call) -> Empty:
        raise KeyError("secret detail")

    async with serving({"services.reload": fail}, over=over) as server, server.client() as client:
        with pytest.raises(RemoteFailure) as caught:
            await client.services.reload(project="shop", units=["db"])
        assert caught.value.remote_kind == "internal-error"
        assert "secret detail" not in str(caught.value)
        await client.daemon.status()
    assert "secret detail" in caplog.text


async def test_an_unknown_method_is_named_with_a_suggestion(over):
    async with serving(over=over) as server, server.client() as client:
        with pytest.raises(MethodNotFound) as caught:
            await client.connection.call("services.statsu")
    assert caught.value.hint == 'did you mean "services.status"?'


async def test_unknown_and_wrong_parameters_are_all_named(over):
    async with serving(over=over) as server, server.client() as client:
        with pytest.raises(InvalidParameters) as caught:
            await client.connection.call("services.status", {"project": 3, "colour": "red"})
    problems: Any = caught.value.details["problems"]
    paths = [problem["path"] for problem in problems]
    assert paths == ["project", "colour"]


async def test_a_subscription_delivers_in_order_from_its_start(over):
    async with (
        serving(over=over) as server,
        server.client() as client,
        client.events.subscribe(after=10) as events,
    ):
        numbers = []
        async for event in events:
            numbers.append(event["number"])
            if len(numbers) == 5_000:
                break
    assert numbers == list(range(11, 5_011))


async def test_calls_are_answered_while_a_subscription_is_not_read(over):
    with anyio.fail_after(10):
        async with (
            serving(over=over) as server,
            server.client() as client,
            client.events.subscribe() as events,
        ):
            first = await anext(aiter(events))
            for _ in range(50):
                await client.daemon.status()
    assert first["number"] == 1


async def test_a_left_subscription_ends_at_the_daemon(over):
    ended = anyio.Event()

    async def subscribe(params: Any, call: Call) -> SubscriptionRef:
        async def run(channel: Channel, status: TaskStatus[None]) -> None:
            try:
                status.started()
                await channel.notify("events.event", {"event": {}})
                await anyio.sleep_forever()
            finally:
                ended.set()

        return SubscriptionRef(subscription=await call.open_channel(run, window=params.window))

    with anyio.fail_after(10):
        async with (
            serving({"events.subscribe": subscribe}, over=over) as server,
            server.client() as client,
        ):
            async with client.events.subscribe() as events:
                await anext(aiter(events))
            await ended.wait()
            await client.daemon.status()


async def test_notifications_never_come_before_the_answer_that_names_them(over):
    async def subscribe(params: Any, call: Call) -> ExecRef:
        async def run(channel: Channel, status: TaskStatus[None]) -> None:
            status.started()
            await channel.notify("exec.output", {"stream": "stdout", "data": "aGk="})
            await channel.notify("exec.exit", {"code": 0, "signal": None})

        name = await call.open_channel(run, key="id", window=params.window)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        return ExecRef(id=name)

    with anyio.fail_after(10):
        async with (
            serving({"exec.run": subscribe}, over=over) as server,
            server.client() as client,
            client.exec.run(project="shop", unit="db", argv=["hi"]) as process,
        ):
            items = [item async for item in process]
    assert items == [{"stream": "stdout", "data": b"hi"}]
    assert process.exit_code == 0


async def test_a_stream_that_cannot_begin_fails_the_call(over):
    async def subscribe(_: Any, call: Call) -> ExecRef:
        async def run(channel: Channel, status: TaskStatus[None]) -> None:
            raise StartFailed(service="db", executor="process", cause="no such program")

        return ExecRef(id=await call.open_channel(run, key="id"))

    async with serving({"exec.run": subscribe}, over=over) as server, server.client() as client:
        with pytest.raises(StartFailed, match="no such program"):
            async with client.exec.run(project="shop", unit="db", argv=["x"]):
                pass
        await client.daemon.status()


async def test_open_calls_and_subscriptions_fail_when_the_daemon_ends(over):
    asked = anyio.Event()

    async def wait(_: Any, __: Call) -> Empty:
        asked.set()
        await anyio.sleep_forever()
        return Empty()

    with anyio.fail_after(10):
        async with serving({"services.wait": wait}, over=over) as server, server.client() as client:
            async with client.events.subscribe() as events:
                async with anyio.create_task_group() as group:
                    group.start_soon(_close_when, asked, server)
                    with pytest.raises(DaemonUnavailable, match="closed the connection"):
                        await client.services.wait(project="shop")
                with pytest.raises(DaemonUnavailable):
                    async for _ in events:
                        pass
            with pytest.raises(DaemonUnavailable):
                await client.daemon.status()


async def _close_when(asked: anyio.Event, server: Any) -> None:
    await asked.wait()
    await server.server.close_sessions()


async def test_a_change_goes_on_when_its_client_vanishes(over):
    asked, release, done = anyio.Event(), anyio.Event(), anyio.Event()

    async def change(_: Any, __: Call) -> Empty:
        asked.set()
        await release.wait()
        done.set()
        return Empty()

    async def reload(client: Any) -> None:
        with pytest.raises(DaemonUnavailable):
            await client.services.reload(project="shop", units=["db"])

    with anyio.fail_after(10):
        async with serving({"services.reload": change}, over=over) as server:
            async with server.client() as client, anyio.create_task_group() as group:
                group.start_soon(reload, client)
                await asked.wait()
                await client.connection.aclose()
            release.set()
            await server.server.drain()
            assert done.is_set()


async def test_a_question_ends_when_its_client_vanishes(over):
    asked, ended = anyio.Event(), anyio.Event()

    async def wait(_: Any, __: Call) -> Empty:
        asked.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        return Empty()

    async def ask(client: Any) -> None:
        with pytest.raises(DaemonUnavailable):
            await client.services.wait(project="shop")

    with anyio.fail_after(10):
        async with serving({"services.wait": wait}, over=over) as server:
            async with server.client() as client, anyio.create_task_group() as group:
                group.start_soon(ask, client)
                await asked.wait()
                await client.connection.aclose()
            await ended.wait()


async def test_too_many_open_calls_are_refused_and_the_others_go_on(over):
    release, full = anyio.Event(), anyio.Event()
    open_calls: list[str] = []

    async def wait(params: Any, _: Call) -> Empty:
        open_calls.append(params.project)
        if len(open_calls) == 2:
            full.set()
        await release.wait()
        return Empty()

    with anyio.fail_after(10):
        async with (
            serving({"services.wait": wait}, over=over, limits=Limits(calls=2)) as server,
            server.client() as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(_wait_for, client, "a")
            group.start_soon(_wait_for, client, "b")
            await full.wait()
            with pytest.raises(ProtocolError, match="2 calls are open already"):
                await client.services.wait(project="c")
            release.set()
    assert sorted(open_calls) == ["a", "b"]


async def test_two_clients_do_not_see_each_others_streams(over):
    async with (
        serving(over=over) as server,
        server.client() as one,
        server.client() as two,
        one.events.subscribe(after=100) as ones,
        two.events.subscribe(after=200) as twos,
    ):
        assert (await anext(aiter(ones)))["number"] == 101
        assert (await anext(aiter(twos)))["number"] == 201
