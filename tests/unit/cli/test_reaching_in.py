"""exec and attach: streams and statuses."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.errors import (
    CommandNotExecutable,
    CommandNotFound,
    HandleLost,
    HarnessError,
    NotSupported,
    OperationNotFound,
    ServiceNotFound,
    UnknownService,
)


@pytest.mark.parametrize(
    ("code", "signal", "status"), [(0, None, 0), (42, None, 42), (None, 9, 137)]
)
def test_exec_passes_the_status_on(
    cli: Any, make_process: Any, code: int, signal: Any, status: int
) -> None:
    cli.client.answers["exec.run"] = make_process(exit_code=code, exit_signal=signal)
    assert cli("exec", "db", "--", "true").exit_code == status


def test_exec_keeps_the_two_streams_apart_and_bytes_as_they_are(
    cli: Any, make_process: Any
) -> None:
    output = [{"stream": "stdout", "data": b"\xff out"}, {"stream": "stderr", "data": b"err\n"}]
    cli.client.answers["exec.run"] = make_process(output=output)
    result = cli("exec", "db", "psql")
    assert result.stdout_bytes == b"\xff out"
    assert result.stderr_bytes == b"err\n"


@pytest.mark.parametrize("separator", [[], ["--"]])
def test_everything_after_the_service_belongs_to_the_command(
    cli: Any, make_process: Any, separator: list[str]
) -> None:
    cli.client.answers["exec.run"] = make_process()
    words = ["ls", "-l", "--json", "-p", "x", "--", "y"]
    cli("exec", "-e", "A=b=c", "-w", "/tmp", "db", *separator, *words)
    (call,) = cli.client.calls_of("exec.run")
    assert call["argv"] == words
    assert call["env"] == {"A": "b=c"}
    assert call["working_dir"] == "/tmp"
    assert call["project"] == "shop"


def test_exec_without_a_command_is_a_usage_error(cli: Any) -> None:
    assert cli("exec", "db").exit_code == 2
    assert cli("exec", "db", "--").exit_code == 2
    assert cli("exec", "-e", "novalue", "db", "x").exit_code == 2


def test_ctrl_c_is_passed_on_to_the_command(cli: Any) -> None:
    class Interrupted:
        exit_code, exit_signal = None, signal.SIGINT

        def __init__(self) -> None:
            self.got = ""
            self.arrived = anyio.Event()

        async def __aiter__(self) -> AsyncIterator[Any]:
            os.kill(os.getpid(), signal.SIGINT)
            await self.arrived.wait()
            yield {"stream": "stdout", "data": self.got.encode()}

        async def signal(self, name: str) -> None:
            self.got = name
            self.arrived.set()

        async def close_stdin(self) -> None: ...

    cli.client.answers["exec.run"] = lambda **_: Interrupted()
    result = cli("exec", "db", "sleep", "100")
    assert (result.stdout, result.exit_code) == ("SIGINT", 130)


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Feed this process's standard input from a pipe."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "wb", buffering=0) as feed:
        monkeypatch.setattr("harness.cli.streams.STDIN", stdin.fileno())
        yield feed


def test_exec_sends_piped_input_and_its_end(cli: Any, make_process: Any, piped: Any) -> None:
    piped.write(b"select 1;\n")
    piped.close()
    process = make_process(stdin_closed=anyio.Event())
    cli.client.answers["exec.run"] = process
    assert cli("exec", "db", "psql").exit_code == 0
    assert b"".join(process.written) == b"select 1;\n"
    assert process.stdin_closed.is_set()
    assert cli.client.calls_of("exec.run")[0]["stdin"]


def test_exec_ends_with_the_command_though_input_stays_open(
    cli: Any, make_process: Any, piped: Any
) -> None:
    cli.client.answers["exec.run"] = make_process(exit_code=5)
    assert cli("exec", "db", "true").exit_code == 5


def test_input_from_a_file_is_read_to_its_end(
    cli: Any, make_process: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "dump.sql"
    path.write_bytes(b"x" * 200_000)
    process = make_process(stdin_closed=anyio.Event())
    cli.client.answers["exec.run"] = process
    with path.open() as stdin:
        monkeypatch.setattr("harness.cli.streams.STDIN", stdin.fileno())
        assert cli("exec", "db", "psql").exit_code == 0
    assert len(b"".join(process.written)) == 200_000


@pytest.fixture
def attachable(cli: Any, make_unit: Any) -> Any:
    """The program, and services that run until their output ends, which is with status 0."""
    units = [make_unit("repl", exit_code=0), make_unit("web", exit_code=0)]
    cli.client.answers |= {
        "services.status": {"project": "shop", "services": units},
        "events.subscribe": [],
    }
    return cli


def test_attach_shows_output_and_sends_input(attachable: Any, piped: Any) -> None:
    cli = attachable
    written: list[bytes] = []
    arrived = anyio.Event()

    def write(data: bytes, **_: object) -> None:
        if data:
            written.append(data)
            arrived.set()

    async def output() -> AsyncIterator[Any]:
        await arrived.wait()
        yield {"unit": "repl", "stream": "stdout", "at": "", "text": "2\n"}

    piped.write(b"1 + 1\n")
    cli.client.answers |= {"services.write": write, "logs.read": lambda **_: output()}
    assert cli("attach", "repl").stdout == "2\n"
    assert written == [b"1 + 1\n"]


def test_attach_goes_on_looking_when_the_service_takes_no_input(
    attachable: Any, piped: Any
) -> None:
    cli = attachable
    refused = anyio.Event()

    def write(**_: object) -> None:
        refused.set()
        raise NotSupported(service="web", executor="process", capability="input")

    async def output() -> AsyncIterator[Any]:
        await refused.wait()
        yield {"unit": "web", "stream": "stdout", "at": "", "text": "still here\n"}

    piped.write(b"x")
    cli.client.answers |= {"services.write": write, "logs.read": lambda **_: output()}
    result = cli("attach", "web")
    assert result.exit_code == 0
    assert result.stdout == "still here\n"
    assert "do not support input" in result.stderr


def test_attach_ends_after_piped_input_once_the_service_is_quiet(
    attachable: Any, piped: Any
) -> None:
    cli = attachable
    arrived = anyio.Event()

    def write(data: bytes, **_: object) -> None:
        if data:
            arrived.set()

    async def output() -> AsyncIterator[Any]:
        await arrived.wait()
        yield {"unit": "repl", "stream": "stdout", "at": "", "text": "2\n"}
        await anyio.sleep_forever()

    piped.write(b"1 + 1\n")
    piped.close()
    cli.client.answers |= {"services.write": write, "logs.read": lambda **_: output()}
    assert cli("attach", "repl").stdout == "2\n"


@pytest.mark.parametrize(("error", "status"), [(CommandNotFound, 127), (CommandNotExecutable, 126)])
def test_exec_of_what_cannot_be_run_has_a_shells_status(
    cli: Any, error: type[CommandNotFound], status: int
) -> None:
    cli.client.answers["exec.run"] = error(command="nope", cause="command not found: nope")
    result = cli("exec", "db", "nope")
    assert result.exit_code == status
    assert "nope" in result.stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("-e", "A=1", "--", "env"), "hint: options stand before the service's name"),
        (("--", "-e"), "harness: cannot run `-e`: command not found: -e"),
    ],
)
def test_exec_hints_at_options_that_stand_after_the_service(
    cli: Any, words: tuple[str, ...], hint: str
) -> None:
    cli.client.answers["exec.run"] = CommandNotFound(command="-e", cause="command not found: -e")
    result = cli("exec", "db", *words)
    assert result.exit_code == 127
    assert result.stderr.splitlines()[-1] == hint


def test_ctrl_c_right_after_the_end_of_a_command_is_no_error(cli: Any) -> None:
    class Ended:
        exit_code, exit_signal = 3, None

        def __init__(self) -> None:
            self.asked = anyio.Event()

        async def __aiter__(self) -> AsyncIterator[Any]:
            os.kill(os.getpid(), signal.SIGINT)
            await self.asked.wait()
            await anyio.wait_all_tasks_blocked()
            yield {"stream": "stdout", "data": b"end"}

        async def signal(self, _: str) -> None:
            self.asked.set()
            raise OperationNotFound("cannot find the command: it has ended")

        async def close_stdin(self) -> None: ...

    cli.client.answers["exec.run"] = lambda **_: Ended()
    result = cli("exec", "-T", "db", "true")
    assert (result.stdout, result.exit_code) == ("end", 3)


def test_interrupts_that_are_ignored_stay_so_while_a_command_runs(cli: Any) -> None:
    class Interrupted:
        exit_code, exit_signal = 3, None

        async def __aiter__(self) -> AsyncIterator[Any]:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
                await anyio.wait_all_tasks_blocked()
            yield {"stream": "stdout", "data": b"end"}

        async def close_stdin(self) -> None: ...

    cli.client.answers["exec.run"] = lambda **_: Interrupted()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        result = cli("exec", "-T", "db", "true")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (result.stdout, result.exit_code) == ("end", 3)


@pytest.mark.parametrize("error", [
    UnknownService(name="repl", did_you_mean=None, known=[]), ServiceNotFound("no project shop")
])  # fmt: skip
def test_attach_says_that_the_service_was_removed(
    attachable: Any, error: HarnessError, make_unit: Any
) -> None:
    answers = attachable.client.answers
    status = answers["services.status"]

    async def output() -> AsyncIterator[Any]:
        yield {"unit": "repl", "stream": "stdout", "at": "", "text": "2\n"}
        answers["services.status"] = error

    answers |= {"logs.read": lambda **_: output(), "services.write": error}
    result = attachable("attach", "repl")
    assert (result.stdout, result.exit_code) == ("2\n", 1)
    assert result.stderr == "harness: repl has been removed\n"
    assert status["project"] == "shop"


def test_attach_says_that_a_service_has_ended(attachable: Any, make_unit: Any) -> None:
    units = [make_unit("repl", state="exited", exit_code=0)]

    async def output() -> AsyncIterator[Any]:
        yield {"unit": "repl", "stream": "stdout", "at": "", "text": "2\n"}
        attachable.client.answers["services.status"] = {"project": "shop", "services": units}

    attachable.client.answers |= {"logs.read": lambda **_: output(), "services.write": None}
    result = attachable("attach", "--no-stdin", "repl")
    assert (result.stderr, result.exit_code) == ("harness: repl has ended\n", 0)


@pytest.mark.parametrize(
    ("kind", "state", "word", "hint"),
    [
        ("task", "exited", "completed", "harness task run repl --force"),
        ("task", "failed", "failed", "harness task run repl"),
        ("service", "exited", "exited", "harness start repl"),
    ],
)
def test_attach_to_what_has_ended_says_how_it_is_run_again(
    attachable: Any, make_unit: Any, kind: str, state: str, word: str, hint: str
) -> None:
    ended = make_unit("repl", kind=kind, state=state, ready=False)
    attachable.client.answers["services.status"] = {"project": "shop", "services": [ended]}
    result = attachable("attach", "repl")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f'harness: cannot attach to "repl": it is not running, but {word}',
        f"hint: {hint}",
    ]


def test_attach_without_an_input_only_looks(
    attachable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    monkeypatch.setattr("harness.cli.streams.STDIN", reading)
    asked = anyio.Event()

    async def output() -> AsyncIterator[Any]:
        await asked.wait()
        await anyio.wait_all_tasks_blocked()
        yield {"unit": "repl", "stream": "stdout", "at": "", "text": "2\n"}

    def write(**_: object) -> None:
        asked.set()

    attachable.client.answers |= {"logs.read": lambda **_: output(), "services.write": write}
    result = attachable("attach", "repl")
    assert (result.stdout, result.exit_code) == ("2\n", 0)


def test_input_for_a_task_that_is_done_is_given_up(
    attachable: Any, make_unit: Any, piped: Any
) -> None:
    answers = attachable.client.answers
    asked = anyio.Event()

    def write(**_: object) -> None:
        answers["services.status"] = {
            "project": "shop",
            "services": [make_unit("repl", kind="task", state="exited", exit_code=0)],
        }
        asked.set()
        raise HandleLost(service="repl", executor="process", cause="it is not running, but exited")

    async def output() -> AsyncIterator[Any]:
        await asked.wait()
        await anyio.wait_all_tasks_blocked()
        yield {"unit": "repl", "stream": "stdout", "at": "", "text": "2\n"}

    piped.write(b"x")
    answers |= {
        "logs.read": lambda **_: output(),
        "services.write": write,
        "services.wait": None,
    }
    result = attachable("attach", "repl")
    assert (result.stdout, result.exit_code) == ("2\n", 0)
    assert len(attachable.client.calls_of("services.write")) == 1
