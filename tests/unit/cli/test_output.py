"""Advice whose commands can be pasted."""

from __future__ import annotations

import pytest

from harness.cli.options import GlobalOptions
from harness.cli.output import Output
from harness.cli.program import Program


@pytest.mark.parametrize("directory", ["/other", "'/my other'/state", "'/it'\"'\"'s'"])
@pytest.mark.parametrize(
    "options",
    [
        GlobalOptions(state_dir="/mine"),
        GlobalOptions(program=Program(name="shop", prefix="SHOP", state_dir="/of/the/shop")),
    ],
)
def test_a_command_that_is_told_its_daemon_is_left_as_it_is(
    options: GlobalOptions, directory: str
) -> None:
    advice = f"HARNESS_STATE_DIR={directory} harness daemon start takes it up again"
    assert Output(options).pasteable(advice) == advice


def test_what_stands_beside_such_a_command_is_about_this_run() -> None:
    output = Output(GlobalOptions(state_dir="/mine"))
    told = "HARNESS_STATE_DIR=/other harness status"
    assert output.pasteable(f"{told}, or harness status") == (
        f"{told}, or harness --state-dir /mine status"
    )
