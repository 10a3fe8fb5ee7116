"""Every stack in tests/cases/config loads to, or is refused with, what stands beside it.

`NAME.yaml` is the stack. `NAME.json` may give `env` and `profiles` to load it with, and says what
comes out: `units` (fields that are not at their default), or `problems`, and `warnings`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.unit.config.stacks import facts, report

CASES = Path(__file__).parents[2] / "cases" / "config"


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.yaml")))
def test_stack_gives_what_stands_beside_it(case: str, tmp_path: Path) -> None:
    expected = json.loads((CASES / f"{case}.json").read_text())
    shutil.copy(CASES / f"{case}.yaml", tmp_path / "harness.yaml")

    found = report(
        tmp_path,
        env=expected.get("env", {}),
        profiles=tuple(expected.get("profiles", ())),
    )

    assert [str(problem) for problem in found.problems] == expected.get("problems", [])
    assert [str(warning) for warning in found.warnings] == expected.get("warnings", [])
    units = facts(found.stack.units) if found.stack else {}
    assert units == expected.get("units", {})
