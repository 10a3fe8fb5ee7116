"""What runs leave behind when they end: processes that have left their session are found too."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from harness.commands import Command, launch, wait_exit
from harness.executors.process_options import ProcessOptions
from harness.model import (
    Backoff,
    RestartMode,
    RestartPolicy,
    ServiceSpec,
    ServiceState,
    StackSpec,
    TaskSpec,
)
from tests.integration.daemon_script import supervisor
from tests.processes import carriers

_ESCAPE = "setsid -f sleep 1000 </dev/null >/dev/null 2>&1"


@pytest.fixture
def project() -> str:
    return f"s{os.urandom(4).hex()}"


def living(project: str) -> set[str]:
    """Return the markers of the runs that have a living process."""
    return {marker for _, marker in carriers(f"HARNESS_UNIT={project}/")}


def stack(project: str, directory: Path, *units: ServiceSpec | TaskSpec) -> StackSpec:
    return StackSpec(
        name=project, files=(), base_dir=str(directory), units={unit.name: unit for unit in units}
    )


def options(line: str) -> ProcessOptions:
    return ProcessOptions(command=line, shell=True)


def crashing(directory: Path, *, delay_s: float) -> ServiceSpec:
    return ServiceSpec(
        name="a",
        type="process",
        options=options(f"{_ESCAPE}; exit 1"),
        base_dir=str(directory),
        restart=RestartPolicy(
            mode=RestartMode.ON_FAILURE,
            max_attempts=4,
            backoff=Backoff(initial_s=delay_s, factor=1.0, jitter=0.0),
        ),
    )


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.1])
async def test_a_crash_loop_leaves_nothing_of_any_of_its_runs(
    tmp_path: Path, project: str, delay_s: float
) -> None:
    async with supervisor(tmp_path / "state") as (stacks, _):
        with anyio.fail_after(30):
            spec = stack(project, tmp_path, crashing(tmp_path, delay_s=delay_s))
            await stacks.up(spec, dict(os.environ)).ended.wait()
            unit = stacks.project(project).unit("a")
            await unit.until(lambda changed: changed.state is ServiceState.FAILED)
            assert unit.record.generation == 5
            await unit.swept()
        assert living(project) == set()
        assert unit.directories.generations() == [5]


async def test_down_returns_when_nothing_of_an_ended_task_is_left(
    tmp_path: Path, project: str
) -> None:
    task = TaskSpec(
        name="t", type="process", options=options(_ESCAPE), base_dir=str(tmp_path), outputs=()
    )
    async with supervisor(tmp_path / "state") as (stacks, _):
        with anyio.fail_after(30):
            spec = stack(project, tmp_path, task)
            await stacks.up(spec, dict(os.environ)).ended.wait()
            await stacks.down(stacks.project(project)).ended.wait()
        assert living(project) == set()


async def test_the_next_daemon_sweeps_what_the_last_one_did_not_get_to(
    tmp_path: Path, project: str
) -> None:
    forever = ServiceSpec(
        name="a", type="process", options=options("exec sleep 1000"), base_dir=str(tmp_path)
    )
    async with supervisor(tmp_path / "state") as (stacks, _):
        with anyio.fail_after(30):
            await stacks.up(stack(project, tmp_path, forever), dict(os.environ)).ended.wait()
            await stacks.restart(stacks.project(project), ["a"]).ended.wait()
        unit = stacks.project(project).unit("a")
        assert unit.record.generation == 2
        (running,) = living(project)
        # As if the daemon had been killed between the first run's end and its sweep.
        unit.directories.make_run(1)
        left = await launch(
            Command(argv=("sh", "-c", _ESCAPE)),
            run_dir=unit.directories.run(1),
            log_dir=unit.directories.root,
            unit=f"{project}/a/1/{'0' * 16}",
        )
        with anyio.fail_after(10):
            await wait_exit(left)
        assert living(project) == {running, f"HARNESS_UNIT={project}/a/1/{'0' * 16}"}

    async with supervisor(tmp_path / "state") as (stacks, _):
        with anyio.fail_after(30):
            await stacks.recover()
            unit = stacks.project(project).unit("a")
            await unit.swept()
            assert living(project) == {running}
            assert unit.directories.generations() == [2]
            await stacks.down(stacks.project(project)).ended.wait()
        assert living(project) == set()


async def test_no_run_begins_while_the_group_of_the_one_before_lives(
    tmp_path: Path, project: str
) -> None:
    line = (
        "for pid in $(cat kids 2>/dev/null); do "
        "grep -q '^State:.[^ZX]' /proc/$pid/status 2>/dev/null && echo $pid >>overlap; done; "
        "sleep 1000 & echo $! >>kids; exit 1"
    )
    async with supervisor(tmp_path / "state") as (stacks, _):
        with anyio.fail_after(30):
            service = replace(crashing(tmp_path, delay_s=0.0), options=options(line))
            await stacks.up(stack(project, tmp_path, service), dict(os.environ)).ended.wait()
            unit = stacks.project(project).unit("a")
            await unit.until(lambda changed: changed.state is ServiceState.FAILED)
            await unit.swept()
    assert len((tmp_path / "kids").read_text().split()) == 5
    assert not (tmp_path / "overlap").exists()
