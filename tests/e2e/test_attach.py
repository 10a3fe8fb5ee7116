"""`harness attach` on real services: every byte in both directions, and leaving without a trace."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from harness.client import connect
from harness.protocol import Endpoint

from .harness_case import PROGRAM, TIMEOUT_S, HarnessCase, eventually
from .terminal_case import CTRL_C, CTRL_D, Terminal

pytestmark = pytest.mark.timeout(120)

# Answers each line in capitals, and does what some lines ask for.
TALKER = """\
import os, sys
while line := sys.stdin.buffer.readline():
    word, _, rest = line.decode().strip().partition(" ")
    if word == "exit":
        os.write(1, b"last words")
        sys.exit(int(rest))
    if word == "bytes":
        os.write(1, bytes(range(256)) + "\u00e4\u20ac".encode()[:4])
    elif word == "prompt":
        os.write(1, b"what now? ")
    elif word == "complain":
        os.write(2, rest.upper().encode() + b"\\n")
    elif word == "close":
        os.close(0)
        os.write(1, b"closed\\n")
        import signal
        signal.pause()
    else:
        os.write(1, line.upper())
"""


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    with HarnessCase(tmp_path) as case:
        case.script("talker.py", TALKER)
        yield case


def _talker(case: HarnessCase, *options: str) -> None:
    facts = "".join(f"    {option}\n" for option in options)
    case.write(
        "services:\n  talker:\n    type: process\n    command: python3 talker.py\n"
        f"    stdin: true\n{facts}"
    )
    case.ok("up", "-q")


@contextlib.contextmanager
def _attached(case: HarnessCase, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `harness attach` with pipes."""
    with subprocess.Popen(
        [PROGRAM, "attach", *arguments],
        cwd=case.directory,
        env=case.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
        bufsize=0,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _say(process: subprocess.Popen[bytes], text: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(text)


def _hear(process: subprocess.Popen[bytes], size: int) -> bytes:
    """Return the next bytes of its standard output."""
    assert process.stdout is not None
    heard = b""
    while len(heard) < size and (data := process.stdout.read(size - len(heard))):
        heard += data
    return heard


# ── input and output ─────────────────────────────────────────────────────────────────────────────


def test_what_is_typed_before_the_program_looks_arrives_and_so_does_the_answer(
    case: HarnessCase,
) -> None:
    _talker(case)
    with Terminal(case, "attach", "talker") as terminal:
        terminal.type(b"early\n")
        terminal.until(b"EARLY")
        terminal.type(b"later\n")
        terminal.until(b"LATER")


def test_what_is_piped_in_before_the_program_looks_arrives_and_so_does_the_answer(
    case: HarnessCase,
) -> None:
    _talker(case)
    with _attached(case, "talker") as process:
        _say(process, b"early\n")
        assert _hear(process, 6) == b"EARLY\n"
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(TIMEOUT_S) == 0


def test_input_from_a_file_is_sent_and_its_end_ends_the_command(case: HarnessCase) -> None:
    _talker(case)
    path = case.directory / "lines"
    path.write_bytes(b"one\ntwo\n")
    with path.open("rb") as file:
        done = subprocess.run(
            [PROGRAM, "attach", "talker"],
            cwd=case.directory,
            env=case.env,
            stdin=file,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    eventually(lambda: case.logs("talker") == b"ONE\nTWO\n")


def test_nothing_that_is_written_after_attaching_is_missed(case: HarnessCase) -> None:
    _talker(case)

    async def ask() -> None:
        async with connect(Endpoint(case.state_dir), start=False) as client:
            for number in range(100):
                with anyio.fail_after(20):
                    async with client.logs.read(
                        project=case.project, units=["talker"], tail=0, follow=True
                    ) as chunks:
                        question = b"q%d\n" % number
                        await client.services.write(
                            project=case.project, unit="talker", data=question
                        )
                        chunk = await anext(aiter(chunks))
                        # Neither missed, nor mixed with what was there before.
                        assert chunk["text"] == question.decode().upper()

    anyio.run(ask)


def test_every_byte_comes_as_it_is_at_once_and_on_its_own_stream(case: HarnessCase) -> None:
    _talker(case)
    with _attached(case, "talker") as process:
        expected = bytes(range(256)) + "ä€".encode()[:4]
        _say(process, b"bytes\n")
        # No newline, and half a character at its end.
        assert _hear(process, len(expected)) == expected
        _say(process, b"prompt\n")
        assert _hear(process, 10) == b"what now? "
        _say(process, "complain ärger\n".encode())
        assert process.stderr is not None
        assert process.stderr.readline().decode() == "ÄRGER\n"


def test_a_prompt_that_waits_already_is_shown(case: HarnessCase) -> None:
    _talker(case)
    with _attached(case, "talker") as process:
        _say(process, b"one\nprompt\n")
        assert _hear(process, 14) == b"ONE\nwhat now? "
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 130
    with _attached(case, "talker") as process:
        assert _hear(process, 10) == b"what now? "
    with _attached(case, "talker", "--tail", "1") as process:
        assert _hear(process, 14) == b"ONE\nwhat now? "


def test_input_larger_than_any_buffer_arrives_whole(case: HarnessCase) -> None:
    case.script(
        "count.py",
        "import sys\n"
        "data = b''\n"
        "while not data.endswith(b'!'):\n"
        "    data += sys.stdin.buffer.read1(100_000)\n"
        "print(len(data), set(data) == set(b'x!'), flush=True)\n"
        "import signal; signal.pause()\n",
    )
    case.write("services:\n  s: {type: process, command: python3 count.py, stdin: true}")
    case.ok("up", "-q")
    with _attached(case, "s") as process:
        _say_all(process, b"x" * 1_000_000 + b"!")
        assert _hear(process, 13) == b"1000001 True\n"


def _say_all(process: subprocess.Popen[bytes], text: bytes) -> None:
    view = memoryview(text)
    assert process.stdin is not None
    while view:
        view = view[process.stdin.write(view) :]


def test_two_who_are_attached_see_the_same_and_both_can_write(case: HarnessCase) -> None:
    _talker(case)
    with _attached(case, "talker") as one, _attached(case, "talker") as other:
        # Each has seen an answer of its own, so both are there.
        _say(one, b"one\n")
        assert _hear(one, 4) == b"ONE\n"
        _say(other, b"other\n")
        assert _hear(one, 6) == b"OTHER\n"
        _say(one, b"both\n")
        assert _hear(one, 5) == b"BOTH\n"
        heard = _hear(other, 6)
        if heard == b"ONE\nOT":
            heard = b"OT" + _hear(other, 4)
        assert heard == b"OTHER\n"
        assert _hear(other, 5) == b"BOTH\n"
        one.send_signal(signal.SIGINT)
        assert one.wait(TIMEOUT_S) == 130
        _say(other, b"alone\n")
        assert _hear(other, 6) == b"ALONE\n"


# ── the end ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [0, 3])
def test_the_end_of_the_service_ends_it_with_the_same_status_and_the_last_words(
    case: HarnessCase, status: int
) -> None:
    _talker(case, "restart: no")
    with _attached(case, "talker") as process:
        _say(process, b"exit %d\n" % status)
        stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    assert stdout == b"last words"
    assert process.returncode == status
    assert b"harness: talker has" in stderr
    assert b"exit status %d" % status in stderr


def test_the_end_of_the_service_ends_it_at_a_terminal_too(case: HarnessCase) -> None:
    _talker(case, "restart: no")
    with Terminal(case, "attach", "talker") as terminal:
        terminal.type(b"exit 4\n")
        assert terminal.end() == 4
        assert b"last words" in terminal.shown


def test_a_stop_by_somebody_else_ends_it_and_is_told(case: HarnessCase) -> None:
    _talker(case)
    with _attached(case, "talker") as process:
        _say(process, b"hello\n")
        assert _hear(process, 6) == b"HELLO\n"
        case.ok("down", "-q")
        _, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 143
    assert b"harness: talker has been stopped" in stderr
    refused = case("attach", "talker")
    assert refused.returncode == 1
    assert "it is not running, but stopped" in refused.stderr
    assert "hint: harness start talker" in refused.stderr


def test_it_stays_attached_when_the_service_fails_and_is_started_again(case: HarnessCase) -> None:
    _talker(case, "restart: {mode: always, backoff: {initial: 300ms}}")
    with _attached(case, "talker") as process:
        assert process.stderr is not None
        _say(process, b"exit 5\n")
        assert _hear(process, 10) == b"last words"
        assert b"note: talker: backoff (exit status 5)" in process.stderr.readline()
        # Nobody reads it now; it is kept for the next run.
        _say(process, b"again\n")
        assert _hear(process, 6) == b"AGAIN\n"
        assert b"note: talker: running" in process.stderr.readline()
        assert process.poll() is None
    assert case.unit("talker")["restarts"] == 1


def test_it_stays_attached_when_the_service_is_restarted(case: HarnessCase) -> None:
    _talker(case)
    with Terminal(case, "attach", "talker") as terminal:
        terminal.type(b"before\n")
        terminal.until(b"BEFORE")
        case.ok("restart", "-q", "talker")
        terminal.until(b"note: talker: running")
        terminal.type(b"after\n")
        terminal.until(b"AFTER")


# ── leaving ──────────────────────────────────────────────────────────────────────────────────────


def test_ctrl_c_at_a_terminal_leaves_and_the_service_goes_on(case: HarnessCase) -> None:
    _talker(case)
    pid = case.unit("talker")["pid"]
    for _ in range(2):
        with Terminal(case, "attach", "talker") as terminal:
            terminal.type(b"hello\n")
            terminal.until(b"HELLO")
            terminal.type(CTRL_C)
            assert terminal.end() == 130
            assert b"harness: detached; talker goes on" in terminal.shown
            assert b"Traceback" not in terminal.shown
    assert case.unit("talker")["pid"] == pid
    assert case.unit("talker")["state"] == "running"


def test_the_end_of_input_at_a_terminal_is_told_to_be_kept_from_the_service(
    case: HarnessCase,
) -> None:
    _talker(case)
    with Terminal(case, "attach", "talker") as terminal:
        terminal.type(b"hello\n")
        terminal.until(b"HELLO")
        terminal.type(CTRL_D)
        terminal.until(b"Ctrl-C leaves")
        terminal.type(CTRL_C)
        assert terminal.end() == 130
    assert case.unit("talker")["state"] == "running"


def test_leaving_while_the_service_does_not_read_holds_up_nobody(case: HarnessCase) -> None:
    case.write("services:\n  deaf: {type: process, command: sleep 1000, stdin: true}")
    case.ok("up", "-q")
    with _attached(case, "deaf") as process:
        # More than the service's input holds: the rest waits on the way there.
        _say_all(process, b"x" * 130_000)
        eventually(lambda: _unread_bytes(case.run_dir("deaf") / "stdin") > 60_000, within_s=30)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130
    assert b"detached" in stderr
    pid = case.daemon_pid()
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    # A call that goes on would hold it up for ten seconds.
    eventually(lambda: case.daemon_pid() is None, within_s=8)


def _unread_bytes(fifo: Path) -> int:
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        (size,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))
        return int(size)
    finally:
        os.close(descriptor)


# ── no input ─────────────────────────────────────────────────────────────────────────────────────


def test_without_an_input_it_shows_output_says_so_and_how_to_get_one(case: HarnessCase) -> None:
    stack = (
        "services:\n  talker:\n    type: process\n"
        "    command: [sh, -c, 'cat; while :; do echo tick; sleep 0.1; done']\n"
    )
    case.write(stack)
    case.ok("up", "-q")
    with Terminal(case, "attach", "talker") as terminal:
        terminal.until(b"note: output only: ")
        terminal.until(b"it was started without an input")
        terminal.until(b"hint: write `stdin: true` to talker in the stack file")
        terminal.until(b"tick")
        terminal.type(CTRL_C)
        assert terminal.end() == 130
    # The hint is right.
    case.write(stack + "    stdin: true\n")
    case.ok("up", "-q")
    with Terminal(case, "attach", "talker") as terminal:
        terminal.type(b"heard\n")
        terminal.until(b"heard\r\nheard")
        assert b"output only" not in terminal.shown


def test_piped_input_that_nobody_takes_is_said_to_be_lost(case: HarnessCase) -> None:
    case.write("services:\n  web: {type: process, command: [sh, -c, 'echo up; exec sleep 1000']}")
    case.ok("up", "-q")
    with _attached(case, "web", "--tail", "5") as process:
        _say(process, b"hello\n")
        assert process.stderr is not None
        assert b"note: output only" in process.stderr.readline()
        assert b"stdin: true" in process.stderr.readline()
        assert _hear(process, 3) == b"up\n"


def test_no_stdin_asks_for_none_and_says_nothing(case: HarnessCase) -> None:
    case.write("services:\n  web: {type: process, command: [sh, -c, 'echo up; exec sleep 1000']}")
    case.ok("up", "-q")
    with _attached(case, "web", "--tail", "5", "--no-stdin") as process:
        assert _hear(process, 3) == b"up\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=TIMEOUT_S)
    assert stderr == b"harness: detached; web goes on\n"


def test_a_service_that_closed_its_input_is_said_to_have(case: HarnessCase) -> None:
    _talker(case)
    with _attached(case, "talker") as process:
        _say(process, b"close\n")
        assert _hear(process, 7) == b"closed\n"
        _say(process, b"hello\n")
        assert process.stderr is not None
        assert b"it has closed its input" in process.stderr.readline()
