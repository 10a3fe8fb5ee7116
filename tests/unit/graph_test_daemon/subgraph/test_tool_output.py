from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from graph_test_daemon.subgraph.tool_output import read_problems, read_step

CASES = sorted(Path("tests/cases/gnd").glob("*.in"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_the_tools_say_is_read(case: Path) -> None:
    problems = read_problems(
        case.read_text(encoding="utf-8"), manifest="subgraph.yaml", schema="schema.graphql"
    )
    read = [
        {key: value for key, value in asdict(problem).items() if key != "hint"}
        for problem in problems
    ]
    expected = case.with_suffix(".json")
    assert read == json.loads(expected.read_text(encoding="utf-8"))


def test_a_tool_that_says_nothing_failed_all_the_same() -> None:
    (problem,) = read_problems("", manifest="m", schema="s")
    assert problem.message == "the tool failed and did not say why"


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("→ Compile data source: A", "Compile data source: A"),
        ("✔ Build completed: build/subgraph.yaml", "Build completed: build/subgraph.yaml"),
        ("Error: x", None),
    ],
)
def test_steps_are_told_apart_from_the_rest(line: str, step: str | None) -> None:
    assert read_step(line) == step
