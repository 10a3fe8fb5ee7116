"""What is left over, found and removed by the real program; never what somebody looks after.

Only below the test's own directory: other tests share the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from .harness_case import HarnessCase

# Many commands each, on a machine that other tests may share.
pytestmark = pytest.mark.timeout(120)

STACK = """
services:
  web:
    type: process
    command: sh -c "(setsid sleep 1000 >/dev/null 2>&1 &) ; exec sleep 1000"
"""


def gc(case: HarnessCase, *options: str, status: int = 0) -> list[dict[str, Any]]:
    """Run gc below the case's directory; return what it found."""
    done = case("gc", "--under", str(case.directory), "--json", *options)
    assert done.returncode == status, f"{done.stdout}{done.stderr}"
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@contextmanager
def other(case: HarnessCase) -> Iterator[HarnessCase]:
    """Have another stack with a daemon of its own up, below the case's directory."""
    directory = case.directory / "other"
    directory.mkdir()
    with HarnessCase(directory) as second:
        second.write(STACK)
        second.ok("up", "-q")
        yield second


def test_nothing_is_left_where_everything_is_looked_after(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    with other(case) as second:
        pids = {one.pid for one in (*case.processes(), *second.processes())}
        assert gc(case, "--all") == []
        assert {one.pid for one in (*case.processes(), *second.processes())} == pids
    done = case("gc", "--under", str(case.directory))
    assert (done.stdout, done.stderr) == ("", "note: nothing is left over\n")


def test_a_project_without_its_stack_file_is_removed(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    (case.directory / "harness.yaml").unlink()
    (found,) = gc(case, "--dry-run")
    assert (found["kind"], found["name"], found["removed"]) == ("project", case.project, False)
    assert "harness.yaml is gone" in found["why"]
    assert len(case.processes()) == 2
    (found,) = gc(case)
    assert found["removed"]
    assert case.processes() == []
    assert not (case.state_dir / "projects" / case.project).exists()
    assert gc(case) == []


def test_a_held_lease_protects_a_project_without_its_stack_file(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q", "--lease", "10m")
    (case.directory / "harness.yaml").unlink()
    assert gc(case) == []
    assert len(case.processes()) == 2


def test_processes_whose_state_directory_is_gone_are_ended(case: HarnessCase) -> None:
    with other(case) as second:
        second.kill_daemon()
        shutil.rmtree(second.state_dir)
        pids = {one.pid for one in second.processes()}
        (found,) = gc(case, "--dry-run")
        assert (found["kind"], set(found["pids"])) == ("processes", pids)
        assert found["name"] == f"{second.project}/web"
        assert f"{second.state_dir} is gone" in found["why"]
        (found,) = gc(case)
        assert found["removed"]
        assert second.processes() == []


def test_what_a_next_daemon_would_adopt_is_only_shown(case: HarnessCase) -> None:
    with other(case) as second:
        second.kill_daemon()
        pids = {one.pid for one in second.processes()}
        (found,) = gc(case)
        assert (found["removed"], found["adoptable"]) == (False, True)
        assert f"HARNESS_STATE_DIR={second.state_dir} harness daemon start" in found["hint"]
        done = case("gc", "--under", str(case.directory))
        assert " kept " in done.stdout
        assert {one.pid for one in second.processes()} == pids
        assert set(second.status()) == {"web"}
        assert second.unit("web")["state"] == "running"
        second.kill_daemon()
        (found,) = gc(case, "--all")
        assert found["removed"]
        assert second.processes() == []
        assert second.unit("web")["state"] != "unknown"


def test_processes_that_their_state_directory_does_not_know_are_ended(case: HarnessCase) -> None:
    with other(case) as second:
        second.kill_daemon()
        (second.state_dir / "state.db").unlink()
        for path in second.state_dir.glob("state.db-*"):
            path.unlink()
        second("status")  # the next daemon knows nothing
        second.kill_daemon()
        (found,) = gc(case)
        assert (found["removed"], "knows no such unit" in found["why"]) == (True, True)
        assert second.processes() == []


def test_directories_of_unknown_projects_are_removed(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    forgotten = case.state_dir / "projects" / "forgotten" / "units" / "db"
    forgotten.mkdir(parents=True)
    (found,) = gc(case)
    assert (found["kind"], found["removed"]) == ("directory", True)
    assert found["name"] == str(forgotten.parents[1])
    assert [path.name for path in (case.state_dir / "projects").iterdir()] == [case.project]
    assert len(case.processes()) == 2


def test_a_process_without_the_variable_is_found_by_its_log(case: HarnessCase) -> None:
    with other(case) as second:
        second.write("services: {web: {type: process, command: env -u HARNESS_RUN sleep 1000}}\n")
        second.ok("up", "-q")
        second.kill_daemon()
        shutil.rmtree(second.state_dir)
        (found,) = gc(case)
        assert (found["removed"], found["state_dir"]) == (True, str(second.state_dir))
        assert second.processes() == []


def test_records_of_projects_that_are_gone_are_removed(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    case.kill_daemon()
    with closing(sqlite3.connect(case.state_dir / "state.db")) as store, store:
        store.execute("INSERT INTO record VALUES ('units:forgotten', 'db', '{}')")
    (found,) = gc(case, "--dry-run")
    assert (found["kind"], found["name"], found["removed"]) == ("records", "forgotten", False)
    (found,) = gc(case)
    assert found["removed"]
    assert gc(case) == []
    assert case.unit("web")["state"] == "running"


@pytest.mark.parametrize("forged", ["/x", "relative", "projects/other/units/web/run-1"])
def test_what_a_process_says_of_its_directory_is_believed_only_where_it_fits(
    case: HarnessCase, forged: str
) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    env = {**os.environ, "HARNESS_UNIT": "some/thing/1/abc", "HARNESS_RUN": forged}
    if forged.startswith("projects"):
        env["HARNESS_RUN"] = str(case.directory / "gone" / forged)
    with subprocess.Popen(["sleep", "1000"], env=env) as process:
        try:
            assert gc(case, "--all") == []
            assert process.poll() is None
        finally:
            process.kill()


def test_what_a_link_leads_to_is_left_alone(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    elsewhere = case.directory / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (case.state_dir / "projects" / "link").symlink_to(elsewhere)
    (found,) = gc(case)
    assert (found["kind"], found["removed"], found["error"]) == ("directory", True, None)
    assert [path.name for path in (case.state_dir / "projects").iterdir()] == [case.project]
    assert (elsewhere / "kept").exists()
