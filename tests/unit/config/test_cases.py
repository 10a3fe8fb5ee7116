"""Every stack in tests/cases/config loads to, or is refused with, what stands beside it.

`NAME.yaml` is the stack. `NAME.json` may give `env` and `profiles` to load it with, and `files`
that are there beside it (directories end in a slash). It says what comes out: `units` (fields that
are not at their default), or `problems`, and `warnings`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from harness.errors import Problem
from tests.unit.config.stacks import facts, report

CASES = Path(__file__).parents[2] / "cases" / "config"


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.yaml")))
def test_stack_gives_what_stands_beside_it(case: str, tmp_path: Path) -> None:
    expected = json.loads((CASES / f"{case}.json").read_text())
    shutil.copy(CASES / f"{case}.yaml", tmp_path / "harness.yaml")
    for name in expected.get("files", ()):
        _make(tmp_path, name)

    found = report(
        tmp_path,
        env=expected.get("env", {}),
        profiles=tuple(expected.get("profiles", ())),
    )

    assert _texts(found.problems, tmp_path) == expected.get("problems", [])
    assert _texts(found.warnings, tmp_path) == expected.get("warnings", [])
    units = facts(found.stack.units) if found.stack else {}
    assert units == expected.get("units", {})


def _make(directory: Path, name: str) -> None:
    path = directory / name
    (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
    if not name.endswith("/"):
        path.write_text("")


def _texts(problems: Iterable[Problem], directory: Path) -> list[str]:
    return [str(problem).replace(f"{directory}/", "DIR/") for problem in problems]
