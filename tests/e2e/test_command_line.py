"""What people expect of a command line: files found from below, hints, completion, widths."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness_case import PROGRAM, TIMEOUT_S, HarnessCase, eventually
from tests.e2e.terminal_case import CTRL_C, Terminal

pytestmark = pytest.mark.timeout(90)

STACK = """\
services:
  web:
    type: process
    command: [sh, -c, 'pwd >where; exec sleep 1000']
    ports: {http: auto, admin: auto}
"""
FAILING = """\
services:
  web:
    type: process
    command: [sleep, '1000']
    hooks: {pre_start: [{command: 'seq 9; echo cannot migrate >&2; exit 3', shell: true}]}
"""
BROKEN = """\
services:
  db:
    type: process
    command: [sh, -c, 'exit 7']
    restart: "no"
  web: {type: process, command: [sleep, '1000'], depends_on: [db]}
"""


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    with HarnessCase(tmp_path) as case:
        yield case


def on_terminal(case: HarnessCase, *arguments: str, columns: int) -> tuple[int, list[str]]:
    """Run a command with its outputs on a terminal; return its status and the lines of it."""
    here, there = os.openpty()
    termios.tcsetwinsize(there, (24, columns))
    with subprocess.Popen(
        [PROGRAM, *arguments],
        cwd=case.directory,
        env={**case.env, "TERM": "xterm", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=there,
        stderr=there,
    ) as process:
        os.close(there)
        seen = b""
        while select.select((here,), (), (), 30)[0]:
            try:
                seen += os.read(here, 65536)
            except OSError:
                break
        os.close(here)
        code = process.wait(30)
    return code, seen.decode().splitlines()


def test_a_stack_is_found_from_any_directory_below_it(case: HarnessCase) -> None:
    case.write(STACK)
    top, below = case.directory, case.directory / "src" / "deep"
    below.mkdir(parents=True)
    case.directory = below
    case.ok("up", "-q")
    eventually((top / "where").exists)
    assert (top / "where").read_text().strip() == str(top)
    assert case.ok("exec", "web", "--", "pwd").strip() == str(top)
    assert case.unit("web")["state"] == "running"
    case.directory = top
    assert case.unit("web")["state"] == "running"
    case.directory = below
    case.ok("down", "-q")
    assert case.processes() == []


def test_without_a_stack_the_error_says_where_it_was_looked_for(case: HarnessCase) -> None:
    done = case("up")
    assert done.returncode == 6
    looked_in = ", ".join(map(str, (case.directory, *case.directory.parents)))
    assert f"(looked in {looked_in})" in done.stderr
    assert case.daemon_pid() is None


def test_a_hook_that_fails_is_shown_with_its_last_lines(case: HarnessCase) -> None:
    case.write(FAILING)
    done = case("up")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    first = lines.index("web: hook pre_start failed: exit status 3")
    shown = [*(f"web: | {number}" for number in (6, 7, 8, 9)), "web: | cannot migrate"]
    assert lines[first + 1 : first + 6] == shown
    assert "its pre_start hook failed: exit status 3; cannot migrate" in lines[-2]

    code, screen = on_terminal(case, "up", columns=200)
    assert code == 1
    for line in ("web: hook pre_start failed: exit status 3", *shown):
        assert any(line in row for row in screen), screen


def test_restart_tells_of_a_changed_file_and_up_applies_it(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    assert "note: " not in case("restart").stderr
    case.write(STACK.replace("1000", "1001"))
    done = case("restart")
    assert done.returncode == 0
    assert done.stderr.endswith(
        "note: the stack file has changed for web; `harness up` applies it\n"
    )
    case.ok("up", "-q")
    assert "note: " not in case("restart").stderr


def test_status_says_why_and_fits_a_terminal(case: HarnessCase) -> None:
    case.write(BROKEN)
    case("up")
    lines = case("status").stdout.splitlines()
    assert lines[0].split()[-1] == "MESSAGE"
    assert "exit status 7" in lines[1]
    assert lines[1].endswith("(harness why db)")
    code, screen = on_terminal(case, "status", columns=80)
    assert code == 3
    assert max(map(len, screen)) == 80
    assert any(line.endswith("…") for line in screen)


def test_a_pending_unit_says_what_it_waits_for(case: HarnessCase) -> None:
    case.write(
        "services:\n"
        "  db: {type: process, command: [sleep, '1000'], health_check: {command: ['false']}}\n"
        "  web: {type: process, command: [sleep, '1001'], depends_on: [db]}\n"
    )
    case.ok("up", "--no-wait")
    eventually(lambda: case.unit("db")["state"] == "running")
    assert case.unit("web")["message"] == 'waits for "db" (healthy)'


def complete(case: HarnessCase, *words: str) -> list[str]:
    """Return what bash is told for the last word."""
    done = subprocess.run(
        [PROGRAM],
        cwd=case.directory,
        env={
            **case.env,
            "_HARNESS_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("harness", *words)),
            "COMP_CWORD": str(len(words)),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_completion_starts_nothing_and_loads_little(case: HarnessCase) -> None:
    case.write(STACK)
    assert complete(case, "port", "web", "") == ["http", "admin"]
    assert not case.state_dir.exists()
    # Times depend on who else uses the machine; what takes the time are these.
    done = subprocess.run(
        [sys.executable, "-X", "importtime", PROGRAM],
        cwd=case.directory,
        env={
            **case.env,
            "_HARNESS_COMPLETE": "bash_complete",
            "COMP_WORDS": "harness port web ",
            "COMP_CWORD": "3",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert {"harness.cli.names", "yaml"} <= loaded
    assert loaded.isdisjoint({"anyio", "asyncio", "pydantic", "rich", "harness.client"})


def test_commands_at_once_end_with_one_daemon(case: HarnessCase) -> None:
    with case.begun("daemon", "start") as first, case.begun("daemon", "start") as second:
        said = [process.communicate(timeout=TIMEOUT_S) for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    pids = {re.search(rb"pid +(\d+)", out).group(1) for out, _ in said}  # type: ignore[union-attr]
    assert pids == {str(case.daemon_pid()).encode()}


def test_the_daemons_log_is_followed(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    with case.begun("daemon", "logs", "-f", "--tail", "0") as following:
        log = case.state_dir / "daemon.log"
        assert following.stdout is not None
        eventually(lambda: _is_watching(following.pid))
        with log.open("a") as file:
            file.write("first\n")
        assert following.stdout.readline() == b"first\n"
        log.rename(case.state_dir / "daemon.log.1")
        log.write_text("second\n")
        assert following.stdout.readline() == b"second\n"
        following.kill()


def _is_watching(pid: int) -> bool:
    """Tell whether the process has an inotify watch."""
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            if "inotify wd" in path.read_text():
                return True
        except OSError:
            continue
    return False


def test_status_that_is_watched_fits_into_the_window_and_shows_what_matters(
    case: HarnessCase,
) -> None:
    units = "".join(f"  s{n:02}: {{type: process, command: sleep 1000}}\n" for n in range(30))
    last = "  zz: {type: process, command: 'false', restart: no}\n"
    case.write(f"services:\n{units}{last}")
    case("up", "-q", "--keep-going")
    with Terminal(case, "status", "--watch", env={"TERM": "xterm"}, rows=10) as terminal:
        terminal.until(b"more")
        picture = terminal.shown.rpartition(b"\x1b[2J")[2].decode()
        terminal.type(CTRL_C)
        assert terminal.end() == 130
    lines = [line for line in picture.split("\r\n") if line]
    assert len(lines) <= 9
    assert any(line.startswith("zz ") for line in lines)
    assert "… and 24 more" in lines
