"""Snapshots of two ledgers, one writing through to the other, taken while somebody writes."""

from __future__ import annotations

import itertools
import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.snapshot_plugin import LEDGER

from .harness_case import HarnessCase, eventually

# Many commands each, on a machine that other tests may share.
pytestmark = pytest.mark.timeout(120)

STACK = """
services:
  book:
    type: process
    service_type: ledger
    command: python3 ledger.py ${book.port} book.json
    ports: {tcp: auto}
    health_check: {tcp: "${book.port}"}
    labels: {dir: "%(dir)s"}
  index:
    type: process
    service_type: ledger
    command: python3 ledger.py ${index.port} index.json ${book.port}
    ports: {tcp: auto}
    health_check: {tcp: "${index.port}"}
    depends_on: [book]
    labels: {dir: "%(dir)s"}
  plain: {type: process, command: sleep 1000}
tasks:
  seed:
    type: process
    command: sh -c "echo run >> seeded; wc -l < seeded"
    depends_on: [book]
    outputs: {runs: {regex: "([0-9]+)"}}
"""


class Ledgers:
    """The two ledgers of a case."""

    def __init__(self, case: HarnessCase) -> None:
        self.case = case
        self.ports = {
            name: unit["endpoints"]["tcp"]["port"]
            for name, unit in case.status().items()
            if name in ("book", "index")
        }

    def ask(self, name: str, line: str) -> str:
        with socket.create_connection(("127.0.0.1", self.ports[name]), timeout=30) as connection:
            connection.sendall(f"{line}\n".encode())
            return connection.makefile().readline().strip()

    def entries(self, name: str) -> list[int]:
        found: list[int] = json.loads(self.ask(name, "read"))
        return found

    def states(self) -> list[str]:
        return [self.ask(name, "state") for name in ("book", "index")]

    @contextmanager
    def written_to(self) -> Iterator[None]:
        """Have somebody write all the time."""
        ended = threading.Event()

        def write() -> None:
            for number in itertools.count(1):
                if ended.is_set():
                    return
                with suppress(OSError):
                    self.ask("index", f"add {number}")

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@pytest.fixture
def ledgers(case: HarnessCase) -> Ledgers:
    case.env["HARNESS_PLUGINS"] = "tests.snapshot_plugin"
    case.env["PYTHONPATH"] = str(Path(__file__).parents[2])
    case.script("ledger.py", LEDGER)
    case.write(STACK % {"dir": case.directory})
    case.ok("up", "-q")
    return Ledgers(case)


def steps(case: HarnessCase) -> list[str]:
    """Return what was asked of the ledgers' types since this was last asked."""
    found = case.lines("steps")
    (case.directory / "steps").unlink(missing_ok=True)
    return found


def test_parts_agree_though_somebody_writes_all_the_time(ledgers: Ledgers) -> None:
    case = ledgers.case
    with ledgers.written_to():
        eventually(lambda: len(ledgers.entries("book")) > 5)
        done = case("snapshot", "create", "first")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "note: not part of it: plain" in done.stderr
        then = len(ledgers.entries("book"))
        eventually(lambda: len(ledgers.entries("book")) > then + 5)
        assert steps(case) == [
            "quiesce-index", "quiesce-book", "snapshot-book", "snapshot-index",
            "resume-book", "resume-index",
        ]  # fmt: skip
    (snapshot,) = json.loads(case.ok("snapshot", "list", "--json"))
    assert (snapshot["parts"], snapshot["left"]) == (["book", "index"], ["plain"])
    assert snapshot["tasks"] == ["seed"]
    assert case.project not in case.ok("snapshot", "list")
    case.ok("snapshot", "restore", "first")
    assert 0 < len(ledgers.entries("book")) <= then
    assert ledgers.entries("book") == ledgers.entries("index")
    assert ledgers.states() == ["open", "open"]
    assert [step.partition("-")[0] for step in steps(case)] == [
        "quiesce", "quiesce", "restore", "restore", "resume", "resume",
    ]  # fmt: skip
    kinds = [event["kind"] for event in case.events()]
    assert kinds.count("unit-quiesced") == kinds.count("unit-resumed") == 4
    assert {"snapshot-created", "snapshot-restored"} <= set(kinds)
    directory = case.state_dir / "projects" / case.project / "snapshots"
    assert directory.stat().st_mode & 0o777 == 0o700
    case.ok("down", "--volumes")
    assert not directory.exists()


def test_what_is_remembered_of_tasks_comes_back(ledgers: Ledgers) -> None:
    case = ledgers.case
    case.ok("snapshot", "create", "first")
    before = case.unit("seed")
    case.ok("task", "run", "seed", "--force")
    assert case.unit("seed")["outputs"] != before["outputs"]
    case.ok("snapshot", "restore", "first")
    after = case.unit("seed")
    assert (after["outputs"], after["completed_at"]) == (before["outputs"], before["completed_at"])
    case.ok("up", "-q")
    assert case.lines("seeded") == ["run", "run"]


@pytest.mark.parametrize("step", ["quiesce-book", "snapshot-index", "hang-snapshot-index"])
def test_a_snapshot_that_fails_leaves_nothing_and_resumes_all(ledgers: Ledgers, step: str) -> None:
    case = ledgers.case
    if step.startswith("hang-"):
        (case.directory / step).touch()
        with case.begun("snapshot", "create", "first") as running:
            eventually(lambda: "snapshot-index" in case.lines("steps"))
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 130
    else:
        (case.directory / f"fail-{step}").touch()
        done = case("snapshot", "create", "first")
        assert (done.returncode, "the test says so" in done.stderr) == (1, True)
    assert ledgers.states() == ["open", "open"]
    assert case("snapshot", "list").stderr == "note: the stack has no snapshots\n"
    directory = case.state_dir / "projects" / case.project / "snapshots"
    assert not directory.exists() or list(directory.iterdir()) == []


def test_a_snapshot_that_takes_too_long_is_given_up(ledgers: Ledgers) -> None:
    case = ledgers.case
    (case.directory / "hang-snapshot-index").touch()
    done = case("snapshot", "create", "first", "--timeout", "1s")
    assert (done.returncode, "it took longer than 1 s" in done.stderr) == (124, True)
    assert ledgers.states() == ["open", "open"]
    assert json.loads(case.ok("snapshot", "list", "--json")) == []


def test_a_restore_that_fails_says_which_parts_are_of_which_moment(ledgers: Ledgers) -> None:
    case = ledgers.case
    ledgers.ask("index", "add 1")
    case.ok("snapshot", "create", "first")
    ledgers.ask("index", "add 2")
    (case.directory / "fail-restore-index").touch()
    done = case("snapshot", "restore", "first")
    assert done.returncode == 1
    assert "restored are book, not or half are index" in done.stderr
    assert ledgers.states() == ["open", "open"]
    assert (ledgers.entries("book"), ledgers.entries("index")) == ([1], [1, 2])
    assert "the parts are of different moments" in case("status").stderr
    case.kill_daemon()
    assert json.loads(case("status", "--json").stdout)["half_restored"] == {
        "snapshot": "first", "restored": ["book"], "others": ["index"],
    }  # fmt: skip
    (case.directory / "fail-restore-index").unlink()
    case.ok("snapshot", "restore", "first")
    assert json.loads(case("status", "--json").stdout)["half_restored"] is None
    assert (ledgers.entries("book"), ledgers.entries("index")) == ([1], [1])


def test_a_daemon_killed_while_all_is_quiesced_has_a_successor_that_resumes(
    ledgers: Ledgers,
) -> None:
    case = ledgers.case
    (case.directory / "hang-snapshot-index").touch()
    with case.begun("snapshot", "create", "first") as running:
        eventually(lambda: "snapshot-index" in case.lines("steps"))
        assert ledgers.states() == ["held", "held"]
        case.kill_daemon()
        running.wait(60)
    pids = {name: unit["pid"] for name, unit in case.status().items()}
    eventually(lambda: ledgers.states() == ["open", "open"])
    directory = case.state_dir / "projects" / case.project / "snapshots"
    assert list(directory.iterdir()) == []
    (case.directory / "hang-snapshot-index").unlink()
    eventually(lambda: case("snapshot", "create", "first").returncode == 0)
    assert {name: unit["pid"] for name, unit in case.status().items()} == pids


def test_a_snapshot_of_another_plan_is_refused_unless_forced(ledgers: Ledgers) -> None:
    case = ledgers.case
    ledgers.ask("index", "add 1")
    case.ok("snapshot", "create", "first")
    ledgers.ask("index", "add 2")
    text = (case.directory / "harness.yaml").read_text()
    (case.directory / "harness.yaml").write_text(text.replace("sleep 1000", "sleep 2000"))
    case.ok("up", "-q")
    done = case("snapshot", "restore", "first", "--json")
    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["kind"]) == (1, "snapshot-mismatch")
    assert error["details"]["differs"] == ["plain has changed"]
    assert ledgers.entries("book") == [1, 2]
    case.ok("snapshot", "restore", "first", "--force")
    assert ledgers.entries("book") == [1]


def test_what_cannot_be_done_is_said_before_anything_is_quiesced(ledgers: Ledgers) -> None:
    case = ledgers.case
    steps(case)
    done = case("snapshot", "create", "first", "--require", "plain")
    assert (done.returncode, '"plain" cannot be part of it' in done.stderr) == (1, True)
    assert case("snapshot", "create", "first", "--require", "bok").returncode == 4
    assert case("snapshot", "create", "a/b").returncode == 2
    case.ok("snapshot", "create", "first")
    assert "there is one of that name" in case("snapshot", "create", "first").stderr
    steps(case)
    done = case("snapshot", "restore", "frist")
    assert (done.returncode, 'did you mean "first"?' in done.stderr) == (4, True)
    case.ok("stop", "index")
    done = case("snapshot", "restore", "first")
    assert (done.returncode, "it is not running, but stopped" in done.stderr) == (1, True)
    assert steps(case) == []
    case.ok("snapshot", "remove", "first")
    assert case("snapshot", "remove", "first").returncode == 4
