"""The whole program as its user runs it: commands as processes, a real daemon, real services."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness_case import HarnessCase
from tests.e2e.terminal_case import CTRL_C, Terminal

# A test is some ten processes; on a busy machine each of them takes its time.
pytestmark = pytest.mark.timeout(90)

PROGRAM = [str(Path(sys.executable).with_name("harness"))]
TIMEOUT_S = 30

STACK = """\
name: shop
services:
  db:
    type: process
    command: python3 -u -m http.server --bind 127.0.0.1 ${db.port}
    ports: {http: {port: auto, scheme: http}}
    health_check: {http: "${db.url}/"}
    stop_signal: SIGKILL
  web:
    type: process
    command: [sh, -c, 'echo "db at $DB"; echo oops >&2; printf "no newline"; exec sleep 1000']
    env: {DB: "${db.url}", TOKEN: "${secrets.token}"}
    depends_on: [{service: db, condition: healthy}]
secrets:
  token: {env: SHOP_TOKEN}
tasks:
  seed:
    type: process
    command: [echo, '{"first_block": 1}']
    depends_on: [db]
    outputs: {first_block: {json: first_block}}
"""
NEVER_READY = """\
name: slow
services:
  chain: {type: process, command: sleep 1000}
  follower:
    type: process
    command: sleep 1000
    depends_on: [chain]
    health_check: {command: ["false"]}
"""


class Program:
    """Runs `harness` in a directory with a state directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.env = {
            **kept,
            "HARNESS_STATE_DIR": str(directory / "state"),
            "SHOP_TOKEN": "hunter2",
            "TERM": "xterm",
        }

    def __call__(
        self, *arguments: str, stdin: bytes | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=self.directory,
            env=self.env,
            input=b"" if stdin is None else stdin,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args,
            done.returncode,
            done.stdout.decode("utf-8", "surrogateescape"),
            done.stderr.decode("utf-8", "surrogateescape"),
        )

    def ok(self, *arguments: str, stdin: bytes | None = None) -> str:
        done = self(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, text: str) -> None:
        (self.directory / "harness.yaml").write_text(text)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path)
    program.write(STACK)
    yield program
    done = program("daemon", "stop")
    assert done.returncode == 0, done.stderr


def test_a_stack_comes_up_is_looked_at_and_goes_down(program: Program) -> None:
    assert program("status").returncode == 3

    up = program("up")
    assert up.returncode == 0, up.stderr
    rows = [line.split() for line in up.stdout.splitlines()]
    assert [row[:2] for row in rows] == [["db", "ready"], ["web", "ready"], ["seed", "done"]]
    assert "db: healthy" in up.stderr

    status = json.loads(program.ok("status", "--json"))
    db, web, seed = status["services"]
    assert (db["state"], db["health"], seed["exit_code"]) == ("running", "healthy", 0)
    url = db["endpoints"]["http"]["url"]
    assert program.ok("port", "db") == url.removeprefix("http://") + "\n"

    logs = program.ok("logs", "web", "--no-prefix", "--stream", "stdout")
    assert logs == f"db at {url}\nno newline"
    assert program.ok("logs", "web", "--stream", "stderr") == "web | oops\n"
    env = program.ok("env", "web").splitlines()
    assert f"DB={url}" in env
    assert "hunter2" not in "".join(env)
    assert "TOKEN=hunter2" in program.ok("env", "web", "--reveal").splitlines()

    program.ok("down")
    assert program("status").returncode == 3
    for unit in (db, web):
        assert not Path(f"/proc/{unit['pid']}").exists()


def test_exec_runs_in_the_services_place_and_passes_everything_on(program: Program) -> None:
    program.ok("up", "-q")
    done = program(
        "exec", "web", "--", "sh", "-c", 'cat; echo "$DB" >&2; exit 7', stdin=b"caf\xe9\x00"
    )
    assert done.returncode == 7
    assert done.stdout.encode("utf-8", "surrogateescape") == b"caf\xe9\x00"
    assert done.stderr.startswith("http://127.0.0.1:")
    assert program("exec", "web", "--", "sh", "-c", "kill -9 $$").returncode == 128 + 9
    missing = program("exec", "web", "--", "no-such-program")
    assert missing.returncode == 127
    assert "no-such-program" in missing.stderr


def test_stop_start_and_restart_change_what_runs(program: Program) -> None:
    program.ok("up", "-q", "web")
    before = json.loads(program.ok("status", "--json", "web"))["services"][0]["pid"]
    program.ok("restart", "web")
    after = json.loads(program.ok("status", "--json", "web"))["services"][0]["pid"]
    assert after not in (None, before)
    program.ok("stop", "web")
    assert program("status", "web").returncode == 3
    assert program("status", "db").returncode == 0
    program.ok("wait", "web", "--for", "stopped", "--timeout", "1s")
    program.ok("start", "web")
    program.ok("wait", "web", "--timeout", "5s")


def test_tasks_run_once_until_they_are_reset(program: Program) -> None:
    program.ok("up", "-q")
    assert "first_block=1" in program.ok("task", "list")
    assert "skip" in program.ok("plan", "seed")
    program.ok("task", "reset", "seed")
    assert program("task", "status", "seed").returncode == 3
    program.ok("task", "run", "seed")
    assert program("task", "status", "seed").returncode == 0
    document = json.loads(program.ok("task", "list", "--json"))
    assert document[0]["outputs"] == {"first_block": 1}


def test_a_wrong_file_starts_nothing_and_every_problem_has_its_place(program: Program) -> None:
    program.write(STACK.replace("depends_on: [db]", "depends_on: [webb]"))
    for command in ("validate", "up"):
        done = program(command)
        assert done.returncode == 6
        text = done.stdout + done.stderr
        assert "harness.yaml:20:18: tasks.seed.depends_on[0]" in text
        assert 'did you mean "web"?' in text
        assert text.endswith("1 problem; nothing was started\n")
    error = json.loads(program("up", "--json").stderr)["error"]
    assert error["details"]["problems"][0]["line"] == 20


def test_exit_codes_tell_what_went_wrong(program: Program) -> None:
    assert program("--no-start", "top").returncode == 5
    assert program("top").returncode == 4
    program.ok("up", "-q", "web")
    unknown = program("logs", "wbe")
    assert unknown.returncode == 4
    assert 'hint: did you mean "web"?' in unknown.stderr
    assert json.loads(program("why", "wbe", "--json").stderr)["error"]["hint"]
    assert program("up", "wbe").returncode == 4
    assert program("stop", "wbe").returncode == 4
    assert program("stop", "--bogus").returncode == 2


def test_a_failing_task_fails_up_and_why_says_why(program: Program) -> None:
    program.write('name: bad\ntasks: {job: {type: process, command: [sh, -c, "echo x; exit 3"]}}')
    done = program("up")
    assert done.returncode == 1
    assert 'harness: cannot up "job"' in done.stderr
    assert '\n  last output of "job":\n    x\nhint: ' in done.stderr
    why = program.ok("why", "job")
    assert "job" in why.splitlines()[0]
    assert "last output   x" in why
    assert program("status").returncode == 3


def test_a_timeout_explains_itself(program: Program) -> None:
    program.write(NEVER_READY)
    done = program("up", "--timeout", "500ms")
    assert done.returncode == 124
    assert "follower is running and not ready" in done.stderr
    assert "its probe" in done.stderr


def test_after_the_daemon_was_killed_status_still_tells_the_truth(program: Program) -> None:
    program.ok("up", "-q", "web")
    before = json.loads(program.ok("status", "--json", "web"))["services"][0]["pid"]
    os.kill(json.loads(program.ok("daemon", "status", "--json"))["pid"], signal.SIGKILL)
    after = json.loads(program.ok("status", "--json", "web"))["services"][0]["pid"]
    assert after == before


def test_a_closed_pipe_is_quiet(program: Program) -> None:
    program.ok("up", "-q", "web")
    program.ok("exec", "web", "--", "true")
    line = f"{PROGRAM[0]} exec web -- seq 1000000 | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=program.directory,
        env=program.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("1\n0\n", "")


def test_followed_logs_arrive_while_the_service_prints(program: Program) -> None:
    program.write("name: tick\nservices: {tick: {type: process, command: [sh, -c, 'echo 1; cat']}}")
    program.ok("up", "-q")
    with subprocess.Popen(
        [*PROGRAM, "logs", "-f"],
        cwd=program.directory,
        env=program.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as following:
        assert following.stdout is not None
        assert following.stdout.readline() == b"tick | 1\n"
        following.send_signal(signal.SIGINT)
        assert following.wait(TIMEOUT_S) == 130


def test_on_a_terminal_up_says_what_it_waits_for_and_ctrl_c_cancels(program: Program) -> None:
    program.write(NEVER_READY)
    with Terminal(program, "up") as terminal:
        terminal.until("for chain → ".encode())
        terminal.type(CTRL_C)
        assert terminal.end() == 130
    last = terminal.shown.decode().splitlines()[-1]
    assert "1 service keeps running; stopped what was not ready: follower" in last
    assert program("status", "chain").returncode == 0


def test_down_says_nothing_of_what_never_ran(case: HarnessCase) -> None:
    case.write(
        "services:\n"
        "  db: {type: process, command: 'false', restart: no, health_check: {tcp: 1}}\n"
        "  web: {type: process, command: sleep 1000, depends_on: [db]}\n"
        "  runs: {type: process, command: sleep 1000}\n"
    )
    assert case("up").returncode == 1
    told = case("down").stderr.splitlines()
    assert [line.partition(":")[0] for line in told] == ["runs"]
