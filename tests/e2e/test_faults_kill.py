"""`kill -9` of the daemon at any moment: nothing is lost, nothing runs twice.

The moments are drawn from seeded generators; each round's command is under way when the daemon
dies, and the next command starts one that goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
from collections import Counter

import pytest

from .harness_case import HarnessCase, eventually

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]

LAYERS, WIDTH = 5, 4
SERVICES = [f"s{n:02}" for n in range(LAYERS * WIDTH)]
UNITS = [*SERVICES, "job"]
PRINT_5 = r'echo "{\"n\": 5}"'


def _stack() -> str:
    """Twenty services in five layers, and a task that needs the second layer.

    Each run of each notes that it began in `began`, with its own name.
    """
    lines = ["services:"]
    for n, name in enumerate(SERVICES):
        needs = [SERVICES[n - WIDTH], SERVICES[n - WIDTH - n % WIDTH]] if n >= WIDTH else []
        lines += [
            f"  {name}:",
            "    type: process",
            f"    command: [sh, -c, 'echo {name} >>began; exec sleep 1000']",
            f"    depends_on: [{', '.join(dict.fromkeys(needs))}]",
        ]
    lines += [
        "tasks:",
        "  job:",
        "    type: process",
        f"    command: [sh, -c, 'echo job >>began; sleep 0.2; {PRINT_5}']",
        f"    depends_on: [{', '.join(SERVICES[WIDTH : 2 * WIDTH])}]",
        "    outputs: {n: {json: n}}",
    ]
    return "\n".join(lines)


def _kill_during(case: HarnessCase, moments: random.Random, *command: str) -> None:
    """Kill the daemon at a random moment of a command.

    Every fourth time that is soon after the command began; otherwise soon after it told of the
    first thing that was changed, so that the daemon is in the middle of its work.
    """
    with case.begun(*command) as client:
        if moments.random() > 0.25:
            assert client.stderr is not None
            client.stderr.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            client.communicate(timeout=moments.uniform(0.0, 0.3))
        case.kill_daemon()
        # It may not have called the daemon yet: then it starts another one, and does its work.
        client.communicate(timeout=60)


def _assert_all_run_once(case: HarnessCase) -> None:
    status = case.status()
    found = Counter(process.unit for process in case.processes())
    assert found == Counter(SERVICES)
    assert {name: status[name]["state"] for name in SERVICES} == dict.fromkeys(SERVICES, "running")
    pids = {process.unit: process.pid for process in case.processes()}
    assert {name: status[name]["pid"] for name in SERVICES} == pids


@pytest.mark.parametrize("seed", range(3))
def test_up_goes_on_after_a_kill_and_starts_nothing_twice(case: HarnessCase, seed: int) -> None:
    moments = random.Random(seed)
    case.write(_stack())
    case.ok("daemon", "start")
    for _ in range(3):
        _kill_during(case, moments, "up")
    case.ok("up")
    _assert_all_run_once(case)
    assert Counter(case.lines("began")) == Counter(UNITS)
    job = case.unit("job")
    assert (job["state"], job["exit_code"], job["outputs"]) == ("exited", 0, {"n": 5})


@pytest.mark.parametrize("seed", range(3))
def test_down_goes_on_after_a_kill_and_leaves_nothing(case: HarnessCase, seed: int) -> None:
    moments = random.Random(100 + seed)
    case.write(_stack())
    case.ok("up", "-q")
    for _ in range(2):
        _kill_during(case, moments, "down")
    case.ok("down")
    assert case.marked(case.project) == []
    states = {unit["state"] for unit in case.status().values()}
    assert states <= {"stopped", "exited"}


def test_a_down_that_was_killed_is_finished_by_the_next_daemon(case: HarnessCase) -> None:
    case.write(
        "services:\n  slow:\n    type: process\n    shutdown_timeout: 1s\n"
        "    command: [sh, -c, 'trap \"echo asked >>asked\" TERM; while :; do sleep 0.1; done']"
    )
    case.ok("up", "-q")
    with case.begun("down") as client:
        eventually(lambda: case.lines("asked") != [])
        case.kill_daemon()
        client.communicate(timeout=20)
    assert case.processes("slow") != []
    case.status()
    case.ok("wait", "slow", "--for", "stopped", "--timeout", "10s")
    assert case.marked(case.project) == []


def test_a_service_taken_out_of_the_file_is_not_lost_when_its_stop_is_cut_short(
    case: HarnessCase,
) -> None:
    kept = "services:\n  kept: {type: process, command: sleep 1000}\n"
    case.write(
        f"{kept}  gone:\n    type: process\n    shutdown_timeout: 1s\n"
        '    command: [sh, -c, \'trap "echo asked >>asked" TERM; echo up >>began; '
        "while :; do sleep 0.1; done']"
    )
    case.ok("up", "-q")
    eventually(lambda: case.lines("began") != [])
    case.write(kept)
    with case.begun("up") as client:
        eventually(lambda: case.lines("asked") != [], within_s=30)
        case.kill_daemon()
        client.communicate(timeout=60)
    assert case.processes("gone") != []
    assert list(case.status()) == ["kept", "gone"]
    case.ok("up")
    assert case.processes("gone") == []
    assert list(case.status()) == ["kept"]
    case.kill_daemon()
    assert list(case.status()) == ["kept"]


@pytest.mark.parametrize("seed", range(3))
def test_restart_goes_on_after_a_kill_with_one_of_each(case: HarnessCase, seed: int) -> None:
    moments = random.Random(200 + seed)
    case.write(_stack())
    case.ok("up", "-q")
    rounds = 2
    for _ in range(rounds):
        _kill_during(case, moments, "restart")
        # Restarting never changes what is wanted, so the next daemon brings all back by itself.
        case.status()
        case.ok("wait", *SERVICES, "--for", "started", "--timeout", "10s")
        _assert_all_run_once(case)
    began = Counter(case.lines("began"))
    assert began["job"] == 1
    assert all(1 <= began[name] <= 1 + rounds for name in SERVICES)


@pytest.mark.parametrize("seed", range(3))
def test_a_running_task_is_not_run_again(case: HarnessCase, seed: int) -> None:
    moments = random.Random(300 + seed)
    case.write(
        "tasks:\n  job:\n    type: process\n    outputs: {n: {json: n}}\n"
        f"    command: [sh, -c, 'echo job >>began; sleep 0.7; {PRINT_5}; echo job >>ended']"
    )
    case.ok("daemon", "start")
    for _ in range(2):
        _kill_during(case, moments, "up")
    case.ok("up")
    assert (case.lines("began"), case.lines("ended")) == (["job"], ["job"])
    assert case.unit("job")["outputs"] == {"n": 5}
    assert len(case.events("task-completed")) >= 1


def test_a_task_that_ends_while_no_daemon_runs_counts_as_done(case: HarnessCase) -> None:
    os.mkfifo(case.directory / "go")
    case.write(
        "tasks:\n  job:\n    type: process\n    outputs: {n: {json: n}}\n"
        f"    command: [sh, -c, 'echo job >>began; read x <go; {PRINT_5}']"
    )
    case.ok("up", "--no-wait")
    eventually(lambda: case.lines("began") != [])
    case.kill_daemon()
    (case.directory / "go").write_text("go\n")
    eventually(lambda: case.marked(case.project) == [])
    case.ok("up")
    assert case.lines("began") == ["job"]
    assert case.unit("job")["outputs"] == {"n": 5}


@pytest.mark.parametrize(("ending", "code"), [("exit 7", 7), ("kill -9 $$$$", 137), ("exit 0", 0)])
def test_how_a_service_ended_while_no_daemon_ran_is_known(
    case: HarnessCase, ending: str, code: int
) -> None:
    os.mkfifo(case.directory / "go")
    case.write(
        "services:\n  worker:\n    type: process\n    restart: no\n"
        f"    command: [sh, -c, 'echo last words; read x <go; {ending}']"
    )
    case.ok("up", "-q")
    case.kill_daemon()
    (case.directory / "go").write_text("go\n")
    eventually(lambda: case.marked(case.project) == [])
    worker = case.unit("worker")
    assert worker["exit_code"] == code
    assert worker["state"] == ("exited" if code == 0 else "failed")
    assert case.logs("worker") == b"last words\n"


def test_a_service_that_ended_while_no_daemon_ran_is_restarted_if_it_should_be(
    case: HarnessCase,
) -> None:
    os.mkfifo(case.directory / "go")
    case.write(
        "services:\n  worker:\n    type: process\n    restart: on-failure\n"
        "    command: [sh, -c, 'echo w >>began; read x <go; exit 7']"
    )
    case.ok("up", "-q")
    case.kill_daemon()
    (case.directory / "go").write_text("go\n")
    eventually(lambda: case.marked(case.project) == [])
    case.status()
    eventually(lambda: case.unit("worker")["state"] == "running")
    assert case.unit("worker")["restarts"] == 1
    assert case.lines("began") == ["w", "w"]
    ends = [e["data"]["exit"] for e in case.events("unit-state-changed") if e["data"]["exit"]]
    assert "7" in ends[0]


COUNTER = """\
import time
start, n = time.monotonic(), 0
while True:
    n += 1
    print(n, flush=True)
    time.sleep(max(0.0, start + n / 1000 - time.monotonic()))
"""


@pytest.mark.parametrize("seed", range(2))
def test_no_line_of_a_printing_service_is_lost(case: HarnessCase, seed: int) -> None:
    moments = random.Random(400 + seed)
    case.script("counter.py", COUNTER)
    case.write("services:\n  counter: {type: process, command: python3 counter.py}")
    case.ok("up", "-q")
    pid = case.unit("counter")["pid"]
    log, size = case.log_file("counter"), 0
    for _ in range(4):
        size += moments.randrange(500, 4000)
        eventually(lambda size=size: log.stat().st_size >= size)  # type: ignore[misc]
        assert case.kill_daemon()
        assert case.unit("counter")["pid"] == pid
        size = log.stat().st_size
    case.ok("stop", "counter")
    numbers = [int(line) for line in case.logs("counter").split()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 1000
    tail = case.ok("logs", "counter", "--no-prefix", "--tail", "10").split()
    assert [int(line) for line in tail] == numbers[-10:]


def test_whoever_follows_after_a_kill_gets_every_line_from_then_on(case: HarnessCase) -> None:
    case.script("counter.py", COUNTER)
    case.write("services:\n  counter: {type: process, command: python3 counter.py}")
    case.ok("up", "-q")
    case.kill_daemon()
    with case.begun("logs", "-f", "--no-prefix") as following:
        assert following.stdout is not None
        for n in range(1, 1500):
            assert following.stdout.readline() == b"%d\n" % n
        following.terminate()


def test_what_follows_output_goes_on_with_the_next_daemon(case: HarnessCase) -> None:
    case.script("counter.py", COUNTER)
    case.write("services:\n  counter: {type: process, command: python3 counter.py}")
    case.ok("up", "-q")
    with case.begun("logs", "-f", "--no-prefix") as following:
        assert following.stdout is not None
        for n in range(1, 3000):
            assert following.stdout.readline() == b"%d\n" % n
            if n % 1000 == 0:
                case.kill_daemon()
        following.send_signal(signal.SIGINT)
        assert following.wait(30) == 130


def test_event_numbers_go_on_and_tell_of_each_adoption(case: HarnessCase) -> None:
    case.write(
        "services:\n  a: {type: process, command: sleep 1000}\n"
        "  b: {type: process, command: sleep 1000}"
    )
    case.ok("up", "-q")
    for _ in range(2):
        case.kill_daemon()
        case.ok("daemon", "start")
    lines = case.ok("events", "--since", "0", "--json", "-p", case.project).splitlines()
    numbers = [json.loads(line)["number"] for line in lines]
    assert numbers == sorted(set(numbers))
    adopted = Counter(event["unit"] for event in case.events("unit-adopted"))
    assert adopted == Counter({"a": 2, "b": 2})


def test_what_follows_events_goes_on_with_the_next_daemon(case: HarnessCase) -> None:
    case.write("services:\n  a: {type: process, command: sleep 1000}")
    case.ok("up", "-q")
    with case.begun("events", "-f", "--json", "--tail", "1") as following:
        assert following.stdout is not None
        numbers = [json.loads(following.stdout.readline())["number"]]
        for _ in range(2):
            case.ok("restart", "a", "-q")
            while True:
                event = json.loads(following.stdout.readline())
                numbers.append(event["number"])
                if event["kind"] == "operation-finished":
                    break
            case.kill_daemon()
        case.ok("daemon", "stop")
        following.send_signal(signal.SIGINT)
        assert following.wait(30) in (5, 130)
    assert numbers == sorted(set(numbers))
