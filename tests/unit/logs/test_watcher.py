import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import anyio
import pytest

from harness.clock import SystemClock
from harness.logs import LogNotice, LogsDropped, UnitLog, Watcher, merge
from harness.logs.kernel import _MODIFY, Inotify, _add_watch
from harness.patterns import compile_pattern

_MOST_EVENTS = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())


@pytest.fixture
def log(tmp_path):
    return UnitLog(tmp_path / "db", unit="db", max_bytes=1 << 30, clock=SystemClock())


def _watcher(notices: list[LogNotice] | None = None, **options) -> Watcher:
    taken: list[LogNotice] = [] if notices is None else notices
    return Watcher(on_notice=taken.append, reserve_bytes=0, **options)


def _append(log: UnitLog, data: bytes, stream: str = "stdout") -> None:
    log.directory.mkdir(exist_ok=True)
    with log.streams[stream].path.open("ab") as file:
        file.write(data)


async def test_a_follower_gets_what_was_there_and_then_what_comes(log):
    _append(log, b"there\n")
    with anyio.fail_after(10):
        async with _watcher() as watcher:
            reader = log.follow()
            assert (await anext(reader)).text == b"there\n"
            watcher.watch(log)
            for number in range(20):
                _append(log, b"line %d\n" % number)
                assert (await anext(reader)).text == b"line %d\n" % number


async def test_a_follower_may_wait_before_the_unit_ever_ran(log):
    async def start() -> None:
        _append(log, b"hello\n", "stderr")
        watcher.watch(log)

    with anyio.fail_after(10):
        async with _watcher() as watcher, anyio.create_task_group() as tasks:
            reader = log.follow()
            tasks.start_soon(start)
            chunk = await anext(reader)
    assert (chunk.stream, chunk.text) == ("stderr", b"hello\n")


async def test_an_unfinished_line_waits_for_its_end(log):
    with anyio.fail_after(10):
        async with _watcher() as watcher:
            watcher.watch(log)
            eager = log.follow(unfinished=True)
            patient = log.follow()
            _append(log, b"password: ")
            assert (await anext(eager)).text == b"password: "
            _append(log, b"***\nnext\n")
            assert (await anext(patient)).text == b"password: ***\nnext\n"
            assert (await anext(eager)).text == b"***\nnext\n"


async def test_a_cancelled_wait_loses_nothing(log):
    with anyio.fail_after(10):
        async with _watcher() as watcher:
            watcher.watch(log)
            reader = log.follow()
            received = b""
            for number in range(200):
                _append(log, b"%d\n" % number)
                with anyio.move_on_after(0.000_1 * (number % 7)):
                    received += (await anext(reader)).text
            while received.count(b"\n") < 200:
                received += (await anext(reader)).text
    assert received == b"".join(b"%d\n" % number for number in range(200))


async def test_tail_applies_before_following(log):
    _append(log, b"1\n2\n3\n")
    with anyio.fail_after(10):
        async with _watcher() as watcher:
            watcher.watch(log)
            reader = log.follow(tail=1)
            assert (await anext(reader)).text == b"3\n"
            _append(log, b"4\n")
            assert (await anext(reader)).text == b"4\n"
            new = log.follow(tail=0)
            with anyio.move_on_after(0.02):
                assert (await anext(new)).text == b"nothing is there to read"
            _append(log, b"5\n")
            assert (await anext(new)).text == b"5\n"


async def test_grep_while_following(log):
    with anyio.fail_after(10):
        async with _watcher() as watcher:
            watcher.watch(log)
            reader = log.follow(grep=compile_pattern(r"ready"))
            _append(log, b"booting\nnearly\n")
            _append(log, b"ready now\nand more\n")
            assert (await anext(reader)).text == b"ready now\n"


async def test_two_units_are_followed_at_once(tmp_path):
    logs = [
        UnitLog(tmp_path / name, unit=name, max_bytes=1 << 30, clock=SystemClock())
        for name in ("a", "b")
    ]
    with anyio.fail_after(10):
        async with _watcher() as watcher:
            for log in logs:
                watcher.watch(log)
            reader = merge(logs, follow=True)
            for log in (logs[1], logs[0], logs[1]):
                _append(log, b"x\n")
                assert (await anext(reader)).unit == log.unit


async def test_lines_since_an_offset_come_one_by_one(log):
    _append(log, b"earlier run: ready\n")
    with anyio.fail_after(10):
        async with _watcher() as watcher:
            watcher.watch(log)
            lines = log.lines_since(await log.offsets())
            _append(log, b"starting\nrea")
            assert await anext(lines) == ("stdout", b"starting")
            _append(log, b"dy\n")
            assert await anext(lines) == ("stdout", b"ready")
            _append(log, b"x" * 1_500_000 + b"\n\n", "stderr")
            assert await anext(lines) == ("stderr", b"x" * 1024 * 1024)
            assert await anext(lines) == ("stderr", b"")


async def test_a_cap_is_kept_and_told(tmp_path):
    log = UnitLog(tmp_path, unit="db", max_bytes=200_000, clock=SystemClock())
    notices: list[LogNotice] = []
    path = log.streams["stdout"].path
    told = anyio.Event()

    def take(notice: LogNotice) -> None:
        notices.append(notice)
        if path.stat().st_size == 660_000 and path.stat().st_blocks * 512 <= 220_000:
            told.set()

    with anyio.fail_after(10):
        async with Watcher(on_notice=take, reserve_bytes=0) as watcher:
            watcher.watch(log)
            reader = log.follow()
            received = 0
            for _ in range(50):
                _append(log, b"0123456789\n" * 1_000)
                while True:
                    chunk = await anext(reader)
                    assert chunk.skipped == 0
                    received += chunk.text.count(b"\n")
                    if received % 1_000 == 0:
                        break
            _append(log, b"0123456789\n" * 10_000)
            await told.wait()
    assert received == 50_000
    dropped = [n for n in notices if isinstance(n, LogsDropped)]
    assert {(n.unit, n.stream, n.cause) for n in dropped} == {("db", "stdout", "cap")}
    assert sum(n.size_bytes for n in dropped) >= 660_000 - 220_000


async def test_clearing_a_watched_log_starts_followers_over(log):
    with anyio.fail_after(10):
        async with _watcher() as watcher:
            watcher.watch(log)
            reader = log.follow()
            _append(log, b"a long first run\n")
            assert (await anext(reader)).text == b"a long first run\n"
            await log.clear()
            _append(log, b"new\n")
            chunk = await anext(reader)
            assert (chunk.text, chunk.end) == (b"new\n", 4)


async def test_a_forgotten_log_may_be_deleted_and_watched_again(log):
    with anyio.fail_after(10):
        async with _watcher() as watcher:
            watcher.watch(log)
            reader = log.follow()
            _append(log, b"one\n")
            assert (await anext(reader)).text == b"one\n"
            await log.clear()
            watcher.forget(log)
            for path in log.directory.iterdir():
                path.unlink()
            watcher.watch(log)
            _append(log, b"two\n")
            assert (await anext(reader)).text == b"two\n"


@contextlib.contextmanager
def _still(log: UnitLog) -> Iterator[Watcher]:
    """Yield one that watches the log and does nothing by itself."""
    watcher = _watcher()
    watcher._limiter = anyio.CapacityLimiter(1)
    watcher._inotify = Inotify()
    try:
        watcher.watch(log)
        yield watcher
    finally:
        watcher._inotify.close()


async def test_when_too_much_happened_every_quiet_stream_is_looked_at_anew(log):
    with _still(log) as watcher, contextlib.ExitStack() as files:
        for _ in range(2):
            watcher._settle(watcher._look(list(watcher._dirty)))
        assert (len(watcher._armed), len(watcher._dirty)) == (2, 0)
        noise = [files.enter_context((log.directory / n).open("ab", buffering=0)) for n in "ab"]
        for file in noise:
            _add_watch()(watcher._inotify.descriptor, os.fsencode(file.name), _MODIFY)
        # Two files in turn: the kernel tells of equal news in a row once.
        for number in range(_MOST_EVENTS + 1):
            noise[number % 2].write(b"x")
        assert watcher._take_fired()
        assert not watcher._armed
        assert [(k.is_fast, k.due_at) for k in watcher._dirty] == [(True, 0.0)] * 2


async def test_glances_at_slow_streams_cost_the_fast_ones_nothing(log):
    with _still(log) as watcher:
        fast, slow = watcher._keepers[log]
        fast.is_fast, fast.due_at = True, float("inf")
        slow.is_fast, slow.due_at = False, 0.0
        await watcher._glance()
        assert slow.due_at > 0
        assert watcher._slow_from > monotonic()
        assert watcher._fast_from < monotonic()
        # While the slow ones wait for their turn, a fast one has its own.
        fast.due_at = slow.due_at = monotonic()
        assert watcher._glance_at() == fast.due_at


async def test_a_dropped_follower_leaves_nothing_behind(log):
    reader = log.follow()
    assert len(log.streams["stdout"].listeners) == 1
    del reader
    assert len(log.streams["stdout"].listeners) == 0
