"""Attached processes on a terminal: what they see, keys, sizes, bytes, and ends."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.commands import Command, Exited, Output, Process, StreamName, TerminalSize, run
from harness.commands.spawn import spawn
from harness.commands.terminal import Terminal, _show_utf8
from harness.errors import CommandError, CommandNotFound
from harness.model import ExitStatus
from tests.requirements import require


def on_terminal(*argv: str, **fields: Any) -> Command:
    size = fields.pop("terminal", TerminalSize(columns=100, rows=30))
    return Command(argv=argv, terminal=size, **fields)


def python(code: str, **fields: Any) -> Command:
    return on_terminal(sys.executable, "-c", code, **fields)


async def read_until(process: Process, text: bytes) -> bytes:
    """Return what came up to and with the first piece after which the text has come."""
    seen = b""
    async for event in process:
        if isinstance(event, Output):
            assert event.stream is StreamName.STDOUT
            seen += event.data
            if text in seen:
                return seen
    raise AssertionError(f"it ended without {text!r}: {seen!r}")


async def read_rest(process: Process) -> tuple[bytes, ExitStatus]:
    seen = b""
    async for event in process:
        if isinstance(event, Output):
            seen += event.data
        elif isinstance(event, Exited):
            return seen, event.status
    raise AssertionError("it did not end")


def is_live(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_all_three_are_the_controlling_terminal_of_a_session_of_its_own() -> None:
    code = """if True:
        import os
        size = os.get_terminal_size(0)
        names = {os.ttyname(fd) for fd in (0, 1, 2)}
        controlling = os.open("/dev/tty", os.O_RDWR)
        print(len(names), size.columns, size.lines, os.getsid(0) == os.getpid(),
              os.tcgetpgrp(controlling) == os.getpgrp() == os.getpid())
        raise SystemExit(7)
    """
    with anyio.fail_after(18):
        completed = await run(python(code))
    assert completed.stdout == b"1 100 30 True True\r\n"
    assert completed.stderr == b""
    assert completed.status == ExitStatus(code=7)


async def test_environment_and_directory_are_the_commands_own(tmp_path: Path) -> None:
    code = 'import os; print(os.environ["lower.dot-dash"], os.getcwd())'
    with anyio.fail_after(18):
        completed = await run(
            python(code, env={"lower.dot-dash": "kept"}, working_dir=str(tmp_path))
        )
    assert completed.stdout == f"kept {tmp_path}\r\n".encode()


async def test_what_is_typed_is_echoed_and_read_as_lines() -> None:
    with anyio.fail_after(18):
        async with Process(on_terminal("sh", "-c", "read line; echo got $line")) as process:
            await process.write_stdin(b"hellp\x7fo\n")
            seen, status = await read_rest(process)
    assert seen == b"hellp\b \bo\r\ngot hello\r\n"
    assert status == ExitStatus(code=0)


async def test_ctrl_c_interrupts_what_is_in_the_foreground() -> None:
    with anyio.fail_after(18):
        async with Process(on_terminal("sh", "-c", "echo ready; exec sleep 100")) as process:
            await read_until(process, b"ready")
            await process.write_stdin(b"\x03")
            seen, status = await read_rest(process)
    assert seen.endswith(b"^C")
    assert status == ExitStatus(signal=signal.SIGINT)


async def test_ctrl_c_stops_a_flood_that_nobody_has_read_yet() -> None:
    with anyio.fail_after(18):
        async with Process(on_terminal("yes"), backpressure=True) as process:
            await read_until(process, b"y\r\n")
            await process.write_stdin(b"\x03")
            seen, status = await read_rest(process)
    assert status == ExitStatus(signal=signal.SIGINT)
    assert len(seen) < 200_000


async def test_a_new_size_is_told_to_the_program() -> None:
    code = """if True:
        import os, signal
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH])
        print("ready", flush=True)
        signal.sigwait([signal.SIGWINCH])
        print(*os.get_terminal_size(0))
    """
    with anyio.fail_after(18):
        async with Process(python(code)) as process:
            await read_until(process, b"ready\r\n")
            assert process.resize(TerminalSize(columns=41, rows=7))
            seen, _ = await read_rest(process)
    assert seen == b"41 7\r\n"


async def test_a_signal_before_it_leads_a_group_reaches_it() -> None:
    with anyio.fail_after(18):
        async with Process(on_terminal("sleep", "1000")) as process:
            assert process.kill()
            assert await process.wait() == ExitStatus(signal=signal.SIGKILL)
            assert not process.kill()


async def test_after_its_end_the_terminal_takes_nothing() -> None:
    with anyio.fail_after(18):
        async with Process(on_terminal("true")) as process:
            await process.wait_complete()
        with pytest.raises(anyio.ClosedResourceError):
            await process.write_stdin(b"x")
        await process.close_stdin()
        assert not process.resize(TerminalSize())


async def test_who_waits_to_type_is_told_when_the_terminal_closes() -> None:
    told = anyio.Event()

    async def type_on(process: Process) -> None:
        with pytest.raises((anyio.ClosedResourceError, BrokenPipeError)):
            await process.write_stdin(b"x" * 1_000_000)
        told.set()

    raw = "import time, tty; tty.setraw(0); print('ready'); time.sleep(1000)"
    with anyio.fail_after(18):
        async with anyio.create_task_group() as tasks:
            async with Process(python(raw)) as process:
                await read_until(process, b"ready")
                tasks.start_soon(type_on, process)
                await anyio.wait_all_tasks_blocked()
                assert not told.is_set()
            await told.wait()


async def test_what_the_system_refuses_of_a_terminal_is_an_error_of_the_command() -> None:
    require("root", os.geteuid() == 0, "it gives the terminal to another user")
    terminal = Terminal(TerminalSize())
    terminal.close()
    command = on_terminal("true", user="nobody")
    with pytest.raises(CommandError, match="Bad file descriptor"):
        spawn(command, env=command.environment(), terminal=terminal)
    with pytest.raises(ValueError, match="negative"):
        terminal.resize(TerminalSize())


def test_what_is_no_terminal_is_an_error_of_the_system() -> None:
    with Path(os.devnull).open("rb") as file, pytest.raises(OSError, match="Inappropriate ioctl"):
        _show_utf8(file.fileno())


async def test_without_a_terminal_there_is_no_size_to_change() -> None:
    with anyio.fail_after(18):
        async with Process(Command(argv=("true",))) as process:
            assert not process.resize(TerminalSize())
            await process.wait_complete()


@pytest.mark.parametrize("columns", [-1, 65536])
def test_a_size_that_no_terminal_has_is_refused(columns: int) -> None:
    with pytest.raises(ValueError, match="columns"):
        TerminalSize(columns=columns)


async def test_in_raw_mode_every_byte_passes_both_ways() -> None:
    code = """if True:
        import hashlib, os, sys, tty
        tty.setraw(0)
        os.write(1, b"ready")
        data = b""
        while len(data) < 300_000:
            data += os.read(0, 65536)
        os.write(1, hashlib.sha256(data).hexdigest().encode())
        rest = bytes(range(256)) * 400
        while rest:
            rest = rest[os.write(1, rest):]
    """
    data = os.urandom(300_000)
    with anyio.fail_after(18):
        async with Process(python(code), backpressure=True) as process:
            await read_until(process, b"ready")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(process.write_stdin, data)
                seen, status = await read_rest(process)
    assert status == ExitStatus(code=0)
    assert seen == hashlib.sha256(data).hexdigest().encode() + bytes(range(256)) * 400


async def test_all_output_before_the_end_arrives() -> None:
    with anyio.fail_after(18):
        completed = await run(on_terminal("seq", "100000"))
    assert completed.stdout == b"".join(b"%d\r\n" % i for i in range(1, 100001))


@pytest.mark.parametrize("data", [b"one\ntwo\n", b"no newline", b""])
async def test_input_that_ends_is_an_end_on_the_terminal(data: bytes) -> None:
    with anyio.fail_after(18):
        completed = await run(on_terminal("sh", "-c", "stty -echo; cat; echo end", stdin=data))
    assert completed.status == ExitStatus(code=0)
    assert completed.stdout.endswith(b"end\r\n")


async def test_typing_to_a_program_that_has_ended_does_no_harm() -> None:
    with anyio.fail_after(18):
        async with Process(on_terminal("true")) as process:
            await process.wait_complete()
            await process.write_stdin(b"x")
            await process.close_stdin()


async def test_a_shell_with_jobs_is_gone_with_the_context(tmp_path: Path) -> None:
    require("bash", shutil.which("bash") is not None, "a shell that gives each job a group")
    pids = tmp_path / "pids"
    with anyio.fail_after(18):
        async with Process(on_terminal("bash", "--norc", env={"PS1": "> "})) as process:
            await process.write_stdin(f"sleep 1000 & echo $! $$ >{pids}; echo rea''dy\n".encode())
            await read_until(process, b"ready")
    assert process.status is not None
    assert [is_live(int(pid)) for pid in pids.read_text().split()] == [False, False]


async def test_what_ignores_the_hang_up_is_killed() -> None:
    code = "import signal; signal.signal(1, signal.SIG_IGN); print('ready'); signal.pause()"
    with anyio.fail_after(18):
        async with Process(python(code)) as process:
            await read_until(process, b"ready")
    assert process.status == ExitStatus(signal=signal.SIGKILL)


async def test_what_cannot_be_found_is_said_and_leaves_no_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(CommandNotFound):
        async with Process(on_terminal("no-such-program-at-all")):
            pass
    assert len(os.listdir("/proc/self/fd")) == before
