"""A full disk under the state directory: services go on, the daemon answers, the loss is told."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.requirements import require

from .harness_case import HarnessCase, eventually

pytestmark = pytest.mark.timeout(120)

SIZE = 24 * 1024 * 1024


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    can_mount = os.geteuid() == 0 and shutil.which("mount") is not None
    require("root", can_mount, "mounting a small file system is for root")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(state)],
        capture_output=True,
        text=True,
        check=False,
    )
    require("root", mounted.returncode == 0, mounted.stderr.strip())
    try:
        with HarnessCase(tmp_path) as case:
            yield case
    finally:
        subprocess.run(["umount", "--lazy", str(state)], check=True)


def _fill(case: HarnessCase) -> Path:
    """Take every free block of the disk; return the file that holds them."""
    ballast = case.state_dir / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(b"b" * size):
                    pass
            except OSError:
                continue
    return ballast


PRINTER = """\
import os, sys, time
n = lost = 0
while True:
    n += 1
    try:
        os.write(1, b"%07d %s\\n" % (n, b"x" * 1000))
    except OSError:
        lost += 1
    with open("progress", "w") as file:
        file.write(f"{n} {lost}\\n")
    time.sleep(0.001)
"""


def _progress(case: HarnessCase) -> tuple[int, int]:
    """Return how many lines the service has tried to print, and how many could not be written."""
    words = " ".join(case.lines("progress")).split()
    return (int(words[0]), int(words[1])) if len(words) == 2 else (0, 0)


def test_a_disk_that_logs_fill_costs_the_oldest_lines_and_nothing_else(case: HarnessCase) -> None:
    case.script("flood.py", FLOOD)
    case.write("services:\n  flood: {type: process, command: python3 flood.py, restart: no}")
    case.ok("up", "-q")
    eventually(lambda: case.unit("flood")["state"] == "exited", within_s=60)
    assert case.unit("flood")["exit_code"] == 0
    dropped = case.events("logs-dropped")
    assert {event["unit"] for event in dropped} == {"flood"}
    assert "disk-low" in {event["data"]["cause"] for event in dropped}
    assert case.logs("flood").endswith(b"\nlast line\n")
    assert shutil.disk_usage(case.state_dir).free > 0
    case.ok("down")


# Slow enough for a daemon on a busy machine to keep up.
FLOOD = """\
import os, time
line = b"y" * 1023 + b"\\n"
for n in range(64):
    for _ in range(1024):
        os.write(1, line)
    time.sleep(0.1)
os.write(1, b"last line\\n")
"""


def test_on_a_full_disk_services_go_on_and_all_goes_on_when_there_is_space_again(
    case: HarnessCase,
) -> None:
    case.script("printer.py", PRINTER)
    case.write(
        "services:\n  printer: {type: process, command: python3 printer.py}\n"
        "  quiet: {type: process, command: sleep 1000}"
    )
    case.ok("up", "-q")
    daemon = case.daemon_pid()
    ballast = _fill(case)
    before, _ = _progress(case)
    eventually(lambda: _progress(case)[0] > before + 500)

    # The daemon answers, and changes what it is asked to as far as that needs no space.
    status = case.status()
    assert {name: unit["state"] for name, unit in status.items()} == {
        "printer": "running",
        "quiet": "running",
    }
    case.ok("why", "printer")
    case.ok("logs", "printer", "--tail", "5")
    case.ok("stop", "quiet")
    assert case.unit("quiet")["state"] == "stopped"
    assert case.processes("quiet") == []
    assert case.daemon_pid() == daemon

    ballast.unlink()
    case.ok("start", "quiet")
    assert case.unit("quiet")["state"] == "running"
    number, _ = _progress(case)
    eventually(lambda: _has_line_after(case, number))
    assert case.daemon_pid() == daemon
    assert case.unit("printer")["pid"] == status["printer"]["pid"]
    case.ok("down")
    assert case.marked(case.project) == []
    stopped = [
        event["unit"]
        for event in case.events("unit-state-changed")
        if event["data"]["new"] == "stopped"
    ]
    assert "printer" in stopped


def _has_line_after(case: HarnessCase, number: int) -> bool:
    words = case.logs("printer", "--tail", "1").split()
    return bool(words) and words[0].isdigit() and int(words[0]) > number


def test_a_start_on_a_full_disk_is_refused_in_plain_words(case: HarnessCase) -> None:
    case.write(
        "services:\n  a: {type: process, command: sleep 1000}\n"
        "  b: {type: process, command: sleep 1000}"
    )
    case.ok("up", "-q", "a")
    ballast = _fill(case)
    refused = case("up")
    assert refused.returncode == 1
    assert "full" in refused.stderr or "No space left" in refused.stderr
    assert "defect" not in refused.stderr
    assert case.unit("a")["state"] == "running"
    assert case.processes("b") == []
    ballast.unlink()
    case.ok("up")
    case.ok("down")
    assert case.marked(case.project) == []


def test_a_daemon_killed_on_a_full_disk_has_a_successor_that_adopts_all(case: HarnessCase) -> None:
    case.write("services:\n  a: {type: process, command: sleep 1000}")
    case.ok("up", "-q")
    pid = case.unit("a")["pid"]
    ballast = _fill(case)
    case.kill_daemon()
    on_full_disk = case("status", "--json")
    if on_full_disk.returncode != 0:
        assert on_full_disk.returncode == 1
        assert "Traceback" not in on_full_disk.stderr
        assert "full" in on_full_disk.stderr or "No space left" in on_full_disk.stderr
    ballast.unlink()
    assert case.unit("a")["pid"] == pid
    case.ok("down")
    assert case.marked(case.project) == []
