"""Tests that fail or are interrupted leave neither a daemon nor a service behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness_case import HarnessCase, eventually
from tests.processes import sweep, users

pytestmark = pytest.mark.timeout(90)

ROOT = Path(__file__).parents[2]
# It leaves out what else would take its processes down.
INNER = """
import signal
from tests.e2e.harness_case import HarnessCase

# Whoever started all this in the background has it ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

def test_inner(tmp_path):
    case = HarnessCase(tmp_path)
    case.write("services: {a: {type: process, command: [sh, -c, 'setsid sleep 1000 & wait']}}")
    case.ok("up", "-q")
    (tmp_path.parents[1] / "ready").touch()
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "test_inner.py"
    file.write_text(INNER)
    base = tmp_path / "base"
    options = ["-q", "-c", "pyproject.toml", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, f"--basetemp={base}", str(file)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        eventually((tmp_path / "ready").exists, within_s=60)
        assert len(users(base)) > 2
        run.send_signal(number)
        output, _ = run.communicate(timeout=60)
    assert run.returncode == 2, output
    assert users(base) == []


def test_a_command_under_way_does_not_hold_up_a_test_that_fails(case: HarnessCase) -> None:
    case.write("services: {a: {type: process, command: sleep 1000}}")
    case.ok("up", "-q")
    with pytest.raises(ZeroDivisionError), case.begun("logs", "-f") as following:
        raise ZeroDivisionError
    assert following.returncode == -signal.SIGKILL


def test_a_sweep_ends_all_that_uses_a_directory_and_nobody_else(case: HarnessCase) -> None:
    case.write(
        "services: {a: {type: process, command: [sh, -c, 'env -i setsid sleep 1000 & wait']}}"
    )
    case.ok("up", "-q")
    with subprocess.Popen(["sleep", "1000"], cwd="/") as stranger:
        commands = sweep(case.directory)
        assert "harness.daemon" in commands[0]
        assert commands.count("sleep 1000") == 1
        assert users(case.directory) == []
        assert stranger.poll() is None
        stranger.kill()
