from __future__ import annotations

import anyio
import pytest

from harness.errors import MalformedMessage
from harness.protocol import message_pipe


async def test_messages_go_both_ways_in_order():
    one, two = message_pipe()
    for text in ("a", "b"):
        await one.send(text)
    await two.send("c")
    assert [await two.receive(), await two.receive(), await one.receive()] == ["a", "b", "c"]
    one.abort()
    two.abort()


async def test_the_other_end_sees_what_was_sent_before_the_end():
    one, two = message_pipe()
    await one.send("last words")
    await one.aclose()
    assert await two.receive() == "last words"
    with pytest.raises(anyio.EndOfStream):
        await two.receive()
    two.abort()


async def test_nothing_can_be_sent_to_somebody_who_left():
    one, two = message_pipe()
    two.abort()
    with pytest.raises(anyio.BrokenResourceError):
        await one.send("hello?")
    one.abort()


async def test_nothing_can_be_sent_or_received_after_leaving():
    one, two = message_pipe()
    one.abort()
    with pytest.raises(anyio.BrokenResourceError):
        await one.send("hello?")
    with pytest.raises(anyio.EndOfStream):
        await one.receive()
    two.abort()


async def test_a_message_that_is_too_large_is_refused():
    one, two = message_pipe(max_message_bytes=10)
    await one.send("x" * 11)
    with pytest.raises(MalformedMessage, match="larger than 10 bytes"):
        await two.receive()
    one.abort()
    two.abort()
