"""Workflows in Python say what they say, and refuse what they cannot say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.workflows import BUILT_IN_STEPS, Exec, If, Sleep, Start, Stop, Workflow
from harness.workflows.steps import BUILT_IN


def test_pieces_are_equal_only_where_they_say_the_same() -> None:
    assert Start("a", name="x") == Start("a", name="x")
    assert Start("a") != Start("b")
    other: object = Stop("a")
    assert Start("a") != other
    assert "('a', 'b')" in repr(Start("a", "b"))
    assert Start("a", "b", timeout=3).document() == {"start": ["a", "b"], "timeout": 3}


def test_a_command_may_run_in_another_directory() -> None:
    step = Exec("web", ["pwd"], working_dir="/tmp").document()
    assert step["exec"]["working_dir"] == "/tmp"
    assert "working_dir" not in Exec("web", ["pwd"]).document()["exec"]


def test_an_if_has_one_condition() -> None:
    with pytest.raises(ValueError, match="takes no `when` besides"):
        If("true", then=[Sleep(1)], when="false")


def test_a_workflow_is_a_value() -> None:
    assert replace(Workflow("a", [Sleep(1)]), name="b") == Workflow("b", [Sleep(1)])


def test_every_kind_that_is_built_in_is_one_that_no_plugin_may_bring() -> None:
    assert {*BUILT_IN, "sequence", "parallel", "if", "for_each"} == {*BUILT_IN_STEPS}
