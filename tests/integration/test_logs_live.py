"""Real processes write; readers follow, are restarted, and count every line."""

from __future__ import annotations

import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.abc
import pytest

from harness.clock import SystemClock
from harness.logs import LogNotice, LogsDropped, UnitLog, Watcher

pytestmark = pytest.mark.timeout(60)

# Opens the file as a service's holder does, and writes numbered lines of 100 bytes.
_WRITER = """
import os, sys, time
path, count, per_second, batch = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
began = time.monotonic()
for first in range(0, count, batch):
    late = time.monotonic() - began - first / per_second
    if late < 0:
        time.sleep(-late)
    os.write(out, b"".join(b"%099d\\n" % n for n in range(first, min(count, first + batch))))
"""


@asynccontextmanager
async def _writing(
    log: UnitLog, *, lines: int, per_second: float, batch: int = 1, stream: str = "stdout"
) -> AsyncIterator[anyio.abc.Process]:
    log.directory.mkdir(exist_ok=True)
    arguments = [str(log.streams[stream].path), str(lines), str(per_second), str(batch)]
    async with await anyio.open_process(
        [sys.executable, "-c", _WRITER, *arguments], stdout=None, stderr=None
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def _log(directory: Path, *, max_bytes: int = 1 << 30) -> UnitLog:
    return UnitLog(directory / "db", unit="db", max_bytes=max_bytes, clock=SystemClock())


async def test_a_follower_restarted_again_and_again_misses_and_doubles_no_line(tmp_path):
    log = _log(tmp_path)
    received: list[bytes] = []
    offsets: dict[str, int] = {}
    restarts = 0
    with anyio.fail_after(40):
        async with Watcher(on_notice=lambda _: None) as watcher:
            watcher.watch(log)
            async with _writing(log, lines=2_000, per_second=1_000):
                while len(received) < 2_000:
                    restarts += 1
                    reader = log.follow(offsets=offsets)
                    for _ in range(5):
                        if len(received) == 2_000:
                            break
                        chunk = await anext(reader)
                        received += chunk.text.splitlines()
                        offsets[chunk.stream] = chunk.end
    assert received == [b"%099d" % number for number in range(2_000)]
    assert restarts > 5


async def test_a_new_daemon_goes_on_where_the_old_one_was(tmp_path):
    received: list[bytes] = []
    offsets: dict[str, int] = {}
    with anyio.fail_after(40):
        async with _writing(_log(tmp_path), lines=1_000, per_second=1_000):
            while len(received) < 1_000:
                log = _log(tmp_path)
                async with Watcher(on_notice=lambda _: None) as watcher:
                    watcher.watch(log)
                    reader = log.follow(offsets=offsets)
                    for _ in range(3):
                        if len(received) == 1_000:
                            break
                        chunk = await anext(reader)
                        received += chunk.text.splitlines()
                        offsets[chunk.stream] = chunk.end
    assert received == [b"%099d" % number for number in range(1_000)]


async def test_one_hundred_megabytes_are_counted_exactly_under_a_cap_of_sixteen(tmp_path):
    log = _log(tmp_path, max_bytes=16_000_000)
    notices: list[LogNotice] = []
    accounted, last = 0, -1
    with anyio.fail_after(50):
        async with Watcher(on_notice=notices.append, reserve_bytes=0) as watcher:
            watcher.watch(log)
            async with _writing(log, lines=1_000_000, per_second=300_000, batch=500):
                async for chunk in log.follow():
                    # On a busy machine the cap may be faster than this reader, which is told so.
                    assert int(chunk.text[:99]) == last + 1 + chunk.skipped // 100
                    last = int(chunk.text[-100:-1])
                    accounted += len(chunk.text) + chunk.skipped
                    if accounted >= 100_000_000:
                        break
    assert (accounted, last) == (100_000_000, 999_999)
    dropped = sum(n.size_bytes for n in notices if isinstance(n, LogsDropped))
    assert dropped >= 100_000_000 - 24_000_000
    status = log.streams["stdout"].path.stat()
    assert status.st_size == 100_000_000
    assert status.st_blocks * 512 <= 100_000_000 - dropped + 1_000_000


# Writes 2 MiB every 10 ms, and prints after each how many bytes of the log are on disk.
_MEASURING_WRITER = """
import os, sys, time
out = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
piece = (b"x" * 99 + b"\\n") * 20_971
began = time.monotonic()
for number in range(int(sys.argv[2])):
    late = time.monotonic() - began - number * 0.01
    if late < 0:
        time.sleep(-late)
    os.write(out, piece)
    print(os.fstat(out).st_blocks * 512)
"""


async def _sizes_on_disk(log: UnitLog, *, writes: int) -> list[int]:
    arguments = [str(log.streams["stdout"].path), str(writes)]
    result = await anyio.run_process([sys.executable, "-c", _MEASURING_WRITER, *arguments])
    return [int(line) for line in result.stdout.split()]


# Appends a line to each log it is given, fifty times a second, until it is ended.
_NOISE = """
import os, sys, time
logs = [os.open(path, os.O_WRONLY | os.O_APPEND) for path in sys.argv[1:]]
print("ready", flush=True)
while True:
    for log in logs:
        os.write(log, b"a line\\n")
    time.sleep(0.02)
"""


@asynccontextmanager
async def _noise(logs: list[UnitLog]) -> AsyncIterator[None]:
    paths = [str(log.streams["stdout"].path) for log in logs]
    async with await anyio.open_process([sys.executable, "-c", _NOISE, *paths]) as process:
        try:
            assert process.stdout is not None
            await process.stdout.receive()
            yield
        finally:
            process.kill()


async def test_two_hundred_megabytes_a_second_stay_near_the_cap_among_many_noisy_logs(tmp_path):
    cap = 4 * 1024 * 1024
    log, *noisy = (
        UnitLog(tmp_path / f"db-{number}", unit=f"db-{number}", max_bytes=cap, clock=SystemClock())
        for number in range(201)
    )
    with anyio.fail_after(50):
        async with Watcher(on_notice=lambda _: None, reserve_bytes=0) as watcher:
            for each in (log, *noisy):
                each.directory.mkdir()
                each.streams["stdout"].path.touch()
                watcher.watch(each)
            async with _noise(noisy):
                sizes = await _sizes_on_disk(log, writes=200)
    # The median: what is written while the watcher gets no turn on a busy machine comes on top.
    # A watcher that rests for a quarter of a second lets more than ten times the cap pass.
    assert statistics.median(sizes) < 8 * cap


async def test_lines_are_dated_while_they_are_written(tmp_path):
    log = _log(tmp_path)
    clock = SystemClock()
    with anyio.fail_after(40):
        async with Watcher(on_notice=lambda _: None) as watcher:
            watcher.watch(log)
            began = clock.now()
            async with _writing(log, lines=500, per_second=500):
                reader = log.follow()
                times = []
                lines = 0
                while lines < 500:
                    chunk = await anext(reader)
                    lines += chunk.text.count(b"\n")
                    times.append(chunk.at)
            ended = clock.now()
    assert times == sorted(times)
    assert times[0] >= began.replace(microsecond=0)
    assert times[-1] <= ended
    assert (times[-1] - times[0]).total_seconds() > 0.5
    assert len(times) >= 10
