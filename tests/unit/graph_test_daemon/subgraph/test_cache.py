from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from graph_test_daemon.errors import GraphError
from graph_test_daemon.subgraph import BuildCache


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def test_a_build_is_found_after_it_was_stored(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "builds")
    assert cache.find("abc") is None
    async with cache.making("abc") as place:
        (place / "out").mkdir()
        stored = cache.store("abc", place / "out")
    assert cache.find("abc") == stored
    assert not place.exists()


async def test_who_stores_the_same_later_gets_what_is_there(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    for content in ("first", "second"):
        async with cache.making("abc") as place:
            (place / "out").mkdir()
            (place / "out" / "file").write_text(content)
            stored = cache.store("abc", place / "out")
    assert (stored / "file").read_text() == "first"


async def test_only_one_makes_a_build_at_a_time(tmp_path: Path) -> None:
    order: list[str] = []
    begun, go_on = anyio.Event(), anyio.Event()

    async def first() -> None:
        async with BuildCache(tmp_path).making("abc"):
            begun.set()
            await go_on.wait()
            order.append("first")

    async def second() -> None:
        async with BuildCache(tmp_path).making("abc"):
            order.append("second")

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await begun.wait()
            group.start_soon(second)
            async with BuildCache(tmp_path).making("another"):
                order.append("another")
            go_on.set()
    assert order == ["another", "first", "second"]


async def test_who_gives_up_waiting_holds_nothing(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    with anyio.fail_after(10):
        async with cache.making("abc"):
            with anyio.move_on_after(0.05) as scope:
                async with cache.making("abc"):
                    pytest.fail("two hold it")
            assert scope.cancelled_caught
        async with cache.making("abc"):
            pass


async def test_nothing_is_left_but_builds(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path)
    (tmp_path / ".abc.killed").mkdir()  # of a process that could not remove it
    async with cache.making("abc") as place:
        (place / "out").mkdir()
        cache.store("abc", place / "out")
    assert names(tmp_path) == ["abc"]


async def test_many_that_want_the_same_hold_it_one_after_another(tmp_path: Path) -> None:
    holders = most = 0

    async def one() -> None:
        nonlocal holders, most
        async with BuildCache(tmp_path).making("abc"):
            holders += 1
            most = max(most, holders)
            await anyio.lowlevel.checkpoint()
            holders -= 1

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(one)
    assert (most, names(tmp_path)) == (1, [])


async def test_who_waits_longer_than_any_build_takes_is_told(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path, longest_s=0.05)
    async with cache.making("abc"):
        with pytest.raises(GraphError, match="another process has been building") as caught:
            async with cache.making("abc"):
                pytest.fail("two hold it")
    assert caught.value.kind == "builds-busy"
