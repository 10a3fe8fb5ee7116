"""Output that would break a line reader, and a service that gives its output up."""

from __future__ import annotations

import os
import time

import anyio
import pytest

from harness.client import connect
from harness.protocol import Endpoint

from .harness_case import HarnessCase, eventually

pytestmark = pytest.mark.timeout(120)

CAP = 8 * 1024 * 1024
GIB = 1024**3
MOST_MEMORY = 150 * 1024 * 1024


FLOOD = f"""\
import os
piece = b"x" * (1 << 20)
with open("begun", "w") as file:
    file.write("begun\\n")
for _ in range({GIB} // len(piece)):
    os.write(1, piece)
with open("written", "w") as file:
    file.write("written\\n")
os.read(os.open("go", os.O_RDONLY), 1)
os.write(1, b"\\nlast line\\n")
"""


class _Watch:
    """What was seen of the daemon while a service printed: the largest of each."""

    def __init__(self) -> None:
        self.answers_s: list[float] = []
        self.memory = 0
        self.on_disk = 0


async def _look(case: HarnessCase, watch: _Watch) -> None:
    """Ask over one connection until the service has written everything; every answer counts."""
    async with connect(Endpoint(case.state_dir), start=False) as client:
        while not case.lines("written"):
            began = time.monotonic()
            status = await client.services.status(project=case.project)
            watch.answers_s.append(time.monotonic() - began)
            assert status["services"][0]["state"] == "running"
            watch.memory = max(watch.memory, case.daemon_rss_bytes())
            watch.on_disk = max(watch.on_disk, case.log_file("flood").stat().st_blocks * 512)
            await anyio.sleep(0.02)


def test_a_gigabyte_without_a_newline_costs_neither_memory_nor_disk_nor_answers(
    case: HarnessCase,
) -> None:
    os.mkfifo(case.directory / "go")
    case.script("flood.py", FLOOD)
    case.write(
        f"settings: {{log_max_size: {CAP}}}\n"
        "services:\n  flood: {type: process, command: python3 flood.py, restart: no}"
    )
    case.ok("up", "-q")
    watch = _Watch()
    anyio.run(_look, case, watch)
    assert max(watch.answers_s) < 1
    assert watch.memory < MOST_MEMORY
    # What a service writes while the daemon has no turn comes on top, for that long: at gigabytes a
    # second, a tenth of a second of the machine's other work is a good part of it.
    assert watch.on_disk < GIB / 2
    eventually(lambda: case.log_file("flood").stat().st_blocks * 512 < 1.5 * CAP)
    assert case.unit("flood")["state"] == "running"

    (case.directory / "go").write_text("go\n")
    eventually(lambda: case.unit("flood")["state"] == "exited")
    # The whole of it was one line, and only its end is kept.
    kept = case.logs("flood")
    assert kept.endswith(b"x\nlast line\n")
    assert len(kept) < 1.5 * CAP
    assert set(kept[: -len(b"\nlast line\n")]) == {ord("x")}
    assert case.ok("logs", "flood", "--no-prefix", "--tail", "1") == "last line\n"
    assert case.daemon_rss_bytes() < MOST_MEMORY
    dropped = case.events("logs-dropped")
    assert sum(event["data"]["bytes"] for event in dropped) > GIB - 2 * CAP


LINES = """\
import os
os.read(os.open("go", os.O_RDONLY), 1)
for _ in range(64):
    os.write(1, (b"x" * 63 + b"\\n") * (1 << 14))
with open("written", "w") as file:
    file.write("written\\n")
os.read(os.open("go", os.O_RDONLY), 1)
"""


async def _accounted(case: HarnessCase, total: int) -> tuple[int, int]:
    """Follow without reading until all is written; return bytes read, and bytes told missing."""
    read = missing = 0
    async with (
        connect(Endpoint(case.state_dir), start=False) as client,
        client.logs.read(project=case.project, follow=True) as chunks,
    ):
        (case.directory / "go").write_text("go\n")
        await anyio.to_thread.run_sync(eventually, lambda: case.lines("written") == ["written"])
        with anyio.fail_after(60):
            async for chunk in chunks:
                read += len(chunk["text"])
                missing += chunk.get("skipped", 0)
                if read + missing >= total:
                    break
    return read, missing


def test_a_follower_that_cannot_keep_up_is_told_of_every_byte_it_missed(case: HarnessCase) -> None:
    os.mkfifo(case.directory / "go")
    case.script("lines.py", LINES)
    case.write(
        "settings: {log_max_size: 1048576}\n"
        "services:\n  printer: {type: process, command: python3 lines.py, restart: no}"
    )
    case.ok("up", "-q")
    total = 64 * 64 * (1 << 14)
    read, missing = anyio.run(_accounted, case, total)
    assert read + missing == total
    assert missing > total / 2
    (case.directory / "go").write_text("go\n")
    eventually(lambda: case.unit("printer")["state"] == "exited")


STRANGE = b"".join(
    [
        b"plain\n",
        b"nul \x00 within\n",
        b"\x00\x00\x00\n",
        bytes(range(256)),
        b"\nnot utf-8 \xff\xfe\xc3\x28 \xed\xa0\x80\n",
        b"carriage\r\nreturn\ronly\n",
        "Grüße 🦀\n".encode(),
        b"\xe2\x82\n\xac\n",
        b"\x1b[31mred\x1b[0m\n",
        b"\n\n\n",
        b"l" * 3_000_000 + b"\n",
        b"no newline at the end \xf0\x9f",
    ]
)


def test_any_byte_comes_back_as_it_was_written(case: HarnessCase) -> None:
    (case.directory / "strange").write_bytes(STRANGE)
    case.write("services:\n  odd: {type: process, command: cat strange, restart: no}")
    case.ok("up", "-q")
    eventually(lambda: case.unit("odd")["state"] == "exited")
    assert case.logs("odd") == STRANGE
    case.kill_daemon()
    assert case.logs("odd") == STRANGE


def test_a_service_that_closes_its_output_goes_on(case: HarnessCase) -> None:
    case.write(
        "services:\n  mute:\n    type: process\n"
        "    command: [sh, -c, 'echo last; exec >&- 2>&-; echo on >>began; exec sleep 1000']"
    )
    case.ok("up", "-q")
    eventually(lambda: case.lines("began") == ["on"])
    mute = case.unit("mute")
    assert (mute["state"], mute["restarts"]) == ("running", 0)
    assert [process.pid for process in case.processes("mute")] == [mute["pid"]]
    assert case.logs("mute") == b"last\n"
    case.kill_daemon()
    assert case.unit("mute")["pid"] == mute["pid"]


def test_a_log_file_that_was_deleted_disturbs_nothing(case: HarnessCase) -> None:
    case.write(
        "services:\n  talker:\n    type: process\n"
        "    command: [sh, -c, 'echo one; read x <go; echo two; exec sleep 1000']"
    )
    os.mkfifo(case.directory / "go")
    case.ok("up", "-q")
    eventually(lambda: case.logs("talker") == b"one\n")
    case.log_file("talker").unlink()
    (case.directory / "go").write_text("go\n")
    case.logs("talker")
    assert case.unit("talker")["state"] == "running"
    case.ok("restart", "talker", "--no-wait")
    (case.directory / "go").write_text("go\n")
    eventually(lambda: case.logs("talker").endswith(b"one\ntwo\n"))
