"""The supervisor is killed at many moments; the next one finds every unit and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from harness.model import Goal, ServiceState, UnitKind
from harness.storage import SqliteStore
from harness.supervisor import OperationState, Project, Unit
from tests.integration import daemon_script
from tests.integration.daemon_script import stack, supervisor
from tests.processes import carriers

SCRIPT = Path(daemon_script.__file__)
ROOT = SCRIPT.parents[2]


class Ground:
    """A state directory, a project name nobody else has, and the processes of that project."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.project = f"r{os.urandom(4).hex()}"
        for name in ("told", "again"):
            os.mkfifo(directory / name)

    def kill_daemon(self, scenario: str, fatal: int, when: str, backend: str) -> None:
        """Run a supervisor until it kills itself."""
        finished = subprocess.run(
            [sys.executable, str(SCRIPT), str(self.directory), self.project, scenario, str(fatal),
             when, backend],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=30,
        )  # fmt: skip
        assert finished.returncode == -signal.SIGKILL

    def alive(self) -> dict[str, set[str]]:
        """Return unit → markers of its runs that have a living process."""
        found: dict[str, set[str]] = {}
        for _, variable in carriers(f"HARNESS_UNIT={self.project}/"):
            marker = variable.removeprefix("HARNESS_UNIT=")
            found.setdefault(marker.split("/")[1], set()).add(marker)
        return found


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


def at_rest(unit: Unit) -> bool:
    if unit.goal is Goal.DOWN:
        return unit.state is ServiceState.STOPPED
    return unit.is_settled


async def check_successor(ground: Ground) -> None:
    """Run the next supervisor: each goal is reached, nothing is doubled, down leaves nothing."""
    async with supervisor(ground.directory / "state") as (stacks, _):
        with anyio.fail_after(15):
            await stacks.recover()
        if not stacks.projects():
            assert ground.alive() == {}
            return
        project = stacks.project(ground.project)
        with anyio.fail_after(15):
            for unit in project.units.values():
                await unit.until(at_rest)
        check_goals(ground, project)
        with anyio.fail_after(15):
            down = stacks.down(project)
            await down.ended.wait()
        assert down.state is OperationState.DONE
        assert ground.alive() == {}


def check_goals(ground: Ground, project: Project) -> None:
    alive = ground.alive()
    for name, unit in project.units.items():
        if unit.goal is Goal.DOWN:
            assert unit.state is ServiceState.STOPPED, name
        elif unit.kind is UnitKind.TASK:
            assert unit.state is ServiceState.EXITED, (name, unit.record.reason)
            assert unit.record.outputs == {"x": 5}
        else:
            assert unit.state is ServiceState.RUNNING, (name, unit.record.reason)
            marker = f"{project.name}/{name}/{unit.record.generation}/{unit.record.token}"
            assert alive.pop(name) == {marker}
    assert alive == {}


MOMENTS = {
    "up": (1, 4, 9, 14, 19, 26, 33),
    "down": (1, 5, 7, 12, 17),
    "restart": (2, 7, 13, 22, 31),
    "task": (3, 6, 9),
}


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("scenario", "fatal"), [(name, at) for name, moments in MOMENTS.items() for at in moments]
)
def test_every_unit_is_found_again_whenever_the_daemon_was_killed(
    ground: Ground, scenario: str, fatal: int
) -> None:
    when = "before" if fatal % 4 == 1 else "after"
    backend = "asyncio" if fatal % 3 else "trio"
    ground.kill_daemon(scenario, fatal, when, backend)
    anyio.run(check_successor, ground, backend=backend)


NEVER = 10_000


async def test_running_units_are_adopted_and_not_started_again(ground: Ground) -> None:
    await anyio.to_thread.run_sync(ground.kill_daemon, "up", NEVER, "after", "asyncio")
    before = ground.alive()
    async with supervisor(ground.directory / "state") as (stacks, _):
        with anyio.fail_after(15):
            await stacks.recover()
        assert ground.alive() == before
        rows = {row.name: row for row in stacks.project(ground.project).statuses()}
        assert {name: row.state for name, row in rows.items()} == {
            "a": "running", "b": "running", "c": "running", "mortal": "running",
            "again": "running", "t": "exited",
        }  # fmt: skip
        assert rows["t"].outputs == {"x": 5}
        up = stacks.up(stack(ground.project, ground.directory), dict(os.environ))
        with anyio.fail_after(15):
            await up.ended.wait()
        assert ground.alive() == before
        assert (ground.directory / "runs").read_text() == "ran\n"


async def test_units_that_ended_meanwhile_are_judged_by_their_status(ground: Ground) -> None:
    await anyio.to_thread.run_sync(ground.kill_daemon, "up", NEVER, "after", "trio")
    for name in ("told", "again"):
        await anyio.to_thread.run_sync((ground.directory / name).write_text, "go\n")
    with anyio.fail_after(10):
        while {"mortal", "again"} & ground.alive().keys():
            await anyio.lowlevel.checkpoint()
    async with supervisor(ground.directory / "state") as (stacks, _):
        with anyio.fail_after(15):
            await stacks.recover()
            project = stacks.project(ground.project)
            await project.unit("again").until(lambda unit: unit.state is ServiceState.RUNNING)
        rows = {row.name: row for row in project.statuses()}
        assert (rows["mortal"].state, rows["mortal"].exit_code) == ("failed", 7)
        assert (rows["again"].state, rows["again"].restarts) == ("running", 1)


@pytest.mark.parametrize("fatal", [3, 4, 5])
def test_what_is_wanted_is_stored_of_all_units_or_of_none(ground: Ground, fatal: int) -> None:
    ground.kill_daemon("down", fatal, "before", "asyncio")
    with SqliteStore(ground.directory / "state") as store:
        goals = {r["goal"] for r in store.records(f"units:{ground.project}").values()}
    assert len(goals) == 1
    anyio.run(check_successor, ground)
