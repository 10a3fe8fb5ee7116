"""What a command may be."""

from __future__ import annotations

import os
from typing import Any

import pytest

from harness.commands import Command


@pytest.mark.parametrize(
    "fields",
    [
        {"argv": ()},
        {"argv": ("",)},
        {"argv": ("a\0b",)},
        {"argv": ("true",), "env": {"A": "\0"}},
        {"argv": ("true",), "env": {"A=B": "c"}},
        {"argv": ("true",), "env": {"": "c"}},
        {"argv": ("true",), "working_dir": "a\0"},
    ],
)
def test_what_the_system_cannot_run_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Command(**fields)


def test_any_posix_name_of_a_variable_is_allowed() -> None:
    command = Command(argv=("true",), env={"lower.dot-dash": "1"}, inherit_env=False)
    assert command.environment() == {"lower.dot-dash": "1"}


def test_own_variables_come_on_top_of_inherited_ones() -> None:
    environment = Command(argv=("true",), env={"PATH": "/mine"}).environment()
    assert environment == {**os.environ, "PATH": "/mine"}


def test_its_text_is_what_one_would_type() -> None:
    assert str(Command(argv=("echo", "a b", "$x", ""), env={"SECRET": "s"})) == "echo 'a b' '$x' ''"
