"""`harness exec` on a real terminal, as somebody types at it."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.e2e.harness_case import PROGRAM, HarnessCase, eventually
from tests.processes import kill
from tests.requirements import require

pytestmark = pytest.mark.timeout(90)

STACK = "services: {web: {type: process, command: [sleep, '1000'], env: {COLOUR: red}}}\n"
WITHIN_S = 30.0


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    with HarnessCase(tmp_path) as case:
        case.write(STACK)
        case.ok("up", "-q")
        yield case


class Terminal:
    """A command on a terminal of its own, as a window's first program has it."""

    def __init__(self, case: HarnessCase, *arguments: str) -> None:
        # The far end is held open, so that its settings can be read when the program has ended.
        self.fd, self.far_fd = os.openpty()
        termios.tcsetwinsize(self.fd, (33, 111))
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(self.far_fd)
            os.chdir(case.directory)
            os.execve(PROGRAM, [PROGRAM, *arguments], {**case.env, "TERM": "vt100"})
        self.before = termios.tcgetattr(self.far_fd)
        self.seen = b""
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            sys.stderr.write(f"seen: {self.seen!r}\n")
        if not self._is_over:
            kill(self.pid)
            os.waitpid(self.pid, 0)
        os.close(self.far_fd)
        os.close(self.fd)

    def type(self, text: bytes) -> None:
        """Type all of it, while what comes is read."""
        while text:
            readable, writable, _ = select.select((self.fd,), (self.fd,), (), WITHIN_S)
            assert readable or writable, "nobody takes what is typed"
            if readable:
                self.seen += os.read(self.fd, 65536)
            if writable:
                text = text[os.write(self.fd, text[:1024]) :]

    def until(self, expected: bytes) -> bytes:
        """Return what came before the text, once it has come; it is taken out of `seen`."""
        deadline = time.monotonic() + WITHIN_S
        while expected not in self.seen:
            left = deadline - time.monotonic()
            readable, _, _ = select.select((self.fd,), (), (), max(left, 0))
            assert readable, f"no {expected!r} in time"
            self.seen += os.read(self.fd, 65536)
        before, _, self.seen = self.seen.partition(expected)
        return before

    def end(self) -> int:
        """Return the exit status, 128 and more for a signal, and check that all is set back."""
        descriptor = os.pidfd_open(self.pid)
        deadline = time.monotonic() + WITHIN_S
        while descriptor not in select.select((self.fd, descriptor), (), (), WITHIN_S)[0]:
            assert time.monotonic() < deadline, "it did not end"
            self.seen += os.read(self.fd, 65536)
        os.close(descriptor)
        while select.select((self.fd,), (), (), 0)[0]:
            self.seen += os.read(self.fd, 65536)
        self._is_over = True
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        assert termios.tcgetattr(self.far_fd) == self.before
        return code


def shell(case: HarnessCase) -> Terminal:
    """Begin a shell whose prompt is `> `."""
    terminal = Terminal(case, "exec", "-e", "PS1=> ", "-e", "ENV=", "web", "--", "sh", "-i")
    terminal.until(b"> ")
    return terminal


def test_a_shell_has_the_terminal_the_services_environment_and_its_size(case: HarnessCase) -> None:
    with shell(case) as terminal:
        terminal.type(
            b"stty size; echo $COLOUR $TERM; tty -s && [ -t 1 ] && [ -t 2 ] && echo yes\n"
        )
        answer = terminal.until(b"yes\r\n> ")
        assert answer.endswith(b"33 111\r\nred vt100\r\n")
        terminal.type(b"exit 9\n")
        assert terminal.end() == 9


def test_ctrl_c_goes_to_the_command_and_the_shell_goes_on(case: HarnessCase) -> None:
    with shell(case) as terminal:
        terminal.type(b"echo be''gun; sleep 1000\n")
        terminal.until(b"begun\r\n")
        terminal.type(b"\x03")
        terminal.until(b"^C")
        terminal.until(b"> ")
        terminal.type(b"\x04")
        assert terminal.end() == 130


def test_a_new_size_of_the_window_reaches_the_command(case: HarnessCase) -> None:
    line = 'trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.1; done'
    with Terminal(case, "exec", "web", "--", "sh", "-c", line) as terminal:
        terminal.until(b"ready\r\n")
        termios.tcsetwinsize(terminal.fd, (20, 61))
        terminal.until(b"20 61\r\n")
        assert terminal.end() == 3


def test_a_command_that_a_signal_ends_has_a_shells_status(case: HarnessCase) -> None:
    with Terminal(case, "exec", "web", "--", "sh", "-c", "kill -9 $$") as terminal:
        assert terminal.end() == 128 + 9


def test_what_cannot_be_run_is_said_on_a_terminal_as_it_was(case: HarnessCase) -> None:
    with Terminal(case, "exec", "web", "--", "no-such-program") as terminal:
        assert terminal.end() == 127
        assert b"command not found: no-such-program\r\n" in terminal.seen


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
    with Terminal(case, "exec", "web", "--", sys.executable, "-c", code) as terminal:
        terminal.until(b"ready")
        terminal.type(data)
        assert terminal.until(b"done") == data
        assert terminal.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_ends_it_leaves_the_terminal_as_it_was_and_nothing_running(
    case: HarnessCase, number: signal.Signals
) -> None:
    line = "sleep 1001 & trap '' TERM; setsid sleep 1002 & echo ready; sleep 1003"
    with Terminal(case, "exec", "web", "--", "sh", "-c", line) as terminal:
        terminal.until(b"ready\r\n")
        os.kill(terminal.pid, number)
        assert terminal.end() == 128 + number
    eventually(lambda: [p.command for p in case.processes()] == ["sleep 1000"])


def test_a_client_that_vanishes_takes_the_commands_whole_tree_with_it(case: HarnessCase) -> None:
    with shell(case) as terminal:
        terminal.type(b"sleep 1001 & setsid sleep 1002 & echo be''gun\n")
        terminal.until(b"begun\r\n")
        eventually(lambda: len(case.processes()) == 4)
        kill(terminal.pid)
        eventually(lambda: [p.command for p in case.processes()] == ["sleep 1000"])


def test_a_window_that_is_closed_takes_the_command_with_it(case: HarnessCase) -> None:
    terminal = shell(case)
    terminal.type(b"sleep 1001 & echo be''gun\n")
    terminal.until(b"begun\r\n")
    os.close(terminal.far_fd)
    os.close(terminal.fd)
    os.waitpid(terminal.pid, 0)
    eventually(lambda: [p.command for p in case.processes()] == ["sleep 1000"])


def test_a_daemon_that_dies_leaves_the_terminal_as_it_was(case: HarnessCase) -> None:
    with shell(case) as terminal:
        case.kill_daemon()
        assert terminal.end() == 5
        assert b"the daemon closed the connection" in terminal.seen


def test_without_a_terminal_of_its_own_a_command_sees_pipes(case: HarnessCase) -> None:
    line = "[ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo pipes"
    with Terminal(case, "exec", "-T", "web", "--", "sh", "-c", line) as terminal:
        assert terminal.end() == 0
        assert terminal.seen == b"pipes\r\n"
    assert case.ok("exec", "web", "--", "sh", "-c", line) == "pipes\n"


def test_a_terminal_can_be_forced_where_there_is_none(case: HarnessCase) -> None:
    line = "[ -t 0 ] && [ -t 1 ] && stty size"
    assert case.ok("exec", "--tty", "web", "--", "sh", "-c", line) == "24 80\r\n"


def test_the_python_prompt_works(case: HarnessCase) -> None:
    argv = ("exec", "-t", "-i", "web", "--", sys.executable, "-q", "-i", "-E", "-s")
    with Terminal(case, *argv) as terminal:
        terminal.until(b">>> ")
        terminal.type(b"6 * 7\n")
        terminal.until(b"42\r\n")
        terminal.type(b"while True: pass\n\n")
        terminal.until(b"... ")
        terminal.type(b"\x03")
        terminal.until(b"KeyboardInterrupt")
        terminal.type(b"exit(4)\n")
        assert terminal.end() == 4


def test_bash_has_job_control(case: HarnessCase) -> None:
    require("bash", shutil.which("bash") is not None, "a shell with job control")
    argv = ("exec", "-e", "PS1=> ", "web", "--", "bash", "--norc", "--noediting")
    with Terminal(case, *argv) as terminal:
        terminal.until(b"> ")
        terminal.type(b"sleep 1001\n")
        eventually(lambda: "sleep 1001" in [p.command for p in case.processes()])
        terminal.type(b"\x1a")
        terminal.until(b"Stopped")
        terminal.until(b"> ")
        terminal.type(b"fg\n")
        terminal.until(b"sleep 1001\r\n")
        terminal.type(b"\x03")
        terminal.until(b"> ")
        terminal.type(b"exit 5\n")
        assert terminal.end() == 5
