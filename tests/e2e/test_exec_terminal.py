"""`harness exec` on a real terminal, as somebody types at it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness_case import HarnessCase, eventually
from tests.e2e.terminal_case import Terminal
from tests.processes import kill
from tests.requirements import require

pytestmark = pytest.mark.timeout(90)

STACK = "services: {web: {type: process, command: [sleep, '1000'], env: {COLOUR: red}}}\n"


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    with HarnessCase(tmp_path) as case:
        case.write(STACK)
        case.ok("up", "-q")
        yield case


def exec_(case: HarnessCase, *arguments: str) -> Terminal:
    """Begin `harness exec` at a terminal of an unusual size and kind."""
    return Terminal(case, "exec", *arguments, env={"TERM": "vt100"}, rows=33, columns=111)


def shell(case: HarnessCase) -> Terminal:
    """Begin a shell whose prompt is `> `."""
    terminal = exec_(case, "-e", "PS1=> ", "-e", "ENV=", "web", "--", "sh", "-i")
    terminal.answer(b"> ")
    return terminal


def test_a_shell_has_the_terminal_the_services_environment_and_its_size(case: HarnessCase) -> None:
    with shell(case) as terminal:
        terminal.type(
            b"stty size; echo $COLOUR $TERM; tty -s && [ -t 1 ] && [ -t 2 ] && echo yes\n"
        )
        answer = terminal.answer(b"yes\r\n> ")
        assert answer.endswith(b"33 111\r\nred vt100\r\n")
        terminal.type(b"exit 9\n")
        assert terminal.end() == 9


def test_ctrl_c_goes_to_the_command_and_the_shell_goes_on(case: HarnessCase) -> None:
    with shell(case) as terminal:
        # A program of its own says so: a shell loses an interrupt that comes while it forks one.
        terminal.type(b"sh -c \"echo be''gun; exec sleep 1000\"\n")
        terminal.answer(b"begun\r\n")
        terminal.type(b"\x03")
        terminal.answer(b"^C")
        terminal.answer(b"> ")
        terminal.type(b"\x04")
        assert terminal.end() == 130


def test_a_new_size_of_the_window_reaches_the_command(case: HarnessCase) -> None:
    line = 'trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.1; done'
    with exec_(case, "web", "--", "sh", "-c", line) as terminal:
        terminal.answer(b"ready\r\n")
        terminal.resize(20, 61)
        terminal.answer(b"20 61\r\n")
        assert terminal.end() == 3


def test_a_command_that_a_signal_ends_has_a_shells_status(case: HarnessCase) -> None:
    with exec_(case, "web", "--", "sh", "-c", "kill -9 $$") as terminal:
        assert terminal.end() == 128 + 9


def test_what_cannot_be_run_is_said_on_a_terminal_as_it_was(case: HarnessCase) -> None:
    with exec_(case, "web", "--", "no-such-program") as terminal:
        assert terminal.end() == 127
        assert b"command not found: no-such-program\r\n" in terminal.shown


def test_every_byte_passes_both_ways_in_raw_mode(case: HarnessCase) -> None:
    code = """if True:
        import os, tty
        tty.setraw(0)
        os.write(1, b"ready")
        rest = 20480
        while rest:
            data = os.read(0, 4096)
            rest -= len(data)
            os.write(1, data)
        os.write(1, b"done")
    """
    data = bytes(range(256)) * 80
    with exec_(case, "web", "--", sys.executable, "-c", code) as terminal:
        terminal.answer(b"ready")
        terminal.type(data)
        assert terminal.answer(b"done") == data
        assert terminal.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_ends_it_leaves_the_terminal_as_it_was_and_nothing_running(
    case: HarnessCase, number: signal.Signals
) -> None:
    line = "sleep 1001 & trap '' TERM; setsid sleep 1002 & echo ready; sleep 1003"
    with exec_(case, "web", "--", "sh", "-c", line) as terminal:
        terminal.answer(b"ready\r\n")
        os.kill(terminal.pid, number)
        assert terminal.end() == 128 + number
    eventually(lambda: [p.command for p in case.processes()] == ["sleep 1000"])


def test_a_client_that_vanishes_takes_the_commands_whole_tree_with_it(case: HarnessCase) -> None:
    with shell(case) as terminal:
        terminal.type(b"sleep 1001 & setsid sleep 1002 & echo be''gun\n")
        terminal.answer(b"begun\r\n")
        eventually(lambda: len(case.processes()) == 4)
        kill(terminal.pid)
        eventually(lambda: [p.command for p in case.processes()] == ["sleep 1000"])


def test_a_window_that_is_closed_takes_the_command_with_it(case: HarnessCase) -> None:
    with shell(case) as terminal:
        terminal.type(b"sleep 1001 & echo be''gun\n")
        terminal.answer(b"begun\r\n")
        terminal.close_window()
    eventually(lambda: [p.command for p in case.processes()] == ["sleep 1000"])


def test_a_daemon_that_dies_leaves_the_terminal_as_it_was(case: HarnessCase) -> None:
    with shell(case) as terminal:
        case.kill_daemon()
        assert terminal.end() == 5
        assert terminal.shown.startswith(b"> \r\n")
        assert b"the daemon closed the connection" in terminal.shown
        assert b"\nhint: run the command again, which starts a daemon" in terminal.shown


def test_without_a_terminal_of_its_own_a_command_sees_pipes(case: HarnessCase) -> None:
    line = "[ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo pipes"
    with exec_(case, "-T", "web", "--", "sh", "-c", line) as terminal:
        assert terminal.end() == 0
        assert terminal.shown == b"pipes\r\n"
    assert case.ok("exec", "web", "--", "sh", "-c", line) == "pipes\n"


def test_a_terminal_can_be_forced_where_there_is_none(case: HarnessCase) -> None:
    line = "[ -t 0 ] && [ -t 1 ] && stty size"
    assert case.ok("exec", "--tty", "web", "--", "sh", "-c", line) == "24 80\r\n"


def test_the_python_prompt_works(case: HarnessCase) -> None:
    argv = ("exec", "-t", "-i", "web", "--", sys.executable, "-q", "-i", "-E", "-s")
    with Terminal(case, *argv) as terminal:
        terminal.answer(b">>> ")
        terminal.type(b"6 * 7\n")
        terminal.answer(b"42\r\n")
        terminal.type(b"while True: pass\n\n")
        terminal.answer(b"... ")
        terminal.type(b"\x03")
        terminal.answer(b"KeyboardInterrupt")
        terminal.type(b"exit(4)\n")
        assert terminal.end() == 4


def test_bash_has_job_control(case: HarnessCase) -> None:
    require("bash", shutil.which("bash") is not None, "a shell with job control")
    argv = ("exec", "-e", "PS1=> ", "web", "--", "bash", "--norc", "--noediting")
    with Terminal(case, *argv) as terminal:
        terminal.answer(b"> ")
        terminal.type(b"sleep 1001\n")
        eventually(lambda: "sleep 1001" in [p.command for p in case.processes()])
        terminal.type(b"\x1a")
        terminal.answer(b"Stopped")
        terminal.answer(b"> ")
        terminal.type(b"fg\n")
        terminal.answer(b"sleep 1001\r\n")
        terminal.type(b"\x03")
        terminal.answer(b"> ")
        terminal.type(b"exit 5\n")
        assert terminal.end() == 5
