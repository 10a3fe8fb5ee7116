"""What a stack file says about a process is what the process gets."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.commands import Command, Output
from harness.executors.process import ProcessExecutor
from harness.executors.process_options import ProcessOptions
from harness.model import Handle
from harness.testing import ExecutorCase
from tests.processes import is_alive
from tests.requirements import require


@pytest.fixture
def case(tmp_path: Path) -> ExecutorCase:
    return ExecutorCase(executor=ProcessExecutor, base_dir=tmp_path)


async def begin(case: ExecutorCase, line: str, **options: Any) -> Handle:
    with anyio.fail_after(10):
        return await case.start(ProcessOptions(command=line, shell=True, **options))


async def says(case: ExecutorCase, line: str, **options: Any) -> str:
    """Run a shell line to its end and return what units have printed so far."""
    handle = await begin(case, line, **options)
    log_dir = case.request_of(handle).log_dir
    with anyio.fail_after(10):
        status = await case.executor().wait(handle)
    assert status.is_success, (log_dir / "stderr.log").read_text()
    return (log_dir / "stdout.log").read_text().strip()


@pytest.mark.parametrize("umask", ["027", 27])
async def test_a_process_gets_its_umask(case: ExecutorCase, umask: str | int) -> None:
    assert await says(case, "umask", umask=umask) == "0027"


async def test_without_one_its_umask_is_not_the_daemons(case: ExecutorCase) -> None:
    before = os.umask(0o077)
    try:
        assert await says(case, "umask") == "0022"
    finally:
        os.umask(before)


async def test_a_process_gets_its_niceness_on_top_of_the_daemons(case: ExecutorCase) -> None:
    assert await says(case, "nice", nice=3) == str(min(os.nice(0) + 3, 19))


async def test_a_process_gets_its_limits(case: ExecutorCase) -> None:
    limits = {"nofile": 77, "core": 0}
    assert await says(case, "ulimit -n; ulimit -c", limits=limits) == "77\n0"


async def test_a_process_works_where_its_stack_file_says(case: ExecutorCase) -> None:
    (case.base_dir / "sub").mkdir()
    assert await says(case, "pwd", working_dir="sub") == str(case.base_dir / "sub")


async def test_a_process_runs_as_its_user(case: ExecutorCase) -> None:
    require("root", os.geteuid() == 0, "only root may start processes of others")
    nobody = pwd.getpwnam("nobody")
    assert await says(case, "id -u", user="nobody", working_dir="/") == str(nobody.pw_uid)


async def test_a_process_has_an_open_input_only_if_it_wants_one(case: ExecutorCase) -> None:
    assert await says(case, "cat; echo end") == "end"
    handle = await begin(case, "read line; echo got $line", stdin=True)
    await case.executor().write_stdin(handle, b"this\n")
    with anyio.fail_after(10):
        await case.executor().wait(handle)
    assert await says(case, "true") == "end\ngot this"


async def test_a_process_seems_gone_only_when_its_group_is_empty(case: ExecutorCase) -> None:
    """Else the next run would begin beside what the last one left."""
    handle = await begin(case, "(trap '' HUP TERM; exec sleep 1000) & echo $!")
    with anyio.fail_after(10):
        await case.executor().wait(handle)
    child = int((case.request_of(handle).log_dir / "stdout.log").read_text())
    assert not case.executor().seems_gone(handle)
    with anyio.fail_after(10):
        await case.executor().stop(handle, stop_signal="SIGTERM", timeout_s=0.0)
    assert not is_alive(child)
    with anyio.fail_after(10):
        alone = await begin(case, "true")
        await case.executor().wait(alone)
    assert case.executor().seems_gone(alone)


async def test_a_command_beside_a_process_gets_what_the_process_has(case: ExecutorCase) -> None:
    require("root", os.geteuid() == 0, "only root may start processes of others")
    has = {"user": "nobody", "umask": "027", "nice": 3, "limits": {"nofile": 77}}
    handle = await begin(case, "exec sleep 1000", working_dir="/", **has)
    argv = ("sh", "-c", "id -un; umask; nice; ulimit -n; pwd")
    with anyio.fail_after(10):
        async with await case.executor().execute(handle, Command(argv=argv)) as process:
            completed = b"".join([e.data async for e in process if isinstance(e, Output)])
    assert completed.decode().split() == ["nobody", "0027", str(min(os.nice(0) + 3, 19)), "77", "/"]
