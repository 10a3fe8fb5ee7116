"""exec: when a command gets a terminal, and what is asked of the daemon then."""

from __future__ import annotations

import os
import termios
from typing import Any

import pytest

from harness.cli.terminal import returned, window


@pytest.mark.parametrize(
    ("flags", "terminal"),
    [
        ([], None),
        (["-T"], None),
        (["--no-tty"], None),
        (["-t"], {"columns": 80, "rows": 24}),
        (["-it"], {"columns": 80, "rows": 24}),
        (["--tty"], {"columns": 80, "rows": 24}),
    ],
)
def test_without_a_terminal_here_a_command_gets_one_only_by_force(
    cli: Any, make_process: Any, monkeypatch: pytest.MonkeyPatch, flags: list[str], terminal: Any
) -> None:
    monkeypatch.setattr("harness.cli.terminal.os.get_terminal_size", _no_terminal)
    cli.client.answers["exec.run"] = make_process()
    assert cli("exec", *flags, "db", "psql").exit_code == 0
    (call,) = cli.client.calls_of("exec.run")
    assert call["terminal"] == terminal


def _no_terminal(_: int) -> os.terminal_size:
    raise OSError


def test_a_command_on_a_terminal_is_told_which_kind_unless_that_was_chosen(
    cli: Any, make_process: Any
) -> None:
    cli.client.answers["exec.run"] = make_process()
    cli("exec", "-t", "db", "psql", env={"TERM": "vt100"})
    cli("exec", "-t", "-e", "TERM=dumb", "db", "psql", env={"TERM": "vt100"})
    cli("exec", "-T", "db", "psql", env={"TERM": "vt100"})
    environments = [call["env"] for call in cli.client.calls_of("exec.run")]
    assert environments == [{"TERM": "vt100"}, {"TERM": "dumb"}, {}]


def test_all_output_of_a_terminal_goes_to_stdout(cli: Any, make_process: Any) -> None:
    output = [{"stream": "stdout", "data": b"\xff\r\n"}, {"stream": "stdout", "data": b"> "}]
    cli.client.answers["exec.run"] = make_process(output=output, exit_code=3)
    result = cli("exec", "-t", "db", "psql")
    assert (result.stdout_bytes, result.stderr_bytes, result.exit_code) == (b"\xff\r\n> ", b"", 3)


def test_a_terminal_is_set_back_whatever_happens() -> None:
    here, there = os.openpty()
    try:
        before = termios.tcgetattr(there)
        with pytest.raises(KeyError):
            _fail_within(there)
        assert termios.tcgetattr(there) == before
    finally:
        os.close(here)
        os.close(there)


def _fail_within(fd: int) -> None:
    with returned(fd) as terminal:
        terminal.enter()
        assert not termios.tcgetattr(fd)[3] & termios.ICANON
        raise KeyError


def test_what_is_no_terminal_is_left_alone() -> None:
    reading, writing = os.pipe()
    try:
        with returned(reading) as terminal:
            terminal.enter()
    finally:
        os.close(reading)
        os.close(writing)


def test_an_unknown_size_is_a_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.cli.terminal.os.get_terminal_size", _no_terminal)
    assert window() == {"columns": 80, "rows": 24}
