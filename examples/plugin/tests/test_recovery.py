"""What is this executor's own: pid files that are stale, missing or somebody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from harness_forking.executor import ForkingExecutor, ForkingOptions

from harness.errors import StartFailed
from harness.testing import ExecutorCase


@pytest.fixture
def case(tmp_path: Path) -> ExecutorCase:
    return ExecutorCase(executor=ForkingExecutor, base_dir=tmp_path)


def options(line: str) -> ForkingOptions:
    return ForkingOptions(command=("sh", "-c", line), pid_file="unit.pid", pid_file_timeout=0.05)


async def refusal(case: ExecutorCase, line: str) -> str:
    with pytest.raises(StartFailed) as caught:
        await case.executor().start(case.request(options(line)))
    return caught.value.cause


async def test_a_command_that_fails_is_told(case: ExecutorCase) -> None:
    assert await refusal(case, "exit 3") == "the command failed: exit status 3"


async def test_a_command_that_writes_no_pid_file_is_told(case: ExecutorCase) -> None:
    assert (await refusal(case, "true")).endswith(
        f"there is no process id in {case.base_dir}/unit.pid"
    )


async def test_a_pid_file_of_a_process_that_runs_is_left_alone(case: ExecutorCase) -> None:
    pid_file = case.base_dir / "unit.pid"
    pid_file.write_text(str(os.getpid()))
    assert "which runs and is not of this start" in await refusal(case, "true")
    assert pid_file.read_text() == str(os.getpid())


async def test_a_stale_pid_file_is_replaced(case: ExecutorCase) -> None:
    (case.base_dir / "unit.pid").write_text("no number")
    handle = await case.start(options("setsid sleep 100 & echo $! > $PIDFILE"))
    assert str(handle.pid) == (case.base_dir / "unit.pid").read_text().strip()
    await case.executor().stop(handle, stop_signal="SIGTERM", timeout_s=5)
