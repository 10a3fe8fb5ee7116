"""How people are told to give a parameter."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cli.signatures import flag_label


@pytest.mark.parametrize(
    ("command", "taken"),
    [
        ("action run", ["timeout", "project", "file", "json", "state_dir", "help"]),
        ("workflow run", ["dry_run", "wait", "no_wait", "project", "file", "json", "help"]),
    ],
)
def test_a_parameter_whose_option_is_the_commands_own_is_json(
    commands: Any, command: str, taken: list[str]
) -> None:
    for name in taken:
        assert flag_label(commands[command], name) == f'{{"{name}": …}}'
    assert flag_label(commands[command], "block_count") == "--block-count"


def test_a_workflow_is_described_with_parameters_as_they_can_be_given(cli: Any) -> None:
    properties = {"wait": {"type": "string"}, "block_count": {"type": "integer"}}
    cli.client.answers["workflows.info"] = {
        "name": "deploy",
        "description": "",
        "parameters": {"properties": properties},
        "steps": [],
        "finally_steps": [],
        "timeout_s": None,
    }
    shown = cli("-p", "shop", "workflow", "info", "deploy").stdout
    assert [line.split("  ")[0] for line in shown.splitlines()[3:5]] == [
        '{"wait": …}',
        "--block-count",
    ]


def test_the_steps_of_a_workflow_are_listed_with_what_is_done_at_the_end(cli: Any) -> None:
    cli.client.answers["workflows.info"] = {
        "name": "deploy",
        "description": "Bring it out.",
        "parameters": {},
        "steps": [{"name": "up", "start": ["db", "web"]}, {"sleep": 2}],
        "finally_steps": [{"stop": "web"}],
        "timeout_s": 300.0,
    }
    shown = cli("-p", "shop", "workflow", "info", "deploy").stdout
    assert (
        shown
        == """deploy   Bring it out.

steps
  1. up  start db, web
  2.     sleep 2 s

finally
  1.  stop web

limit     5m 00s
"""
    )
