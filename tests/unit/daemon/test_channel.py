from __future__ import annotations

import json

import anyio

from harness.daemon.channel import Channel


def _channel(window: int | None) -> tuple[Channel, list[str]]:
    sent: list[str] = []

    async def send(text: str) -> None:
        sent.append(text)

    return Channel("c", key="subscription", window=window, send=send), sent


async def _notify(channel: Channel, count: int) -> None:
    for number in range(count):
        await channel.notify("a.b", {"n": number})


async def test_nothing_is_sent_before_the_channel_is_open():
    channel, sent = _channel(None)
    async with anyio.create_task_group() as group:
        group.start_soon(_notify, channel, 2)
        await anyio.wait_all_tasks_blocked()
        assert sent == []
        channel.open()
    assert [json.loads(text)["params"] for text in sent] == [
        {"subscription": "c", "n": 0},
        {"subscription": "c", "n": 1},
    ]


async def test_what_comes_together_is_handed_over_together():
    channel, sent = _channel(None)
    channel.open()
    seen: list[int] = []

    async def look() -> None:
        seen.append(len(sent))

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        await _notify(channel, 3)
        assert seen == []
    assert seen == [3]


async def test_no_more_than_the_window_is_sent_ahead_of_acknowledgements():
    channel, sent = _channel(100)
    channel.open()
    async with anyio.create_task_group() as group:
        group.start_soon(_notify, channel, 100)
        await anyio.wait_all_tasks_blocked()
        size = len(sent[0])
        ahead = len(sent)
        assert (ahead - 1) * size < 100 <= ahead * size
        channel.acknowledge(ahead * size)
        await anyio.wait_all_tasks_blocked()
        assert len(sent) == 2 * ahead
        group.cancel_scope.cancel()


async def test_acknowledging_more_than_was_sent_makes_no_more_room():
    channel, sent = _channel(100)
    channel.open()
    channel.acknowledge(1_000_000)
    channel.acknowledge(-5)
    async with anyio.create_task_group() as group:
        group.start_soon(_notify, channel, 100)
        await anyio.wait_all_tasks_blocked()
        assert len(sent) < 5
        group.cancel_scope.cancel()


async def test_a_window_of_nothing_still_lets_one_message_at_a_time_through():
    channel, sent = _channel(0)
    channel.open()
    async with anyio.create_task_group() as group:
        group.start_soon(_notify, channel, 3)
        for count in (1, 2, 3):
            await anyio.wait_all_tasks_blocked()
            assert len(sent) == count
            channel.acknowledge(len(sent[0]))
