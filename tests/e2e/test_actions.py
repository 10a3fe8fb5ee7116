"""Typed actions of a plugin, driven by the real program."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from .harness_case import HarnessCase, eventually

STACK = """
services:
  toy:
    type: process
    service_type: toy
    command: sleep 1000
    ports: {rpc: {port: auto, scheme: http}}
  plain: {type: process, command: sleep 1000}
"""


@pytest.fixture
def toy(case: HarnessCase) -> HarnessCase:
    """Have a stack with a service of the tests' plugin up."""
    case.env["HARNESS_PLUGINS"] = "tests.toy_plugin"
    case.env["PYTHONPATH"] = str(Path(__file__).parents[2])
    case.write(STACK)
    case.ok("up", "-q")
    return case


def test_actions_are_found_described_and_run(toy: HarnessCase) -> None:
    listed = toy.ok("action", "list").splitlines()
    assert listed[0].split() == ["ACTION", "WHAT", "IT", "DOES"]
    assert "toy.count" in listed[1]
    assert listed[-1].startswith("add ")
    assert "plain" not in "".join(listed)
    described = toy.ok("action", "info", "toy.count")
    assert "--times    integer  1        how often, at least once." in described
    assert '{"timeout": …}  duration or nothing' in toy.ok("action", "info", "toy.shell")
    assert "returns   {before, now}\ntells     counted {value}" in described
    done = toy("action", "run", "toy.count", "--times", "2", "--step", "ten")
    assert (done.returncode, done.stdout) == (0, "before: 0\nnow: 20\n")
    assert done.stderr == "counted value=10\ncounted value=20\n"
    assert toy.ok("action", "run", "add", '{"a": 1}', "--negate") == "-3\n"
    url = toy.ok("action", "run", "toy.where").strip()
    assert url == toy.unit("toy")["endpoints"]["rpc"]["url"]


def test_a_type_runs_commands_beside_its_service(toy: HarnessCase) -> None:
    said = toy.ok("action", "run", "toy.shell", "--line", "echo $EXTRA $HARNESS_UNIT; exec 1>&2")
    assert said.startswith(f"more {toy.project}/toy/")
    failed = toy("action", "run", "toy.shell", "--line", "echo no >&2; exit 3")
    assert (failed.returncode, "exit status 3: no" in failed.stderr) == (1, True)
    late = toy("action", "run", "toy.shell", "--line", "sleep 1000", '{"timeout": "100ms"}')
    assert (late.returncode, "it ran longer than 0.1 s" in late.stderr) == (124, True)


def test_a_run_for_machines_is_one_document_a_line(toy: HarnessCase) -> None:
    lines = toy.ok("action", "run", "toy.count", "--json", '{"times": 2}').splitlines()
    assert [json.loads(line) for line in lines] == [
        {"event": "counted", "data": {"value": 1}},
        {"event": "counted", "data": {"value": 2}},
        {"result": {"before": 0, "now": 2}},
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["toy.cuont"], 4, 'did you mean "count"?'),
        (["toy.count", "--tmies", "3"], 2, "did you mean --times?"),
        (["toy.count", "--times", "x"], 2, "times: "),
        (["toy.count", "--times", "0"], 1, "hint: give more"),
        (["toy.late"], 1, "TimeoutError: the node did not answer"),
        (["toy.dawdle"], 124, "it took longer than 0.05 s"),
        (["plain.count"], 4, "it has no service_type"),
        (["to.count"], 4, 'did you mean "toy"?'),
        (["ad"], 4, 'did you mean "add"?'),
    ],
)
def test_what_goes_wrong_is_said_with_a_remedy(
    toy: HarnessCase, arguments: list[str], status: int, said: str
) -> None:
    done = toy("action", "run", *arguments)
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_not_given_as_an_option_is_told_which_it_is(toy: HarnessCase) -> None:
    missing = toy("action", "run", "toy.shell")
    assert missing.returncode == 2
    assert "harness: cannot run toy.shell: missing: --line TEXT" in missing.stderr
    word = toy("action", "run", "toy.shell", "echo hi")
    assert word.returncode == 2
    assert "JSON object; did you mean --line 'echo hi'?" in word.stderr


def test_ctrl_c_cancels_an_action(toy: HarnessCase) -> None:
    with toy.begun("action", "run", "toy.wait") as running:
        assert running.stderr is not None
        assert running.stderr.readline() == b"waiting (0 of 1)\n"
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
    toy.ok("action", "run", "toy.cancelled-once", "--timeout", "20s")


def test_a_client_that_is_killed_takes_its_action_with_it(toy: HarnessCase) -> None:
    with toy.begun("action", "run", "toy.wait") as running:
        assert running.stderr is not None
        assert running.stderr.readline() == b"waiting (0 of 1)\n"
        running.kill()
    toy.ok("action", "run", "toy.cancelled-once", "--timeout", "20s")


def test_a_daemon_that_is_killed_has_its_actions_again(toy: HarnessCase) -> None:
    pid = toy.unit("toy")["pid"]
    toy.kill_daemon()
    assert toy.ok("action", "run", "toy.count") == "before: 0\nnow: 1\n"
    assert toy.unit("toy")["pid"] == pid


def test_plugins_are_listed_and_a_broken_one_is_told(case: HarnessCase) -> None:
    case.env["PYTHONPATH"] = str(Path(__file__).parents[2])
    case.env["HARNESS_PLUGINS"] = "tests.toy_plugin,no_such_plugin"
    done = case("plugin", "list")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["PLUGIN", "FROM", "MODULE", "BRINGS"]
    assert lines[1].startswith("graph ")
    assert (
        "service types: toy, furnished; task types: carve, note, ponder; daemon actions: add"
        in lines[2]
    )
    assert "cannot be used: ModuleNotFoundError" in lines[3]


def test_names_of_actions_and_parameters_complete(toy: HarnessCase) -> None:
    def completed(*words: str) -> list[str]:
        line = " ".join(("harness", *words))
        env = {
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words)),
            "_HARNESS_COMPLETE": "bash_complete",
        }
        toy.env.update(env)
        try:
            return [word.split(",")[1] for word in toy().stdout.split()]
        finally:
            for name in env:
                del toy.env[name]

    eventually(lambda: completed("action", "run", "toy.co") == ["toy.count", "toy.collect"])
    eventually(lambda: completed("action", "run", "toy.count", "--t")[0] == "--times")
    assert os.environ.get("COMP_WORDS") is None


ROOM = """
services:
  room: {type: process, service_type: furnished, command: sleep 1000}
  guest: {type: process, command: sleep 1000, depends_on: [room]}
"""


@pytest.fixture
def room(case: HarnessCase) -> HarnessCase:
    """Give a stack whose service has to be set up."""
    case.env["HARNESS_PLUGINS"] = "tests.toy_plugin"
    case.env["PYTHONPATH"] = str(Path(__file__).parents[2])
    case.env["HARNESS_FURNISHED_FILE"] = str(case.directory / "furniture")
    case.write(ROOM)
    return case


def test_a_service_is_set_up_once_and_asked_after_each_start(room: HarnessCase) -> None:
    (room.directory / "allowed").touch()
    room.ok("up")
    assert room.lines("furniture") == ["room"]
    assert (room.unit("room")["setup"], room.unit("room")["ready"]) == ("complete", True)
    shown = room.ok("events")
    assert "set-up: furnishing" in shown
    assert "room  setup complete" in shown
    room.ok("restart", "room")
    room.kill_daemon()
    eventually(lambda: room.unit("room")["ready"])
    assert room.lines("furniture") == ["room"]


def test_a_setup_that_fails_fails_up_with_its_cause(room: HarnessCase) -> None:
    done = room("up")
    assert done.returncode == 1
    assert "its setup failed: cannot furnish: it is not allowed yet" in done.stderr
    assert room.processes("guest") == []


def test_a_type_that_no_plugin_brings_starts_nothing(room: HarnessCase) -> None:
    room.write(ROOM.replace("furnished", "furnishd"))
    done = room("up")
    assert done.returncode == 6
    assert 'no plugin brings the service_type "furnishd"' in done.stderr
    assert 'did you mean "furnished"?' in done.stderr
    assert room.processes("guest") == []
