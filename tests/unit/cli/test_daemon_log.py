"""The daemon's own log, read and followed."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from harness.cli.daemon_log import read_log


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "daemon.log"
    path.write_bytes(b"one\ntwo\nthree\n")
    return path


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        (None, b"one\ntwo\nthree\n"),
        (2, b"two\nthree\n"),
        (0, b""),
        (9, b"one\ntwo\nthree\n"),
    ],
)
async def test_the_last_lines_or_all_are_read(log: Path, tail: int | None, expected: bytes) -> None:
    pieces = [piece async for piece in read_log(log, tail=tail, follow=False)]
    assert b"".join(pieces) == expected


async def test_what_is_added_is_followed_across_rotations(log: Path, tmp_path: Path) -> None:
    seen = b""
    reached = {text: anyio.Event() for text in (b"three\n", b"4\n", b"6\n", b"8\n")}

    async def follow() -> None:
        nonlocal seen
        async for piece in read_log(log, tail=None, follow=True):
            seen += piece
            for text, event in reached.items():
                if text in seen:
                    event.set()

    def add(text: bytes) -> None:
        with log.open("ab") as file:
            file.write(text)

    def rotate() -> None:
        log.rename(tmp_path / "daemon.log.1")

    with anyio.fail_after(15):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            await reached[b"three\n"].wait()
            add(b"4\n")
            await reached[b"4\n"].wait()
            add(b"5\n")
            rotate()
            add(b"6\n")
            await reached[b"6\n"].wait()
            rotate()
            add(b"7\n")
            add(b"8\n")
            await reached[b"8\n"].wait()
            tasks.cancel_scope.cancel()
    assert seen == b"one\ntwo\nthree\n4\n5\n6\n7\n8\n"


async def test_a_log_that_was_removed_is_followed_once_there_is_another(log: Path) -> None:
    pieces = read_log(log, tail=0, follow=True)
    seen: list[bytes] = []

    def replace() -> None:
        new = log.parent / "new"
        new.write_bytes(b"again\n")
        new.rename(log)

    opened, arrived = anyio.Event(), anyio.Event()

    async def follow() -> None:
        async for piece in pieces:
            opened.set()
            seen.append(piece)
            if piece:
                arrived.set()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow)
            await opened.wait()
            await anyio.wait_all_tasks_blocked()
            await anyio.Path(log).unlink()
            await anyio.wait_all_tasks_blocked()
            await anyio.Path(log.parent / "other").touch()
            await anyio.wait_all_tasks_blocked()
            replace()
            await arrived.wait()
            tasks.cancel_scope.cancel()
    assert b"".join(seen) == b"again\n"
