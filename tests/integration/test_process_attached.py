"""Attached processes: events, input, output that nobody reads, ends, and errors."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.commands import Command, Exited, Output, Process, Started, StreamName, join, run
from harness.errors import (
    CommandError,
    CommandFailed,
    CommandNotExecutable,
    CommandNotFound,
    CommandTimeout,
    UnknownUser,
    WorkingDirectoryMissing,
)
from harness.model import ExitStatus
from tests.requirements import require


def is_live(pid: int) -> bool:
    """Tell whether a process runs; one that ended may wait for init to notice."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def first_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def shell(line: str, **fields: Any) -> Command:
    return Command(argv=("sh", "-c", line), **fields)


async def test_events_begin_with_started_and_end_with_exited() -> None:
    with anyio.fail_after(5):
        async with Process(shell("echo out; echo err >&2; exit 3")) as process:
            events = [event async for event in process]
            assert events[0] == Started(pid=process.pid)
    assert events[-1] == Exited(status=ExitStatus(code=3))
    assert sorted(map(str, events[1:-1])) == [
        str(Output(stream=StreamName.STDERR, data=b"err\n")),
        str(Output(stream=StreamName.STDOUT, data=b"out\n")),
    ]


async def test_all_output_comes_before_the_end() -> None:
    code = "import os\nfor i in range(20000): print(i)\nimport sys; sys.stdout.flush(); os._exit(1)"
    with anyio.fail_after(10):
        completed = await run(Command(argv=(sys.executable, "-c", code)))
    assert completed.stdout == b"".join(b"%d\n" % i for i in range(20000))
    assert completed.status == ExitStatus(code=1)


async def test_bytes_that_are_no_text_and_an_unfinished_line_arrive() -> None:
    code = "import os; os.write(1, bytes(range(256))); os.write(2, b'x' * 1_000_000)"
    with anyio.fail_after(10):
        completed = await run(Command(argv=(sys.executable, "-c", code)))
    assert completed.stdout == bytes(range(256))
    assert completed.stderr == b"x" * 1_000_000


async def test_without_input_the_program_reads_an_empty_one() -> None:
    with anyio.fail_after(5):
        assert (await run(shell("cat; echo end"))).stdout == b"end\n"


async def test_input_is_written_and_then_closed() -> None:
    data = os.urandom(1 << 20)
    with anyio.fail_after(5):
        assert (await run(shell("cat", stdin=data))).stdout == data


async def test_a_stream_of_input_is_written_and_then_closed() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(3):
            await anyio.lowlevel.checkpoint()
            yield b"%d\n" % number

    with anyio.fail_after(5):
        assert (await run(shell("cat", stdin=chunks()))).stdout == b"0\n1\n2\n"


async def test_a_program_that_does_not_read_its_input_still_ends() -> None:
    with anyio.fail_after(5):
        completed = await run(shell("exit 4", stdin=b"x" * (1 << 20)))
    assert completed.status == ExitStatus(code=4)


async def test_input_can_be_written_and_closed_by_hand() -> None:
    with anyio.fail_after(5):
        async with Process(shell("cat"), open_stdin=True) as process:
            await process.write_stdin(b"hello\n")
            await process.close_stdin()
            events = [event async for event in process]
    assert Output(stream=StreamName.STDOUT, data=b"hello\n") in events


async def test_output_that_nobody_reads_does_not_block_the_program() -> None:
    command = Command(argv=(sys.executable, "-c", "print('x' * (8 << 20)); print('end')"))
    with anyio.fail_after(10):
        async with Process(command, buffer_bytes=1 << 20) as process:
            assert await process.wait_complete() == ExitStatus(code=0)
            events = [event async for event in process]
    kept = b"".join(event.data for event in events if isinstance(event, Output))
    assert kept.endswith(b"x\nend\n")
    assert len(kept) <= 1 << 20
    assert process.dropped_bytes + len(kept) == (8 << 20) + 5


async def test_with_back_pressure_a_slow_reader_loses_nothing() -> None:
    command = Command(argv=(sys.executable, "-c", "print('x' * (4 << 20))"))
    size = 0
    with anyio.fail_after(10):
        async with Process(command, backpressure=True, buffer_bytes=1 << 16) as process:
            async for event in process:
                if isinstance(event, Output):
                    await anyio.lowlevel.checkpoint()
                    size += len(event.data)
    assert size == (4 << 20) + 1
    assert process.dropped_bytes == 0


async def test_output_beyond_the_limit_is_counted_and_dropped() -> None:
    command = Command(argv=(sys.executable, "-c", "print('x' * 100_000, end='')"))
    with anyio.fail_after(5):
        completed = await run(command, max_output_bytes=1000)
    assert completed.stdout == b"x" * 1000
    assert completed.dropped_bytes == 99_000


async def test_a_child_that_holds_the_output_open_does_not_hold_the_end_up() -> None:
    with anyio.fail_after(5):
        completed = await run(shell("echo here; sleep 1000 & exit 2"))
    assert completed.status == ExitStatus(code=2)
    assert completed.stdout == b"here\n"


async def test_a_timeout_ends_the_whole_tree_and_says_so(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    line = (
        f"trap '' TERM; (setsid sh -c 'echo $$ >>{pids}; exec sleep 1000' &) ; "
        f"sleep 1000 & echo $! >>{pids}; echo partial; wait"
    )
    with anyio.fail_after(10), pytest.raises(CommandTimeout) as caught:
        await run(shell(line, timeout_s=0.3))
    assert str(caught.value).endswith("it ran longer than 0.3 s")
    assert caught.value.details["output"] == "partial"
    assert [is_live(int(pid)) for pid in pids.read_text().split()] == [False, False]


async def test_cancelling_ends_the_whole_tree() -> None:
    with anyio.fail_after(5):
        async with Process(shell("sleep 1000 & sleep 1000")) as process:
            with anyio.move_on_after(0.05):
                await process.wait()
            child = first_child(process.pid)
            assert is_live(child)
    assert process.status is not None
    assert not is_live(child)


async def test_cancelling_from_outside_ends_the_whole_tree(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with anyio.fail_after(5):
        with anyio.move_on_after(0.2) as scope:
            await run(shell(f"setsid sleep 1000 & echo $! >{pids}; sleep 1000"))
        assert scope.cancelled_caught
    assert not is_live(int(pids.read_text()))


async def test_an_error_in_the_source_of_the_input_ends_the_process() -> None:
    async def broken() -> AsyncIterator[bytes]:
        await anyio.lowlevel.checkpoint()
        yield b"one"
        raise KeyError("mine")

    process = Process(Command(argv=("sleep", "1000"), stdin=broken()))
    with anyio.fail_after(5), pytest.raises(ExceptionGroup) as caught:
        async with process:
            await process.wait()
    assert caught.group_contains(KeyError)
    assert process.status is not None


async def test_a_source_of_input_that_is_closed_is_the_end_of_the_input() -> None:
    sending, receiving = anyio.create_memory_object_stream[bytes](1)
    async with Process(Command(argv=("cat",), stdin=receiving)) as process:
        await sending.send(b"hello")
        sending.close()
        with anyio.fail_after(5):
            assert await process.wait() == ExitStatus(code=0)


async def test_an_error_in_the_body_passes_unwrapped_and_ends_the_process() -> None:
    with anyio.fail_after(5), pytest.raises(KeyError):
        async with Process(shell("sleep 1000")) as process:
            raise KeyError("mine")
    assert process.status is not None


@pytest.mark.parametrize(("verb", "number"), [("interrupt", 2), ("terminate", 15), ("kill", 9)])
async def test_signals_reach_the_group_and_are_the_status(verb: str, number: int) -> None:
    with anyio.fail_after(5):
        async with Process(Command(argv=("sleep", "1000"))) as process:
            assert getattr(process, verb)()
            assert await process.wait() == ExitStatus(signal=number)
            assert not getattr(process, verb)()


async def test_the_environment_and_the_directory_are_the_commands_own(tmp_path: Path) -> None:
    command = shell(
        "pwd; echo $A-$HOME",
        env={"A": "1", "PATH": os.environ["PATH"]},
        inherit_env=False,
        working_dir=str(tmp_path),
    )
    with anyio.fail_after(5):
        assert (await run(command)).stdout.decode().split() == [str(tmp_path), "1-"]


async def test_umask_niceness_and_limits_apply() -> None:
    command = shell("umask; nice; ulimit -n", umask=0o027, nice=3, limits={"nofile": 123})
    with anyio.fail_after(5):
        output = (await run(command)).stdout.decode().split()
    assert output == ["0027", str(os.nice(0) + 3), "123"]


async def test_it_runs_as_another_user() -> None:
    require("root", os.geteuid() == 0, "only root can become another user")
    with anyio.fail_after(5):
        completed = await run(shell("id -un; id -Gn", user="nobody", working_dir="/"))
    assert completed.stdout.decode().split() == ["nobody", "nogroup"]


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (Command(argv=("no-such-program",)), CommandNotFound),
        (Command(argv=("/etc/passwd",)), CommandNotExecutable),
        (Command(argv=("true",), working_dir="/no/such"), WorkingDirectoryMissing),
        (Command(argv=("true",), user="nobody-like-this"), UnknownUser),
    ],
)
async def test_what_cannot_start_raises_its_own_error(
    command: Command, error: type[CommandError]
) -> None:
    with pytest.raises(error, match=r"^cannot run `"):
        await run(command)


async def test_a_file_that_is_no_program_is_not_executable(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\0\1\2")
    program.chmod(0o755)
    with pytest.raises(CommandNotExecutable, match="another kind of machine"):
        await run(Command(argv=(str(program),)))


async def test_check_raises_with_the_last_output() -> None:
    with pytest.raises(CommandFailed) as caught:
        await run(shell("echo broken >&2; exit 3"), check=True)
    assert str(caught.value).endswith("exit status 3: broken")
    assert caught.value.details["exit"] == 3


async def test_quoted_words_come_back_from_a_real_shell() -> None:
    words = ("", "a b", "it's", "$x", "#", "~", "*", "\\", '"', "\n", "-n", "é", "a=b", ";")
    script = f"for word in {join(words)}; do printf '%s\\0' \"$word\"; done"
    with anyio.fail_after(5):
        completed = await run(shell(script))
    assert completed.stdout.decode().split("\0")[:-1] == list(words)


async def test_no_descriptor_and_no_zombie_stays() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with anyio.fail_after(5):
        async with Process(shell("exit 0", stdin=b"x")) as process:
            await process.wait_complete()
    assert len(os.listdir("/proc/self/fd")) <= before
    assert str(process.pid) not in os.listdir("/proc")
