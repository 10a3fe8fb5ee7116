"""The stack that a daemon is started for: checked by the command, and read once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.client import make_source
from harness.client.stack_check import check_stack
from harness.clock import SystemClock
from harness.daemon.extensions import Extensions
from harness.daemon.stack_reader import StackReader
from harness.errors import ConfigError, PlanError
from harness.executors import option_types
from harness.protocol import CheckedStack, Source

STACK = "name: shop\nservices:\n  a: {type: process, command: sleep 1000}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "harness.yaml"
    path.write_text(STACK)
    return path


def source(file: Path) -> dict[str, Any]:
    return make_source(files=[str(file)], directory=str(file.parent), env={"A": "1"})


def reader(checked: CheckedStack) -> StackReader:
    extensions = Extensions(lambda name: None, clock=SystemClock())  # type: ignore[arg-type, return-value]
    return StackReader(option_types(), extensions, checked)


@pytest.fixture
def checked(file: Path) -> CheckedStack:
    return check_stack(source(file))


def test_a_checked_stack_is_handed_over_whole(checked: CheckedStack) -> None:
    assert CheckedStack.decode(checked.encode()) == checked


def test_what_is_wrong_is_told_with_its_places(file: Path) -> None:
    file.write_text(STACK.replace("command", "comand"))
    with pytest.raises(ConfigError) as caught:
        check_stack(source(file))
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == ("harness.yaml", 3)


_CYCLE = """\
  b: {type: process, command: x, depends_on: [c]}
  c: {type: process, command: x, depends_on: [b]}
"""


@pytest.mark.parametrize(
    ("extra", "cause"),
    [(_CYCLE, "b → c → b"), ("tasks:\n  t: {type: external}\n", "cannot")],
)
def test_what_cannot_be_brought_up_is_told_too(file: Path, extra: str, cause: str) -> None:
    file.write_text(STACK + extra)
    with pytest.raises(PlanError, match=cause):
        check_stack(source(file))


async def test_a_stack_that_was_checked_is_read_once(checked: CheckedStack) -> None:
    reading = reader(checked)
    first = await reading.read(checked.source)
    assert first is checked.stack
    second = await reading.read(checked.source)
    assert second is not first
    assert second == first


async def test_another_source_is_read(checked: CheckedStack) -> None:
    reading = reader(checked)
    other = replace(checked.source, project="other")
    assert (await reading.read(other)).name == "other"


@pytest.fixture
def changed(checked: CheckedStack, file: Path) -> CheckedStack:
    file.write_text(STACK + "  b: {type: process, command: sleep 1000}\n")
    return checked


@pytest.fixture
def gone(checked: CheckedStack, file: Path) -> CheckedStack:
    file.unlink()
    return checked


async def test_a_file_that_was_changed_since_is_read_again(changed: CheckedStack) -> None:
    reading = reader(changed)
    assert list((await reading.read(changed.source)).units) == ["a", "b"]


async def test_what_was_checked_a_while_ago_is_read_again(checked: CheckedStack) -> None:
    reading = reader(replace(checked, at_s=checked.at_s - 10))
    assert await reading.read(checked.source) is not checked.stack


async def test_a_file_that_is_gone_since_is_an_error(gone: CheckedStack) -> None:
    with pytest.raises(ConfigError):
        await reader(gone).read(gone.source)


def test_a_checked_source_is_what_a_request_carries(checked: CheckedStack) -> None:
    assert isinstance(checked.source, Source)
    assert isinstance(checked.source.files, tuple)
