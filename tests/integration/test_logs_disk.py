"""Full disks and file systems that cannot give space back."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from harness.clock import SystemClock
from harness.logs import CapRefused, LogNotice, LogsDropped, UnitLog, Watcher
from tests.requirements import require

pytestmark = pytest.mark.timeout(60)


@asynccontextmanager
async def _mounted(directory: Path, kind: str, *options: str) -> AsyncIterator[Path]:
    can_mount = os.geteuid() == 0 and shutil.which("mount") is not None
    require("root", can_mount, "mounting a small file system is for root")
    place = directory / "mounted"
    place.mkdir()
    result = await anyio.run_process(["mount", "-t", kind, *options, kind, str(place)], check=False)
    require("root", result.returncode == 0, result.stderr.decode().strip())
    try:
        yield place
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.run_process(["umount", str(place)])


class _Notices:
    """Collects notices and lets a test wait for one."""

    def __init__(self) -> None:
        self.all: list[LogNotice] = []
        self.arrived = anyio.Event()

    def take(self, notice: LogNotice) -> None:
        self.all.append(notice)
        self.arrived.set()


def _append(log: UnitLog, stream: str, data: bytes) -> None:
    with log.streams[stream].path.open("ab", buffering=0) as file:
        file.write(data)


async def test_a_nearly_full_disk_drops_the_oldest_lines_of_the_largest_log(tmp_path):
    notices = _Notices()
    async with _mounted(tmp_path, "tmpfs", "-o", "size=8m") as place:
        log = UnitLog(place / "db", unit="db", max_bytes=1 << 30, clock=SystemClock())
        with anyio.fail_after(20):
            async with Watcher(
                on_notice=notices.take, reserve_bytes=2_000_000, floor_bytes=100_000
            ) as watcher:
                watcher.watch(log)
                reader = log.follow()
                log.directory.mkdir(exist_ok=True)
                _append(log, "stderr", b"small but dear\n")
                received = 0
                for _ in range(40):
                    _append(log, "stdout", b"0123456789abcde\n" * 62_500)
                    wanted = received + 62_500
                    while received < wanted:
                        chunk = await anext(reader)
                        if chunk.stream == "stdout":
                            assert chunk.skipped == 0
                            received += chunk.text.count(b"\n")
                    while shutil.disk_usage(place).free < 2_000_000:
                        await notices.arrived.wait()
                        notices.arrived = anyio.Event()
                errors = log.read(streams=["stderr"])
                assert (await anext(errors)).text == b"small but dear\n"
    dropped = [n for n in notices.all if isinstance(n, LogsDropped)]
    assert {(n.stream, n.cause) for n in dropped} == {("stdout", "disk-low")}
    assert sum(n.size_bytes for n in dropped) >= 40_000_000 - 8_000_000


async def test_a_full_disk_frees_space_by_itself_and_readers_go_on(tmp_path):
    notices = _Notices()
    async with _mounted(tmp_path, "tmpfs", "-o", "size=4m") as place:
        log = UnitLog(place / "db", unit="db", max_bytes=1 << 30, clock=SystemClock())
        log.directory.mkdir()
        full = b"0123456789abcde\n" * 1_000_000
        with log.streams["stdout"].path.open("ab", buffering=0) as file:
            while shutil.disk_usage(place).free:
                file.write(full)
        with anyio.fail_after(20):
            async with Watcher(
                on_notice=notices.take, reserve_bytes=1_000_000, floor_bytes=100_000
            ) as watcher:
                watcher.watch(log)
                await notices.arrived.wait()
                assert shutil.disk_usage(place).free >= 1_000_000
                reader = log.follow(tail=0)
                with anyio.move_on_after(0.05):
                    await anext(reader)
                _append(log, "stdout", b"\nalive\n")
                text = b""
                while b"\nalive\n" not in text:
                    text += (await anext(reader)).text
                async for chunk in log.read(tail=3, streams=["stdout"]):
                    text += chunk.text
    assert text.endswith(b"alive\n")


async def test_a_file_system_without_holes_is_reported_once_and_keeps_the_log(tmp_path):
    notices = _Notices()
    async with _mounted(tmp_path, "ramfs") as place:
        log = UnitLog(place / "db", unit="db", max_bytes=100_000, clock=SystemClock())
        log.directory.mkdir()
        with anyio.fail_after(20):
            async with Watcher(on_notice=notices.take, reserve_bytes=0) as watcher:
                watcher.watch(log)
                reader = log.follow()
                lines = 0
                for number in range(1, 6):
                    _append(log, "stdout", b"0123456789\n" * 20_000)
                    while lines < number * 20_000:
                        lines += (await anext(reader)).text.count(b"\n")
                await notices.arrived.wait()
        kept = 0
        async for chunk in log.read():
            kept += chunk.text.count(b"\n")
    assert kept == 100_000
    assert [type(notice) for notice in notices.all] == [CapRefused]
    assert notices.all[0].stream == "stdout"
