"""The machine's clock is set a day forward or back while a real daemon runs.

libfaketime shows the daemon another wall clock and leaves the monotonic one alone, which is what a
step of the clock looks like. It cannot move the times of files, so the clock is a day behind or
right: a time of a file that lies in the future counts as now.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.processes import is_alive
from tests.requirements import faketime_library

from .harness_case import TIMEOUT_S, HarnessCase, eventually
from .terminal_case import Terminal

pytestmark = pytest.mark.timeout(120)


class Step(NamedTuple):
    """What the clock is off by, before and after."""

    before: str
    after: str


FORWARD, BACK = Step("-1d", "+0"), Step("+0", "-1d")
both_ways = pytest.mark.parametrize("step", [FORWARD, BACK], ids=["forward", "back"])


class WallClock:
    """The clock of whoever has `env` in its environment; it has moved when `set` returns."""

    def __init__(self, directory: Path, library: Path) -> None:
        self._path = directory / "clock"
        self._is_read = False
        self._write("+0")
        self.env = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            # It looks at the file again in the next second, not at every look at the clock.
            "FAKETIME_CACHE_DURATION": "0",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Else waits of the monotonic clock end at once, and threads that want the interpreter,
            # which wait for it so, keep the machine busy.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    def set(self, offset: str) -> None:
        self._write(offset)
        if not self._is_read:
            return
        # What was read in this second is good for the rest of it, by the machine's own clock.
        written_at = int(time.time())
        eventually(lambda: int(time.time()) > written_at)

    def _write(self, offset: str) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_text(f"{offset}\n")
        draft.replace(self._path)

    @contextlib.contextmanager
    def daemon(self, case: HarnessCase) -> Iterator[None]:
        """Run the case's daemon by this clock; whatever starts services does not inherit it."""
        self._is_read = True
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "harness.daemon", "--state-dir", str(case.state_dir)],
            cwd="/",
            env={**case.env, **self.env},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                assert process.stderr is not None
                assert b"The daemon is ready" in process.stderr.readline()
                yield
            finally:
                process.kill()

    @contextlib.contextmanager
    def shown_to(self, case: HarnessCase) -> Iterator[None]:
        """Let commands see this clock too; not those that start something, which would inherit."""
        self._is_read = True
        before, case.env = case.env, {**case.env, **self.env}
        try:
            yield
        finally:
            case.env = before


@pytest.fixture
def case(tmp_path: Path) -> Iterator[HarnessCase]:
    with HarnessCase(tmp_path) as case:
        yield case
    # Programs that were killed, or ended at once, left behind what the library keeps for each.
    for path in Path("/dev/shm").glob("*faketime_s*_*"):
        if not is_alive(int(path.name.rpartition("_")[2])):
            path.unlink(missing_ok=True)


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path, faketime_library())


@both_ways
def test_services_checks_and_tasks_go_on_as_if_nothing_had_happened(
    case: HarnessCase, clock: WallClock, step: Step
) -> None:
    case.write(
        "services:\n  plain: {type: process, command: sleep 1000, restart: always}\n"
        "  checked:\n    type: process\n    command: sleep 1000\n    restart: always\n"
        "    health_check: {command: [sh, -c, 'echo c >>checks'], interval: 200ms, retries: 1}\n"
        "tasks:\n  seed: {type: process, command: [sh, -c, 'echo s >>seeded']}\n"
    )
    clock.set(step.before)
    with clock.daemon(case):
        case.ok("up", "-q")
        before = case.status()
        clock.set(step.after)
        checks = len(case.lines("checks"))
        eventually(lambda: len(case.lines("checks")) >= checks + 5, within_s=60)
        after = case.status()
        for name in ("plain", "checked"):
            assert after[name]["pid"] == before[name]["pid"]
            assert (after[name]["state"], after[name]["restarts"]) == ("running", 0)
            assert after[name]["ready"] is True
            assert b"LD_PRELOAD" not in Path(f"/proc/{after[name]['pid']}/environ").read_bytes()
        # A task that has completed stays so.
        case.ok("up", "-q")
        assert case.lines("seeded") == ["s"]
        assert case.unit("plain")["pid"] == before["plain"]["pid"]
        case.ok("down", "-q")
        assert case.marked(case.project) == []


@both_ways
def test_a_back_off_is_as_long_as_it_was_to_be_and_shown_so(
    case: HarnessCase, clock: WallClock, step: Step
) -> None:
    case.write(
        "services:\n  flaky:\n    type: process\n"
        "    command: [sh, -c, 'cut -d\" \" -f1 /proc/uptime >>began; exit 1']\n"
        "    restart: {mode: always, backoff: {initial: 4s, factor: 1, jitter: 0}}\n"
    )
    clock.set(step.before)
    with clock.daemon(case):
        case("up", "--no-wait")
        eventually(lambda: case.unit("flaky")["state"] == "backoff", within_s=30)
        clock.set(step.after)
        with clock.shown_to(case):
            shown = case("status").stdout
        found = re.search(r"next try in (\d+(?:\.\d+)?) s", shown)
        assert found is None or float(found[1]) <= 4.0, shown
        assert found is not None or "backoff" not in shown, shown
        eventually(lambda: len(case.lines("began")) >= 2, within_s=60)
    first, second = (float(line) for line in case.lines("began")[:2])
    assert 3.9 <= second - first <= 30


@both_ways
def test_who_follows_output_misses_no_line(case: HarnessCase, clock: WallClock, step: Step) -> None:
    case.script(
        "counter.py",
        "import itertools, select\n"
        "for n in itertools.count():\n"
        "    print(n, flush=True)\n"
        "    select.select((), (), (), 0.01)\n",
    )
    case.write("services:\n  counter: {type: process, command: python3 counter.py}")
    clock.set(step.before)
    with clock.daemon(case):
        case.ok("up", "-q")
        with (
            case.begun("logs", "-f", "--no-prefix") as following,
            case.begun("attach", "--no-stdin", "counter") as attached,
        ):
            assert following.stdout is not None
            assert attached.stdout is not None
            first = int(attached.stdout.readline())
            for n in range(100):
                assert following.stdout.readline() == b"%d\n" % n
            clock.set(step.after)
            for n in range(100, 400):
                assert following.stdout.readline() == b"%d\n" % n
            for n in range(first + 1, first + 200):
                assert attached.stdout.readline() == b"%d\n" % n
            following.kill()
            attached.kill()


def test_who_attaches_with_a_clock_that_is_ahead_gets_the_answer(
    case: HarnessCase, clock: WallClock
) -> None:
    case.write("services:\n  repl: {type: process, command: [sed, -u, s/h/H/], stdin: true}")
    case.ok("up", "-q")
    clock.set("+1d")
    with clock.shown_to(case), Terminal(case, "attach", "repl") as terminal:
        terminal.type(b"hello\n")
        terminal.until(b"Hello")


@both_ways
def test_the_age_of_output_is_told_by_the_clock_of_its_time(
    case: HarnessCase, clock: WallClock, step: Step
) -> None:
    os.mkfifo(case.directory / "go")
    case.write(
        "services:\n  s:\n    type: process\n"
        "    command: [sh, -c, 'echo before; read x <go; echo after; exec sleep 1000']\n"
    )
    clock.set(step.before)
    with clock.daemon(case):
        case.ok("up", "-q")
        eventually(lambda: case.logs("s") == b"before\n")
        # Once its time is noted, which the index beside the log tells.
        index = case.log_file("s").with_suffix(".idx")
        eventually(lambda: index.stat().st_size >= 48)
        clock.set(step.after)
        (case.directory / "go").write_text("go\n")
        eventually(lambda: case.logs("s") == b"before\nafter\n")
        with clock.shown_to(case):
            recent = case.logs("s", "--since", "1h")
            old = case.logs("s", "--since", "25h")
        # What was written before the clock went back lies in the future, which is not old.
        assert recent == (b"after\n" if step is FORWARD else b"before\nafter\n")
        assert old == b"before\nafter\n"


@both_ways
def test_events_keep_their_order_and_no_time_shown_is_negative(
    case: HarnessCase, clock: WallClock, step: Step
) -> None:
    case.write(
        "services:\n  a: {type: process, command: sleep 1000}\n"
        "  b: {type: process, command: sleep 1000, depends_on: [a]}\n"
    )
    clock.set(step.before)
    with clock.daemon(case):
        case.ok("up", "-q", "a")
        clock.set(step.after)
        case.ok("up", "-q")
        with clock.shown_to(case):
            daemon = json.loads(case.ok("daemon", "status", "--json"))
            shown = case.ok("status") + case.ok("daemon", "status")
            events = case.events()
            told = case.ok("events", "--since", "0")
        assert 0 <= daemon["uptime_s"] < 600
        assert not re.search(r"(?<![\w-])-\d", shown), shown
        numbers = [event["number"] for event in events]
        assert numbers == sorted(set(numbers))
        goes_back = any(a["at"] > b["at"] for a, b in itertools.pairwise(events))
        assert goes_back is (step is BACK)
        changes = [
            (event["unit"], event["data"]["new"])
            for event in events
            if event["kind"] == "unit-state-changed"
        ]
        assert changes.index(("a", "running")) < changes.index(("b", "running"))
        assert len(told.splitlines()) == len(events)


@both_ways
def test_the_next_daemon_finds_every_service_again(
    case: HarnessCase, clock: WallClock, step: Step
) -> None:
    case.write(
        "services:\n  a: {type: process, command: sleep 1000, restart: always}\n"
        "  b: {type: process, command: sleep 1000, restart: always, depends_on: [a]}\n"
        "  gone:\n    type: process\n    restart: {mode: always, backoff: {initial: 100ms}}\n"
        "    command: [sh, -c, 'echo g >>began; exec sleep 1000']\n"
        "tasks:\n  seed: {type: process, command: [sh, -c, 'echo s >>seeded'], depends_on: [a]}\n"
    )
    clock.set(step.before)
    with clock.daemon(case):
        case.ok("up", "-q")
        before = case.status()
        case.kill_daemon()
    os.kill(before["gone"]["pid"], 9)
    eventually(lambda: {p.unit for p in case.processes()} == {"a", "b"})
    clock.set(step.after)
    with clock.daemon(case):
        eventually(lambda: case.unit("gone")["state"] == "running", within_s=60)
        after = case.status()
        for name in ("a", "b"):
            assert after[name]["pid"] == before[name]["pid"]
            assert (after[name]["state"], after[name]["restarts"]) == ("running", 0)
        # What ended meanwhile was started again, once.
        assert case.lines("began") == ["g", "g"]
        assert after["gone"]["restarts"] == 1
        case.ok("up", "-q")
        assert case.lines("seeded") == ["s"]
        case.ok("down", "-q", timeout_s=TIMEOUT_S)
        assert case.marked(case.project) == []
