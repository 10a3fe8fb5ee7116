"""What an author must write of a task type, and how its run reads output."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.actions import ActionEvent, TaskCall, TaskType
from harness.errors import CommandFailed, CommandTimeout
from harness.executors import StartRequest
from harness.model import UnitKind


@dataclass(frozen=True)
class Made:
    """An output."""

    address: str


class Whole(TaskType):
    """Takes one dataclass."""

    name = "whole"

    async def execute(self, config: Made) -> Made:
        """Do it."""
        return config


def test_parameters_outputs_and_text_come_from_execute() -> None:
    declared = Whole.declared()
    assert declared is Whole.declared()
    assert (declared.summary, declared.result, declared.whole) == ("Do it.", Made, "config")
    assert declared.parameters_schema()["properties"].keys() == {"address"}
    assert (Whole.writes("is_completed"), Whole.writes("execute")) == (False, True)


def _type(**members: Any) -> type[TaskType]:
    async def execute(self: Any, a: int) -> None:
        """Do it."""

    return type("Wrong", (TaskType,), {"name": "wrong", "execute": execute, **members})


async def _undocumented(self: Any) -> None: ...


async def _number(self: Any) -> int:
    """Return a number."""
    return 1


async def _other(self: Any, b: int) -> bool:
    """Take something else."""
    return True


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"name": None}, "Wrong has no name; stack files need one"),
        ({"execute": TaskType.execute}, "Wrong has no method execute, which does the task"),
        ({"execute": _undocumented}, "Wrong.execute has no docstring"),
        ({"execute": _number}, "Wrong.execute must return a dataclass, a mapping or None"),
        ({"is_completed": _other}, "Wrong.is_completed must take what execute takes"),
        ({"outputs": _other}, "Wrong.outputs must take what execute takes"),
        ({"events": (int,)}, "Wrong.execute emits int, which is no dataclass"),
    ],
)
def test_what_is_missing_in_a_declaration_is_named(
    members: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        _type(**members).declared()


@pytest.fixture
def call(tmp_path: Path) -> TaskCall:
    """Return a run whose log is in the test's directory."""

    async def send(event: ActionEvent) -> None:
        """Take it."""

    request = StartRequest(
        project="p",
        unit="t",
        kind=UnitKind.TASK,
        generation=1,
        token="x",
        run_dir=tmp_path,
        log_dir=tmp_path,
        base_dir=tmp_path,
        options=None,
        env={"COLOUR": "red"},
    )
    return TaskCall({}, send, request)


async def test_lines_are_given_whole_however_output_is_cut(call: TaskCall, tmp_path: Path) -> None:
    script = (
        "import os\nfor part in ('a', 'b\\r\\nc', '\\n', '\\xe9', 'd'): os.write(1, part.encode())"
    )
    seen: list[str] = []

    async def see(line: str) -> None:
        seen.append(line)

    done = await call.run(sys.executable, "-c", script, on_line=see)
    assert seen == ["ab", "c", "éd"]
    assert done.stdout.decode() == "ab\r\nc\néd"
    assert (tmp_path / "stdout.log").read_bytes() == done.stdout


async def test_a_line_without_end_comes_in_parts(call: TaskCall) -> None:
    seen: list[str] = []

    async def see(line: str) -> None:
        seen.append(line)

    await call.run(sys.executable, "-c", "print('x' * 5_000_000)", on_line=see)
    assert len(seen) > 1
    assert all(len(line) < 2_000_000 for line in seen)
    assert "".join(seen) == "x" * 5_000_000


async def test_a_command_runs_in_the_environment_and_place_of_its_task(
    call: TaskCall, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    script = "cat; echo $COLOUR $SHAPE $HARNESS_UNIT $HARNESS_RUN; pwd"
    done = await call.run(
        "/bin/sh", "-c", script, env={"SHAPE": "round"}, directory="sub", stdin=b"in "
    )
    assert done.stdout.decode() == f"in red round p/t/1/x {tmp_path}\n{tmp_path / 'sub'}\n"


async def test_a_command_that_fails_or_takes_too_long_raises(call: TaskCall) -> None:
    with pytest.raises(CommandFailed, match="exit status 3: no"):
        await call.run("/bin/sh", "-c", "echo no >&2; exit 3")
    assert (await call.run("/bin/sh", "-c", "exit 3", check=False)).status.code == 3
    with pytest.raises(CommandTimeout):
        await call.run("/bin/sleep", "1000", timeout_s=0.05)


async def test_an_error_of_whoever_reads_lines_ends_the_command(call: TaskCall) -> None:
    async def refuse(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="one"):
        await call.run("/bin/sh", "-c", "echo one; exec sleep 1000", on_line=refuse)
