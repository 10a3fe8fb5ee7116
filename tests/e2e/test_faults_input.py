"""Wrong input is refused before anything happens, with the code that a script can tell it by."""

from __future__ import annotations

import json

import pytest

from .harness_case import HarnessCase

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("services:\n  a: {type: process, command: sleep 1, imag: x}", "3:40", "imag"),
        ("services:\n  a: {type: proces, command: sleep 1}", "3:13", 'did you mean "process"?'),
        (
            "services:\n  a:\n    type: process\n    command: x\n    depends_on: [bb]\n  b: {}",
            "6:18",
            'did you mean "b"?',
        ),
        ("services:\n  a: [", "", "harness.yaml:"),
        ("services:\n  a: {type: process}", "3:6", "command"),
        ('services:\n  a: {type: process, command: "x ${b.url}"}', "3:34", "b"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place_and_nothing_is_started(
    case: HarnessCase, text: str, place: str, words: str
) -> None:
    case.write(text)
    done = case("up")
    assert done.returncode == 6
    assert f"harness.yaml:{place}" in done.stderr
    assert words in done.stderr
    assert case.daemon_pid() is None
    assert case.marked(case.project) == []


def test_a_cycle_is_refused_and_named(case: HarnessCase) -> None:
    case.write(
        "services:\n  a: {type: process, command: x, depends_on: [b]}\n"
        "  b: {type: process, command: x, depends_on: [a]}"
    )
    done = case("up")
    assert done.returncode == 6
    assert "a → b → a" in done.stderr or "b → a → b" in done.stderr
    assert case.daemon_pid() is None


def test_a_missing_file_is_refused(case: HarnessCase) -> None:
    done = case("up")
    assert done.returncode == 6
    assert "harness.yaml" in done.stderr
    assert case.daemon_pid() is None


def test_a_file_that_became_wrong_changes_nothing_that_runs(case: HarnessCase) -> None:
    case.write("services:\n  a: {type: process, command: sleep 1000}")
    case.ok("up", "-q")
    pid = case.unit("a")["pid"]
    case.write("services:\n  a: {type: process, command: sleep 1000, nonsense: 1}")
    assert case("up").returncode == 6
    assert case.unit("a")["pid"] == pid
    case.ok("down")
    assert case.marked(case.project) == []


@pytest.mark.parametrize("command", ["up", "logs", "why", "stop", "restart", "inspect"])
def test_an_unknown_service_is_refused_with_a_suggestion(case: HarnessCase, command: str) -> None:
    case.write("services:\n  worker: {type: process, command: sleep 1000}")
    case.ok("up", "-q")
    done = case(command, "wroker")
    assert done.returncode == 4
    assert "wroker" in done.stderr
    assert 'did you mean "worker"?' in done.stderr


def test_without_a_daemon_and_forbidden_to_start_one_the_code_is_5(case: HarnessCase) -> None:
    case.write("services:\n  a: {type: process, command: sleep 1000}")
    for command in ("up", "down", "logs", "why a", "daemon status", "status"):
        done = case("--no-start", *command.split())
        assert done.returncode == 5, command
        assert "daemon" in done.stderr
    assert case.daemon_pid() is None
    assert not case.state_dir.exists()


def test_a_timeout_explains_the_chain_of_causes_and_leaves_all_running(case: HarnessCase) -> None:
    case.write(
        "services:\n"
        "  chain:\n    type: process\n    command: [sh, -c, 'echo syncing; exec sleep 1000']\n"
        "    health_check: {command: [sh, -c, 'echo still at block 5; exit 1']}\n"
        "  web: {type: process, command: sleep 1000, depends_on: [chain]}"
    )
    done = case("up", "--timeout", "1s")
    assert done.returncode == 124
    assert "web waits for" in done.stderr
    assert "chain is running and not ready" in done.stderr
    assert [process.unit for process in case.processes()] == ["chain"]
    failed = json.loads(case("up", "--timeout", "300ms", "--json").stderr.splitlines()[-1])["error"]
    assert failed["kind"] == "wait-timeout"
    units = {explanation["unit"] for explanation in failed["details"]["explanations"]}
    assert units == {"chain", "web"}
    case.ok("down")
