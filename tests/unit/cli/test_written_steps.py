"""Steps of workflows in words."""

from __future__ import annotations

from typing import Any

import pytest

from harness.cli.written_steps import planned_text, short, step_rows


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ({"start": "db"}, "start db"),
        ({"stop": ["db", "web"]}, "stop db, web"),
        ({"restart": "db", "if": "params.hard"}, "restart db   (if params.hard)"),
        ({"wait": {"service": "db", "timeout": "5s"}}, "wait for db to be healthy, at most 5s"),
        ({"wait": {"service": "db", "state": "stopped"}}, "wait for db to be stopped"),
        ({"wait": {"until": "vars.x > 1"}}, "wait until vars.x > 1"),
        (
            {"wait": {"event": "action-event", "where": "event.data.n == 1"}},
            "wait for the event action-event where event.data.n == 1",
        ),
        (
            {"exec": {"service": "db", "command": ["sh", "-c", "exit 1"], "status": 1}},
            "exec db status=1 -- sh -c 'exit 1'",
        ),
        ({"exec": {"service": "db", "command": "ls -l"}, "retry": 3},
         "exec db -- ls -l   (at most 3 attempts)"),
        (
            {"exec": {"service": "db", "command": ["a", "", "${item}", "b\nc"]}},
            "exec db -- a '' ${item} 'b c'",
        ),
        ({"http": {"url": "http://a/"}}, "http GET http://a/"),
        ({"http": {"url": "http://a/", "json": {"n": 1}}}, 'http POST http://a/ json={"n": 1}'),
        ({"action": "chain.mine"}, "action chain.mine"),
        (
            {"action": {"name": "network.deploy", "parameters": {"path": "${params.path}"}}},
            "action network.deploy path=${params.path}",
        ),
        ({"task": {"name": "seed", "force": False}}, "task seed force=false"),
        ({"sleep": "10ms"}, "sleep 10ms"),
        ({"set": {"x": 1, "y": "${vars.x}"}}, "set x=1 y=${vars.x}"),
        ({"uses": "note", "with": {"text": "hello"}}, "note text=hello"),
        ({"uses": "note", "retry": {"delay": 1}, "timeout": 2},
         "note   (at most 3 attempts; each at most 2 s)"),
    ],
)  # fmt: skip
def test_a_step_is_said_in_one_line(step: dict[str, Any], text: str) -> None:
    assert list(step_rows([step])) == [("1.", text)]


def test_steps_in_others_are_indented_under_them() -> None:
    inner = [{"name": "a", "sleep": 1}]
    steps: list[dict[str, Any]] = [
        {"name": "both", "parallel": {"steps": inner, "max": 2}},
        {"for_each": {"items": "params.names", "name": "who", "max": 4, "steps": inner}},
        {"if": "params.fast", "then": inner, "else": inner},
        {"sequence": inner, "compensate": [{"stop": "db"}]},
    ]
    assert list(step_rows(steps)) == [
        ("1. both", "side by side, at most 2 at once"),
        ("  1. a", "sleep 1 s"),
        ("2.", "for each who of params.names, at most 4 at once"),
        ("  1. a", "sleep 1 s"),
        ("3.", "if params.fast"),
        ("  1. a", "sleep 1 s"),
        ("  else", ""),
        ("    1. a", "sleep 1 s"),
        ("4.", "in order"),
        ("  1. a", "sleep 1 s"),
        ("  undone by", ""),
        ("    1.", "stop db"),
    ]


@pytest.mark.parametrize(
    ("kind", "inputs", "text"),
    [
        ("start", {"units": ["db", "web"]}, "start db, web"),
        ("sleep", {"duration": "10ms"}, "sleep 10ms"),
        ("set", {"values": {"x": "${params.x}"}}, "set x=${params.x}"),
        ("task", {"name": "seed"}, "task seed"),
        ("action", {"name": "net.deploy", "parameters": {"path": "${params.path}"}},
         "action net.deploy path=${params.path}"),
        ("exec", {"service": "db", "command": "${params.command}"}, "exec db -- ${params.command}"),
        ("if", {"condition": "params.fast"}, "if params.fast"),
        ("sequence", {}, "in order"),
        ("parallel", {}, "side by side"),
        ("parallel", {"max": 2}, "side by side, at most 2 at once"),
        ("for_each", {"items": [1], "name": "n", "max": 1}, "for each n of [1]"),
        ("note", {"text": "hello"}, "note text=hello"),
    ],
)  # fmt: skip
def test_a_step_of_a_dry_run_is_said_in_the_same_words(
    kind: str, inputs: dict[str, Any], text: str
) -> None:
    assert planned_text(kind, inputs) == text


def test_a_long_value_is_cut() -> None:
    assert short("x" * 61) == "x" * 59 + "…"
    assert short({"a": 1}) == '{"a": 1}'
