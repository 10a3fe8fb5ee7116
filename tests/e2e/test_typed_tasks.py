"""Tasks that a plugin's class does, driven by the real program."""

from __future__ import annotations

from pathlib import Path

import pytest

from .harness_case import HarnessCase, eventually

STACK = """
tasks:
  sign:
    task_type: carve
    config: {file: sign.txt, text: open}
  think: {task_type: ponder, config: {how: %s}}
"""


@pytest.fixture
def typed(case: HarnessCase) -> HarnessCase:
    """Have the tests' plugin."""
    case.env["HARNESS_PLUGINS"] = "tests.toy_plugin"
    case.env["PYTHONPATH"] = str(Path(__file__).parents[2])
    return case


def test_a_task_is_described_run_and_skipped(typed: HarnessCase) -> None:
    typed.write(STACK % "quickly")
    typed.ok("up", "-q")
    described = typed.ok("task", "info", "sign").splitlines()
    assert described[0] == "sign (carve)   Carve a text."
    assert "times   integer  1           how often." in described
    assert described[-2:] == ["returns   {text, letters}", "tells     carved {letter}"]
    assert "outputs: text=open, letters=4" in typed.ok("up")
    assert "stdout" not in typed.ok("logs", "sign")
    assert "letter o" in typed.ok("logs", "sign")
    typed.write("tasks: {t: {task_type: crave}}")
    refused = typed("up")
    assert refused.returncode == 6
    assert 'no plugin brings the task_type "crave"' in refused.stderr
    assert 'hint: did you mean "carve"?' in refused.stderr
    typed.write("tasks: {t: {task_type: carve, config: {file: f, text: t, tiems: 1}}}")
    refused = typed("up")
    assert (refused.returncode, "config.tiems: unknown" in refused.stderr) == (6, True)


def test_each_up_asks_the_class_whether_it_is_still_done(typed: HarnessCase) -> None:
    typed.write(STACK % "quickly")
    typed.ok("up", "-q")
    runs = typed.ok("logs", "sign").count("letter o")
    typed.ok("up", "-q")
    assert typed.ok("logs", "sign").count("letter o") == runs
    (typed.directory / "sign.txt").unlink()
    typed.ok("up", "-q")
    assert (typed.directory / "sign.txt").read_text() == "open"
    assert typed.ok("logs", "sign").count("letter o") == runs * 2


def test_a_run_that_a_kill_of_the_daemon_cut_short_is_made_again(typed: HarnessCase) -> None:
    typed.write(STACK % "with-a-command")
    typed.ok("up", "--no-wait")
    eventually(lambda: "begun" in typed("logs", "think").stdout)
    assert typed.kill_daemon()
    eventually(lambda: typed.ok("logs", "think").count("begun") == 2)
    assert typed.unit("think")["state"] == "running"
    assert len(typed.processes("think")) == 3
    typed.ok("down")
    assert typed.processes("think") == []
