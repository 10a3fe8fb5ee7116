"""Ctrl-C during `harness up`, from the first import on: told, no traceback, nothing half-done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import is_alive

from .harness_case import TIMEOUT_S, HarnessCase, eventually
from .terminal_case import CTRL_C, Terminal

pytestmark = pytest.mark.timeout(120)

# `early` is ready at once, `late` when the test says so.
SLOW = (
    "services:\n"
    "  early: {type: process, command: sleep 1000}\n"
    "  late:\n    type: process\n    command: [sh, -c, 'echo late >>began; exec sleep 1000']\n"
    "    depends_on: [early]\n    health_check: {command: [test, -e, ready], interval: 200ms}\n"
)
# `late` takes its time to stop, and says when it is asked to.
STUBBORN = (
    "services:\n  early: {type: process, command: sleep 1000}\n"
    "  late:\n    type: process\n    shutdown_timeout: 2s\n    depends_on: [early]\n"
    '    command: [sh, -c, \'trap "echo asked >>asked" TERM; echo l >>began; '
    "while :; do sleep 0.1; done']\n"
    "    health_check: {command: [test, -e, ready], interval: 200ms}\n"
)
NOISE = (b"Traceback", b"Warning", b"Exception ignored", b"never awaited", b"defect")


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    with HarnessCase(tmp_path) as case:
        yield case


def _interrupted_at(case: HarnessCase, module: str, *arguments: str) -> tuple[int, list[bytes]]:
    """Interrupt a command as soon as it has imported a module.

    Returns its exit status and what it said besides.
    """
    case.env["PYTHONPROFILEIMPORTTIME"] = "1"  # a line on stderr as each import ends
    with case.begun(*arguments) as process:
        del case.env["PYTHONPROFILEIMPORTTIME"]
        assert process.stderr is not None
        said = []
        while line := process.stderr.readline():
            said.append(line)
            if line.rpartition(b"|")[2].strip() == module.encode():
                process.send_signal(signal.SIGINT)
                break
        said += process.stderr.readlines()
        process.wait(TIMEOUT_S)
    return process.returncode, [line for line in said if not line.startswith(b"import time:")]


def _is_clean(said: list[bytes]) -> bool:
    return not any(noise in line for line in said for noise in NOISE)


def _daemon_processes(case: HarnessCase) -> list[int]:
    """Return the processes that are a daemon of this state directory, or become one."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"harness.daemon" in words and str(case.state_dir).encode() in words:
            found.append(int(name))
    return found


def _comes_up_and_goes_down(case: HarnessCase) -> None:
    (case.directory / "ready").touch()
    case.ok("up")
    assert {unit["state"] for unit in case.status().values()} == {"running"}
    case.ok("down")
    assert case.marked(case.project) == []


# ── the first moments ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "module",
    [
        "collections.abc",
        "click.core",
        "harness.cli.root",
        "harness.cli.operations",
        "anyio",
        "harness.client.connection",
        "harness.client.starting",
    ],
)
def test_ctrl_c_while_the_program_is_loading_says_so_and_leaves_nothing(
    case: HarnessCase, module: str
) -> None:
    case.write(SLOW)
    status, said = _interrupted_at(case, module, "up")
    assert status == 130, said
    assert said[-1] == b"harness: interrupted\n"
    assert _is_clean(said), said
    assert case.marked(case.project) == []
    _comes_up_and_goes_down(case)


def test_ctrl_c_while_the_program_is_loading_is_a_document_for_programs(case: HarnessCase) -> None:
    case.write(SLOW)
    status, said = _interrupted_at(case, "harness.cli.root", "up", "--json")
    assert status == 130
    assert json.loads(b"".join(said))["error"] == {
        "kind": "interrupted",
        "message": "interrupted",
        "hint": None,
        "details": {},
    }


def test_ctrl_c_is_a_line_when_only_the_command_that_is_run_is_told_json(case: HarnessCase) -> None:
    status, said = _interrupted_at(case, "harness.cli.root", "exec", "a", "--", "b", "--json")
    assert (status, said[-1]) == (130, b"harness: interrupted\n")


def test_ctrl_c_is_ignored_where_the_caller_ignores_it(case: HarnessCase) -> None:
    case.write("services:\n  a: {type: process, command: sleep 1000}")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        status, _ = _interrupted_at(case, "harness.cli.root", "config", "show")
    finally:
        signal.signal(signal.SIGINT, before)
    assert status == 0


def _interrupted_when_a_daemon_starts(case: HarnessCase, *arguments: str) -> list[bytes]:
    with case.begun(*arguments) as client:
        eventually(lambda: _daemon_processes(case) != [], within_s=30)
        client.send_signal(signal.SIGINT)
        _, stderr = client.communicate(timeout=TIMEOUT_S)
    said = stderr.splitlines()
    assert client.returncode == 130, said
    assert _is_clean(said), said
    return said


def test_ctrl_c_while_the_daemon_is_being_started_is_told(case: HarnessCase) -> None:
    said = _interrupted_when_a_daemon_starts(case, "daemon", "start")
    note = b"note: nothing was asked of the daemon; if it was being started, it may go on"
    assert any(line.startswith(note) for line in said), said


def test_ctrl_c_while_the_stack_is_checked_leaves_nothing(case: HarnessCase) -> None:
    case.write(SLOW)
    _interrupted_when_a_daemon_starts(case, "up")
    assert case.marked(case.project) == []
    # As told: whether it goes on or not, the next command finds one daemon.
    _comes_up_and_goes_down(case)
    eventually(lambda: _daemon_processes(case) == [case.daemon_pid()])
    case.ok("daemon", "stop")
    eventually(lambda: _daemon_processes(case) == [])


def test_ctrl_c_at_a_terminal_does_not_reach_the_daemon_or_services(case: HarnessCase) -> None:
    case.write(SLOW)
    case.env["TERM"] = "xterm"
    with Terminal(case, "up") as terminal:
        eventually(lambda: case.lines("began") != [], within_s=30)
        daemon, pid = case.daemon_pid(), case.unit("early")["pid"]
        terminal.until(b"early")
        terminal.type(CTRL_C)
        assert terminal.end() == 130
    assert case.daemon_pid() == daemon
    assert is_alive(pid)


# ── while it is under way ────────────────────────────────────────────────────────────────────────


def test_the_first_ctrl_c_cancels_and_tells_what_keeps_running(case: HarnessCase) -> None:
    case.write(SLOW)
    case.env["TERM"] = "xterm-256color"
    with Terminal(case, "up") as terminal:
        eventually(lambda: case.lines("began") != [], within_s=30)
        terminal.until(b"early")
        terminal.type(CTRL_C)
        terminal.until(b"harness: cancelling; interrupt again not to wait for it")
        assert terminal.end() == 130
        shown = terminal.shown
    assert b"harness: interrupted; 1 service keeps running" in shown
    assert b"stopped what was not ready: late" in shown
    assert b"harness down takes all down" in shown
    assert _is_clean(shown.splitlines()), shown
    # A cursor that was hidden is shown again.
    assert shown.rfind(b"\x1b[?25h") >= shown.rfind(b"\x1b[?25l")
    states = {name: unit["state"] for name, unit in case.status().items()}
    assert states == {"early": "running", "late": "stopped"}
    _comes_up_and_goes_down(case)


# The many come all through the end of the work.
@pytest.mark.parametrize("presses", [2, 5, 100])
def test_the_second_ctrl_c_leaves_and_says_that_it_is_being_cancelled(
    case: HarnessCase, presses: int
) -> None:
    case.write(STUBBORN)
    case.env["TERM"] = "xterm-256color"
    with Terminal(case, "up") as terminal:
        eventually(lambda: case.lines("began") != [], within_s=30)
        terminal.until(b"early")
        terminal.type(CTRL_C)
        terminal.until(b"harness: cancelling")
        eventually(lambda: case.lines("asked") != [], within_s=30)
        for _ in range(presses - 1):
            terminal.type(CTRL_C)
            time.sleep(0.001)
        assert terminal.end() == 130
        shown = terminal.shown
    assert b"is being cancelled (harness status shows how far it is)" in shown or presses > 2
    assert _is_clean(shown.splitlines()), shown
    # With each further one the terminal drops what it has not shown yet.
    assert shown.rfind(b"\x1b[?25h") >= shown.rfind(b"\x1b[?25l") or presses > 2
    eventually(lambda: case.unit("late")["state"] == "stopped")
    assert [process.unit for process in case.processes()] == ["early"]


def test_ctrl_c_before_the_operation_has_a_name_cancels_it_when_it_has(case: HarnessCase) -> None:
    case.write(SLOW)
    case.ok("daemon", "start")
    daemon = case.daemon_pid()
    assert daemon is not None
    with case.begun("up", "-v") as client:
        # The daemon is held, so the answer that names the operation does not come.
        eventually(lambda: _waits_for(client, case), within_s=30)
        os.kill(daemon, signal.SIGSTOP)
        try:
            client.send_signal(signal.SIGINT)
            assert client.stderr is not None
            said = []
            while line := client.stderr.readline():
                said.append(line)
                if b"cancelling" in line or b"interrupted" in line:
                    break
        finally:
            os.kill(daemon, signal.SIGCONT)
        said += client.stderr.readlines()
        client.wait(TIMEOUT_S)
    assert client.returncode == 130, said
    assert _is_clean(said), said
    eventually(lambda: {p.unit for p in case.processes()} <= {"early"})
    eventually(lambda: case("status").returncode in (0, 3, 4))


def _waits_for(client: subprocess.Popen[bytes], case: HarnessCase) -> bool:
    """Tell whether the command has connected to the daemon."""
    try:
        links = [os.readlink(entry) for entry in Path(f"/proc/{client.pid}/fd").iterdir()]
    except OSError:
        return False
    return sum(link.startswith("socket:") for link in links) >= 3


@pytest.mark.parametrize("arguments", [("up", "--no-wait"), ("down",), ("restart",)])
def test_ctrl_c_at_other_long_commands_leaves_no_noise(
    case: HarnessCase, arguments: tuple[str, ...]
) -> None:
    case.write("services:\n  a: {type: process, command: sleep 1000}")
    case.ok("up", "-q")
    status, said = _interrupted_at(case, "harness.client.websocket", *arguments)
    assert status == 130, said
    assert said[-1] == b"harness: interrupted\n"
    assert _is_clean(said), said
    assert [process.unit for process in case.processes()] == ["a"]
