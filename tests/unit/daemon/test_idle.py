"""When a daemon that nobody needs ends by itself."""

from __future__ import annotations

import anyio

from harness.daemon.idle import IdleEnd


async def test_nothing_to_do_for_long_enough_is_the_end():
    with anyio.fail_after(5):
        await IdleEnd(after_s=0.01, is_idle=lambda: True).wait()


async def test_what_is_there_is_waited_for():
    things = ["a client"]
    idle = IdleEnd(after_s=0.01, is_idle=lambda: not things)
    ended = anyio.Event()

    async def wait() -> None:
        await idle.wait()
        ended.set()

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        assert not ended.is_set()
        things.clear()
        idle.look_again()
        with anyio.fail_after(5):
            await ended.wait()


async def test_whoever_came_meanwhile_is_noticed():
    things: list[str] = []
    looks = iter((True, False))
    idle = IdleEnd(after_s=0.01, is_idle=lambda: next(looks, not things))
    with anyio.move_on_after(0.2) as waiting:
        things.append("a client that came after the first look")
        await idle.wait()
    assert waiting.cancelled_caught
