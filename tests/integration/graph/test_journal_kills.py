"""Records in a file, whose writer is killed at any moment."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import pytest

from graph_test_daemon.tracking import Journal, Note

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def journal(directory: Path) -> AsyncIterator[Journal]:
    opened = Journal(directory / "tracking")
    try:
        yield opened
    finally:
        await opened.aclose()


@contextmanager
def writer(directory: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(ROOT / "tests" / "journal_writer.py"), str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.timeout(60)
def test_a_process_that_is_killed_leaves_all_that_it_told_and_nothing_half(tmp_path: Path) -> None:
    moments = random.Random(7)  # the same in every run
    told = 0
    for _ in range(20):
        with writer(tmp_path / "tracking") as process:
            assert process.stdout is not None
            for _ in range(moments.randrange(1, 30)):
                told = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split("\n")[:-1]
        told = int(rest[-1]) if rest else told
        left, right = anyio.run(_pair, tmp_path)
        # The last pair may be kept and its number not told any more.
        assert left == right
        assert told <= left <= told + 1
        told = left


async def _pair(directory: Path) -> list[int]:
    async with journal(directory) as opened:
        notes = await opened.do(lambda r: r.all(Note))
    assert [note.name for note in notes] == ["left", "right"]
    return [note.count for note in notes]


@pytest.mark.timeout(60)
def test_a_process_may_be_killed_while_it_makes_the_file(tmp_path: Path) -> None:
    moments = random.Random(8)
    for round_ in range(10):
        directory = tmp_path / str(round_)
        with writer(directory / "tracking") as process:
            path = directory / "tracking" / "journal.db"
            while not path.exists():
                assert process.poll() is None
            for _ in range(moments.randrange(2_000)):
                path.exists()
            process.send_signal(signal.SIGKILL)
        notes = anyio.run(_notes, directory)
        assert {note.name for note in notes} <= {"left", "right"}  # and no damage


async def _notes(directory: Path) -> list[Note]:
    async with journal(directory) as opened:
        return await opened.do(lambda r: r.all(Note))
