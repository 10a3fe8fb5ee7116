"""Leases, as the real program and a program of a test's own hold and lose them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .harness_case import HarnessCase, eventually

# Many commands each, on a machine that other tests may share.
pytestmark = pytest.mark.timeout(120)

STACK = """
services:
  db: {type: process, command: sleep 1000}
  web: {type: process, command: sleep 1000, depends_on: [db]}
"""

HOLDER = """
import sys
from pathlib import Path
from harness.client import BlockingClient, Endpoint

with BlockingClient(Endpoint(Path(sys.argv[1])), reconnect=True) as client:
    with client.leases.hold(sys.argv[2], ttl_s=float(sys.argv[3]), owner="a test") as held:
        print("held", held.id, flush=True)
        sys.stdin.read()
print("left", flush=True)
"""


@contextmanager
def holder(case: HarnessCase, ttl_s: float) -> Iterator[subprocess.Popen[str]]:
    """Have a program hold the project's lease; it ends when its input does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(case.state_dir), case.project, str(ttl_s)],
        env={**os.environ, **case.env}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("held ")
        try:
            yield process
        finally:
            process.kill()


def is_gone(case: HarnessCase) -> bool:
    """Tell whether nothing of the project is left, and no state either."""
    directory = case.state_dir / "projects" / case.project
    return not case.processes() and not directory.exists()


def expired(case: HarnessCase) -> list[str]:
    """Return the owners of the leases that have expired; the project may be gone by now."""
    lines = case.ok("-p", case.project, "events", "--since", "0", "--json").splitlines()
    events = [json.loads(line) for line in lines]
    return [event["data"]["owner"] for event in events if event["kind"] == "lease-expired"]


def test_a_stack_is_gone_with_its_state_when_nobody_renews_its_lease(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q", "--lease", "1s", "--lease-owner", "pytest 7")
    eventually(lambda: is_gone(case), within_s=30)
    assert expired(case) == ["pytest 7"]
    done = case("lease", "renew", "--json")
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["kind"]) == (1, "lease-expired")
    assert "1 s after pytest 7 last renewed it" in error["message"]
    why = case("-p", case.project, "why", "web")
    assert (why.returncode, "its lease, of pytest 7, had expired" in why.stderr) == (4, True)


def test_a_lease_is_listed_shown_renewed_and_released(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q", "--lease", "10m")
    (lease,) = json.loads(case.ok("lease", "list", "--json"))
    assert (lease["project"], lease["ttl_s"]) == (case.project, 600)
    assert case.project in case.ok("lease", "list")
    status = case("status")
    assert status.stderr.startswith(f"lease of {lease['owner']}; ")
    assert json.loads(case.ok("status", "--json"))["lease"]["id"] == lease["id"]
    assert f"its lease     of {lease['owner']}; " in case.ok("why", "web")
    assert "left, then the project is taken down" in case.ok("lease", "renew", "--id", lease["id"])
    case.ok("up", "-q")
    assert json.loads(case.ok("lease", "list", "--json"))[0]["id"] == lease["id"]
    case.ok("lease", "release")
    assert case("lease", "list").stderr == "note: no project has a lease\n"
    assert json.loads(case.ok("status", "--json"))["lease"] is None
    assert case("lease", "release").returncode == 4
    case.ok("up", "-q", "--lease", "10m")
    case.ok("up", "-q", "--lease", "none")
    assert json.loads(case.ok("lease", "list", "--json")) == []
    assert case("up", "--lease", "soon").returncode == 2


def test_up_that_takes_longer_than_its_lease_is_not_taken_down(case: HarnessCase) -> None:
    case.write("""
services:
  slow:
    type: process
    command: sh -c "sleep 2; echo open; exec sleep 1000"
    health_check: {log: open}
""")
    case.ok("up", "-q", "--lease", "0.6s")
    eventually(lambda: is_gone(case), within_s=30)


def test_an_interrupt_ends_an_up_with_a_lease(case: HarnessCase) -> None:
    case.write("services: {slow: {type: process, command: sleep 1000, health_check: {log: open}}}")
    with case.begun("up", "--lease", "1s") as running:
        eventually(lambda: len(case.processes()) == 1)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
    eventually(lambda: is_gone(case), within_s=30)


def test_a_killed_holder_takes_its_stack_with_it(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    with holder(case, 1.0) as process:
        process.kill()
        eventually(lambda: is_gone(case), within_s=30)


def test_a_holder_that_leaves_takes_its_stack_down_at_once(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    with holder(case, 1000.0) as process:
        stdout, _ = process.communicate(timeout=60)
    assert stdout == "left\n"
    assert is_gone(case)
    assert expired(case) == []


def test_a_holder_keeps_its_stack_over_the_kill_of_the_daemon(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    with holder(case, 3.0) as process:
        pids = sorted(one.pid for one in case.processes())
        case.kill_daemon()
        eventually(lambda: case.daemon_pid() is not None)
        renewed = json.loads(case.ok("lease", "list", "--json"))[0]["renewed_at"]
        eventually(
            lambda: json.loads(case.ok("lease", "list", "--json"))[0]["renewed_at"] > renewed,
            within_s=30,
        )
        assert sorted(one.pid for one in case.processes()) == pids
        stdout, _ = process.communicate(timeout=60)
    assert stdout == "left\n"
    assert is_gone(case)


def test_a_lease_without_a_holder_ends_with_the_next_daemon(case: HarnessCase) -> None:
    case.write(STACK)
    case.ok("up", "-q", "--lease", "2s")
    case.kill_daemon()
    assert len(case.processes()) == 2
    case("status")
    eventually(lambda: is_gone(case), within_s=30)


def test_losing_a_lease_is_an_error_within_its_context(case: HarnessCase, tmp_path: Path) -> None:
    case.write(STACK)
    case.ok("up", "-q")
    with holder(case, 1.0) as process:
        case.ok("up", "-q", "--lease", "10m", "--lease-owner", "somebody")
        # The program is told at its next renewal, and cannot leave without the error.
        eventually(lambda: json.loads(case.ok("lease", "list", "--json"))[0]["left_s"] < 599)
        assert process.communicate(timeout=60)[0] == ""
        assert process.returncode != 0
    assert len(case.processes()) == 2
