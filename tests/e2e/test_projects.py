"""Commands act on the project that the file names, whatever else runs from the same file."""

from __future__ import annotations

import pytest

from tests.e2e.harness_case import HarnessCase

pytestmark = pytest.mark.timeout(60)

STACK = "services: {a: {type: process, command: [sleep, '1000']}}\n"


def test_a_copy_is_not_taken_for_the_project_of_the_file(case: HarnessCase):
    case.write(STACK)
    copy = f"{case.project}-copy"
    case.ok("-p", copy, "up")
    case.ok("up")
    own = case.unit("a")["pid"]
    other = case.status("-p", copy)["a"]["pid"]
    assert own != other
    case.ok("down")
    assert case("status").returncode == 3
    assert case.status("-p", copy)["a"]["pid"] == other
    case.ok("-p", copy, "down")


def test_a_renamed_project_is_another_one_and_the_old_one_is_named(case: HarnessCase):
    case.write(STACK)
    case.ok("up")
    path = case.directory / "harness.yaml"
    path.write_text(path.read_text().replace(case.project, f"{case.project}-new"))
    done = case("logs")
    assert done.returncode == 4
    assert case.project in done.stderr
    case.ok("-p", case.project, "down")


def test_a_deleted_file_does_not_hide_its_only_project(case: HarnessCase):
    case.write(STACK)
    case.ok("up")
    pid = case.unit("a")["pid"]
    (case.directory / "harness.yaml").unlink()
    assert case.unit("a")["pid"] == pid
    case.ok("down")
    assert case.processes() == []


def test_a_daemon_is_restarted_under_its_services(case: HarnessCase) -> None:
    case.write("services:\n  a: {type: process, command: sleep 1000}")
    case.ok("up", "-q")
    pid, daemon = case.unit("a")["pid"], case.daemon_pid()
    shown = case.ok("daemon", "restart")
    assert case.daemon_pid() != daemon
    assert f"pid        {case.daemon_pid()}" in shown
    unit = case.unit("a")
    assert (unit["pid"], unit["restarts"]) == (pid, 0)
    case.ok("daemon", "stop")
    case.ok("daemon", "restart")
    assert case.status()["a"]["state"] == "stopped"
