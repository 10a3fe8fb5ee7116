"""Processes that do not do what they are asked, and pid numbers that belong to somebody else."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes import is_alive, kill, living, words
from tests.requirements import require

from .harness_case import HarnessCase, eventually

pytestmark = pytest.mark.timeout(60)

_NEXT_PID = Path("/proc/sys/kernel/ns_last_pid")


def test_a_service_that_ignores_the_stop_signal_is_killed_in_time_and_that_is_told(
    case: HarnessCase,
) -> None:
    case.write(
        "services:\n  deaf:\n    type: process\n    shutdown_timeout: 500ms\n"
        "    command: [sh, -c, 'trap \"\" TERM; echo up >>began; while :; do sleep 1; done']"
    )
    case.ok("up", "-q")
    eventually(lambda: case.lines("began") != [])
    down = case("down")
    assert down.returncode == 0
    assert case.marked(case.project) == []
    assert "deaf: stopped (killed: it did not end within 0.5 s; also killed" in down.stderr
    assert "killed" in case.unit("deaf")["message"]
    assert case.unit("deaf")["exit_code"] == 128 + signal.SIGKILL


def test_what_a_service_leaves_behind_when_it_ends_is_ended_too(case: HarnessCase) -> None:
    case.write(
        "services:\n  forker:\n    type: process\n    restart: no\n"
        "    command: [sh, -c, 'sleep 1000 & (trap \"\" TERM; exec setsid sleep 1001) & exit 0']"
    )
    case.ok("up", "-q")
    eventually(lambda: case.unit("forker")["state"] == "exited")
    assert case.marked(case.project) == []
    assert case.unit("forker")["exit_code"] == 0
    found = {event["data"]["command"] for event in case.events("survivor-found")}
    assert "sleep 1001" in found  # the other one may have ended at the stop signal
    case.ok("down")


@pytest.mark.parametrize(
    "child",
    [
        "setsid {sleep}",
        "setsid setsid --fork {sleep}",
        "(trap '' TERM INT HUP; {sleep})",
        "env -i setsid {sleep}",
        "setsid sh -c 'trap \"\" TERM; {sleep} & wait'",
    ],
)
def test_children_that_went_their_own_way_are_gone_after_down(
    case: HarnessCase, child: str
) -> None:
    # A length of its own, because a child without environment is known by its words alone.
    seconds = f"1000.{int(case.project[1:], 16) % 10**6:06}"
    child = child.format(sleep=f"sleep {seconds}")
    case.script("parent.sh", f"#!/bin/sh\n{child} &\nexec sleep 999\n")
    case.write(
        "services:\n  parent: {type: process, command: ./parent.sh, shutdown_timeout: 500ms}"
    )
    case.ok("up", "-q")
    eventually(lambda: _sleepers(seconds) != [])
    case.ok("down")
    assert case.marked(case.project) == []
    assert _sleepers(seconds) == []


def _sleepers(seconds: str) -> list[int]:
    """Return the pids of living processes that sleep for so long."""
    return [pid for pid in living() if words(pid)[:2] == [b"sleep", seconds.encode()]]


def test_a_stopped_process_goes_on_to_end_at_down(case: HarnessCase) -> None:
    case.write("services:\n  frozen: {type: process, command: sleep 1000}")
    case.ok("up", "-q")
    os.kill(case.unit("frozen")["pid"], signal.SIGSTOP)
    down = case("down")
    assert down.returncode == 0
    assert case.marked(case.project) == []
    assert case.unit("frozen")["exit_code"] == 128 + signal.SIGTERM


def _holder(case: HarnessCase, unit: str) -> int:
    header = (case.run_dir(unit) / "run").read_text().partition("\n")[0]
    pid: int = json.loads(header)["holder"][0]
    return pid


def test_a_holder_ends_with_its_daemon_once_its_last_service_has(case: HarnessCase) -> None:
    case.write(
        "services:\n"
        "  first: {type: process, command: sleep 1000}\n"
        "  second: {type: process, command: sleep 1000}\n"
    )
    case.ok("up", "-q")
    holder = _holder(case, "first")
    assert _holder(case, "second") == holder
    case.kill_daemon()
    case.ok("restart", "first")
    successor = _holder(case, "first")
    assert successor != holder
    assert is_alive(holder)
    case.ok("down")
    eventually(lambda: not is_alive(holder))
    assert is_alive(successor)
    case.ok("daemon", "stop")
    eventually(lambda: not is_alive(successor))


def test_services_go_on_when_their_holder_is_killed(case: HarnessCase) -> None:
    case.write("services: {worker: {type: process, command: sleep 1000, restart: no}}")
    case.ok("up", "-q")
    before = case.unit("worker")
    kill(_holder(case, "worker"))
    assert case.unit("worker") == before
    kill(before["pid"])
    eventually(lambda: case.unit("worker")["state"] == "failed")
    assert "status unknown" in case.unit("worker")["message"]
    case.ok("up", "-q")
    assert case.unit("worker")["state"] == "running"
    assert "The holder (pid" in (case.state_dir / "daemon.log").read_text()


@pytest.mark.parametrize("victim", ["service", "holder", "both"])
def test_a_stranger_with_the_number_of_an_ended_process_is_never_signalled(
    case: HarnessCase, victim: str
) -> None:
    """Everything that was written down names a pid which now belongs to somebody else."""
    case.write("services:\n  worker: {type: process, command: sleep 1000, restart: no}")
    case.ok("up", "-q")
    case.kill_daemon()
    (service,) = (process.pid for process in case.marked(case.project))
    holder = _holder(case, "worker")
    kill(holder)
    kill(service)
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as stranger:
        try:
            if victim != "holder":
                _hand_over(case, service, stranger.pid)
            if victim != "service":
                _hand_over(case, holder, stranger.pid)
            worker = case.unit("worker")
            assert worker["state"] == "failed"
            assert worker["pid"] is None
            case.ok("up", "-q")
            assert case.unit("worker")["pid"] not in (None, stranger.pid)
            case.ok("down")
            assert case.marked(case.project) == []
            assert stranger.poll() is None
        finally:
            stranger.kill()


def _hand_over(case: HarnessCase, old: int, new: int) -> None:
    """Rewrite the run's file and the stored handle as if the kernel had reused the number."""
    file = case.run_dir("worker") / "run"
    text, changes = re.subn(rf"\b{old}\b", str(new), file.read_text())
    assert changes == 1
    file.write_text(text)
    with closing(sqlite3.connect(case.state_dir / "state.db")) as db, db:
        rows = db.execute(
            "SELECT collection, key, value FROM record WHERE collection LIKE 'units:%'"
        ).fetchall()
        for collection, key, text in rows:
            record = json.loads(text)
            data = record["handle"]["data"]
            for role in ("service", "holder"):
                if data[role][0] == old:
                    data[role][0] = new
            db.execute(
                "UPDATE record SET value = ? WHERE collection = ? AND key = ?",
                (json.dumps(record), collection, key),
            )


def test_a_stranger_that_the_kernel_gave_the_same_number_is_never_signalled(
    case: HarnessCase,
) -> None:
    require("root", _can_choose_pids(), "choosing the next pid is for root")
    case.write("services:\n  worker: {type: process, command: sleep 1000, restart: no}")
    case.ok("up", "-q")
    service = case.unit("worker")["pid"]
    case.kill_daemon()
    for process in case.marked(case.project):
        kill(process.pid)
    # The number is free once whoever inherited the dead processes has waited for them.
    eventually(lambda: not Path(f"/proc/{service}").exists())
    stranger = _with_pid(service)
    if stranger is None:
        pytest.skip("a process of somebody else has got the number meanwhile")
    try:
        assert case.unit("worker")["state"] == "failed"
        case.ok("up", "-q")
        case.ok("restart", "worker")
        case.ok("down")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def _can_choose_pids() -> bool:
    try:
        # Its mode tells nothing: the kernel asks who writes.
        _NEXT_PID.write_text(_NEXT_PID.read_text())
    except OSError:
        return False
    return True


def _with_pid(pid: int) -> subprocess.Popen[bytes] | None:
    """Start a process with this very number; None when others were faster each time."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        _NEXT_PID.write_text(str(pid - 1))
        process = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    return None


def test_up_ends_as_its_own_table_says(case: HarnessCase) -> None:
    case.write("services:\n  bad: {type: process, command: [sh, -c, 'exit 7'], restart: no}")
    for _ in range(5):
        done = case("up")
        word = done.stdout.split()[1]
        assert (done.returncode, word) in ((1, "failed"), (0, "ready"))
        assert done.returncode == 0 or 'cannot up "bad"' in done.stderr
        case.ok("down")


_SLOW = """
services:
  ready:
    type: process
    command: [sh, -c, "trap '' TERM; while :; do sleep 0.05; done"]
    shutdown_timeout: 60s
  never: {type: process, command: sleep 1000, health_check: {command: ["false"]}}
tasks:
  long: {type: process, command: sleep 1000}
"""


@pytest.mark.parametrize(
    ("words", "unit", "state"),
    [
        (("start", "never"), "never", "running"),
        (("task", "run", "long"), "long", "running"),
        (("stop", "ready"), "ready", "stopping"),
        (("restart", "ready"), "ready", "stopping"),
        (("down",), "ready", "stopping"),
    ],
)
def test_no_wait_prints_an_id_and_leaves_the_work_to_the_daemon(
    case: HarnessCase, words: tuple[str, ...], unit: str, state: str
) -> None:
    case.write(_SLOW)
    case.ok("up", "ready")
    printed = case.ok(*words, "--no-wait", timeout_s=30)
    assert re.fullmatch(r"[0-9a-f]{12}\n", printed)
    eventually(lambda: case.unit(unit)["state"] == state)


def test_an_end_by_the_signal_that_was_asked_for_needs_no_reason(case: HarnessCase) -> None:
    case.write(
        "services:\n"
        "  soft: {type: process, command: sleep 1000}\n"
        "  hard: {type: process, command: sleep 1000, stop_signal: SIGKILL}\n"
    )
    case.ok("up", "-q")
    assert sorted(case("down").stderr.splitlines()) == ["hard: stopped", "soft: stopped"]
    assert [case.unit(name)["message"] for name in ("soft", "hard")] == [None, None]
