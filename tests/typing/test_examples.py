"""Examples that must pass the type checker, and some of which every marked line must not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOUND = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$")
WANTED = re.compile(r"# E: (?P<code>[a-z-]+)$")


def found(folder: str) -> set[tuple[str, int, str]]:
    """Return what the type checker says of the examples in a folder: file, line, code."""
    options = ["--strict", "--no-error-summary", "--hide-error-context", "--config-file", ""]
    options += ["--cache-dir", str(ROOT / ".mypy_cache")]
    output, errors, _ = api.run([*options, str(HERE / folder)])
    assert errors == ""
    matches = [FOUND.match(line) for line in output.splitlines() if ": note:" not in line]
    assert None not in matches, output
    return {(Path(m["file"]).name, int(m["line"]), m["code"]) for m in matches if m is not None}


@pytest.mark.timeout(180)
def test_what_users_write_passes_the_type_checker() -> None:
    assert found("valid") == set()


@pytest.mark.timeout(180)
def test_what_users_must_not_write_is_told() -> None:
    wanted = {
        (path.name, number, match["code"])
        for path in (HERE / "invalid").glob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (match := WANTED.search(line)) is not None
    }
    assert found("invalid") == wanted
