"""Several clients at once, and clients that are killed or interrupted in the middle."""

from __future__ import annotations

import random
import signal
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.processes import kill, living, words

from .harness_case import HarnessCase, eventually

pytestmark = pytest.mark.timeout(120)

NAMES = ["a", "b", "c"]
CROWD = (
    "services:\n"
    "  a: {type: process, command: [sh, -c, 'echo a >>began; exec sleep 1000']}\n"
    "  b: {type: process, command: [sh, -c, 'exec sleep 1000'], depends_on: [a]}\n"
    "  c: {type: process, command: [sh, -c, 'exec sleep 1000'], depends_on: [b]}\n"
    "tasks:\n  t: {type: process, command: [sh, -c, 'sleep 0.1; echo t >>began'], "
    "depends_on: [a]}\n"
)
# `early` is ready at once, `late` when the test says so, and `last` waits for it.
SLOW = (
    "services:\n"
    "  early: {type: process, command: sleep 1000}\n"
    "  late:\n    type: process\n    command: [sh, -c, 'echo late >>began; exec sleep 1000']\n"
    "    depends_on: [early]\n    health_check: {command: [test, -e, ready], interval: 200ms}\n"
    "  last: {type: process, command: sleep 1000, depends_on: [late]}\n"
)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_clients_that_change_one_project_at_once_leave_it_consistent(
    case: HarnessCase, seed: int
) -> None:
    case.write(CROWD)
    case.ok("up", "-q")

    def client(number: int) -> list[subprocess.CompletedProcess[str]]:
        choice = random.Random(1000 * seed + number)
        return [case(choice.choice(["up", "down", "restart", "stop"])) for _ in range(5)]

    with ThreadPoolExecutor(3) as pool:
        results = [done for one in pool.map(client, range(3)) for done in one]
    for done in results:
        assert done.returncode in (0, 1), f"{done.args}: {done.returncode}\n{done.stderr}"
        assert "defect" not in done.stderr
        assert "Traceback" not in done.stderr
    case.ok("up")
    assert Counter(process.unit for process in case.processes()) == Counter(NAMES)
    status = case.status()
    assert {status[name]["state"] for name in NAMES} == {"running"}
    case.ok("down")
    assert case.marked(case.project) == []
    assert {unit["state"] for unit in case.status().values()} <= {"stopped", "exited"}


def test_many_first_commands_at_once_start_one_daemon(case: HarnessCase) -> None:
    case.write(CROWD)
    with ThreadPoolExecutor(4) as pool:
        codes = [done.returncode for done in pool.map(lambda _: case("up"), range(4))]
    assert codes == [0, 0, 0, 0]
    assert Counter(process.unit for process in case.processes()) == Counter(NAMES)
    assert Counter(case.lines("began")) == Counter({"a": 1, "t": 1})
    assert _daemons(case) == [case.daemon_pid()]


def _daemons(case: HarnessCase) -> list[int]:
    named = {b"harness.daemon", str(case.state_dir).encode()}
    return [pid for pid in living() if named <= set(words(pid))]


def test_up_goes_on_when_its_client_is_killed(case: HarnessCase) -> None:
    case.write(SLOW)
    with case.begun("up") as client:
        eventually(lambda: case.lines("began") != [], within_s=30)
        kill(client.pid)
    assert case.unit("late")["ready"] is False
    (case.directory / "ready").touch()
    case.ok("wait", "last", "--timeout", "10s")
    assert {unit["state"] for unit in case.status().values()} == {"running"}
    assert case.lines("began") == ["late"]


def test_ctrl_c_keeps_what_is_ready_stops_the_rest_and_says_so(case: HarnessCase) -> None:
    case.write(SLOW)
    with case.begun("up") as client:
        eventually(lambda: case.lines("began") != [], within_s=30)
        # Another command meanwhile works.
        assert case.unit("early")["ready"] is True
        client.send_signal(signal.SIGINT)
        _, stderr = client.communicate(timeout=30)
    assert client.returncode == 130
    assert b"1 service keeps running" in stderr
    assert b"late" in stderr.splitlines()[-1]
    states = {name: unit["state"] for name, unit in case.status().items()}
    assert states == {"early": "running", "late": "stopped", "last": "stopped"}
    assert [process.unit for process in case.processes()] == ["early"]
    (case.directory / "ready").touch()
    case.ok("up")
    case.ok("down")
    assert case.marked(case.project) == []


def test_a_second_ctrl_c_leaves_the_operation_to_the_daemon(case: HarnessCase) -> None:
    case.write(
        "services:\n  early: {type: process, command: sleep 1000}\n"
        "  late:\n    type: process\n    shutdown_timeout: 2s\n    depends_on: [early]\n"
        '    command: [sh, -c, \'trap "echo asked >>asked" TERM; echo l >>began; '
        "while :; do sleep 0.1; done']\n"
        "    health_check: {command: [test, -e, ready], interval: 200ms}\n"
    )
    with case.begun("up") as client:
        eventually(lambda: case.lines("began") != [], within_s=30)
        # Once it tells how the work goes, it is the one that Ctrl-C reaches.
        assert client.stderr is not None
        assert client.stderr.readline() != b""
        client.send_signal(signal.SIGINT)
        eventually(lambda: case.lines("asked") != [], within_s=30)
        client.send_signal(signal.SIGINT)
        client.communicate(timeout=30)
    assert client.returncode == 130
    eventually(lambda: case.unit("late")["state"] == "stopped")
    assert [process.unit for process in case.processes()] == ["early"]


def test_a_down_during_up_wins_and_leaves_nothing(case: HarnessCase) -> None:
    case.write(SLOW)
    with case.begun("up") as client:
        eventually(lambda: case.lines("began") != [], within_s=30)
        case.ok("down")
        _, stderr = client.communicate(timeout=30)
    assert client.returncode == 1
    assert b"somebody else stopped it" in stderr
    assert case.marked(case.project) == []
