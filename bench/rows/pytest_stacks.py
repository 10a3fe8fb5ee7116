"""What a stack of its own adds to a test: up, down, and nothing left of it."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251 - runs the suites as their users do
import sys
import tempfile
import time
from pathlib import Path

from bench.tools import ToolFailed

from .base import Context, Line, Row, attempt, median, repeated

__all__ = ["ROWS"]

_TESTS = 20
_LIMIT_S = 0.4
_LONGEST_S = 120

_STACK = """
from harness.testing import harness_stack

SLEEP = {"type": "process", "command": "sleep 1000"}
three = harness_stack({"name": "three", "services": {"a": SLEEP, "b": SLEEP, "c": SLEEP}})
"""
_BARE = """
import subprocess
import pytest

@pytest.fixture
def three():
    processes = [subprocess.Popen(["sleep", "1000"]) for _ in range(3)]
    yield
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait()
"""
_SUITE = """
import pytest

@pytest.mark.parametrize("number", range(COUNT))
def test_it(three, number): pass
"""


def _run_s(folder: Path, count: int) -> float:
    """Return how long a suite of so many tests takes."""
    (folder / "test_it.py").write_text(_SUITE.replace("COUNT", str(count)))
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    if done.returncode:
        raise ToolFailed(done.stdout[-500:])
    return time.perf_counter() - began


def _test_s(conftest: str) -> float:
    """Return what one more test takes; what a run takes by itself is left out."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "conftest.py").write_text(conftest)
        return (_run_s(folder, _TESTS + 1) - _run_s(folder, 1)) / _TESTS


def measure_pytest(context: Context) -> list[Line]:
    """A stack for each test, and the same processes without any harness."""
    if "harness" not in context.tools:
        return []
    mine = attempt(
        context, "harness: a stack for each test", repeated, context.repeats, _test_s, _STACK
    )
    bare = median(repeated(context.repeats, _test_s, _BARE))
    value = mine if isinstance(mine, str) else median(mine)
    return [
        Line(
            what="a test with a stack of its own of three services",
            unit="s",
            target=f"at most {_LIMIT_S:g} s",
            values={"harness": value, "bare": bare},
            met=value <= _LIMIT_S if isinstance(value, float) else None,
            ratio=value / bare if isinstance(value, float) else None,
            ratio_to="the same three spawned by the test",
        )
    ]


ROWS = (Row(name="pytest", measure=measure_pytest),)
