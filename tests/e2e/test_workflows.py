"""Workflows, driven by the real program over real processes."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from .harness_case import HarnessCase, eventually

STACK = """
secrets: {key: {env: KEY}}
services:
  web:
    type: process
    command: python3 -c "import http.server,os;
      http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])),
      http.server.SimpleHTTPRequestHandler).serve_forever()"
    env: {PORT: "${web.port}"}
    ports: {http: {port: auto, scheme: http}}
    health_check: {http: "${web.url}/"}
  db: {type: process, command: sleep 1000}
tasks:
  seed: {type: process, command: "echo '{\\"n\\": 5}'", outputs: [n]}
workflows:
  deploy:
    description: Bring it out.
    parameters:
      names: {type: list, default: [a, b], description: who}
      fast: {type: boolean, default: false}
    timeout: 60s
    steps:
      - {name: up, start: [web], compensate: [{stop: web}]}
      - {name: seeded, task: seed}
      - name: call
        http: {url: "${web.url}/harness.yaml", headers: {Authorization: "Bearer ${secrets.key}"}}
      - name: each
        for_each:
          items: params.names
          max: 2
          steps:
            - name: say
              exec: {service: web, command: 'echo "{\\"v\\": \\"${item}\\"}"'}
      - wait: {until: services.web.ready && tasks.seed.completed, timeout: 20s}
      - if: params.fast
        then: [{exec: {service: web, command: "touch fast"}}]
        else:
          - exec:
              service: web
              command:
                - sh
                - -c
                - echo $0 > slow
                - "${steps.each.outputs.results.map(r, r.say.outputs.json.v)}"
    finally: [{exec: {service: web, command: touch ended}}]
  fails:
    steps:
      - {name: up, start: [db], compensate: [{stop: db}]}
      - {name: odd, start: [web], compensate: [{exec: {service: web, command: "false"}}]}
      - name: boom
        exec: {service: db, command: [sh, -c, "echo x >> tries; echo oops >&2; exit 3"]}
        retry: {attempts: 2, delay: 10ms}
  long:
    steps:
      - {name: up, start: [db], compensate: [{stop: db}]}
      - {name: pause, exec: {service: db, command: sleep 1000}}
  late:
    timeout: 300ms
    steps: [{start: [db]}, {sleep: 1000}]
"""


@pytest.fixture
def stack(case: HarnessCase) -> HarnessCase:
    """Have a stack file with workflows; nothing runs."""
    case.env["KEY"] = "verysecret"
    case.write(STACK)
    return case


def runs(case: HarnessCase) -> list[dict[str, object]]:
    return list(json.loads(case.ok("workflow", "runs", "--json")))


def test_a_workflow_is_described_looked_at_and_run(stack: HarnessCase) -> None:
    listed = stack.ok("workflow", "list").splitlines()
    assert listed[1].split(maxsplit=3) == ["deploy", "names,", "fast", "Bring it out."]
    described = stack.ok("workflow", "info", "deploy")
    assert '--names    list of any JSON value  ["a", "b"]  who' in described
    assert re.search(r"^  1\. up +start web$", described, re.MULTILINE)
    assert described.endswith("\nfinally\n  1.  exec web -- touch ended\n\nlimit     1m 00s\n")
    planned = stack.ok("workflow", "run", "deploy", "--dry-run", "--names", "x")
    assert re.search(r"^up +start web +-$", planned, re.MULTILINE)
    assert "for each item of params.names, at most 2 at once" in planned
    assert "if up is to be undone" in planned
    assert not Path(stack.directory, "ended").exists()
    done = stack("workflow", "run", "deploy", "--names", "x", "--names", "y")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("deploy: done in ")
    assert "each[1]/say: done" in done.stderr.splitlines()
    assert stack.lines("slow") == ['["x","y"]']
    assert Path(stack.directory, "ended").exists()
    fast = stack.ok("workflow", "run", "deploy", "--fast", "--json").splitlines()
    assert Path(stack.directory, "fast").exists()
    events = [json.loads(line) for line in fast]
    assert events[0]["event"] == "workflow-started"
    run = events[-1]["run"]
    assert (run["state"], run["parameters"]["fast"]) == ("done", True)
    assert "verysecret" not in "".join(fast)
    shown = stack.ok("workflow", "show", run["id"])
    assert "each[0]/say" in shown
    for file in stack.state_dir.glob("state.db*"):
        assert b"verysecret" not in file.read_bytes()


def test_parameters_that_are_missing_are_named_as_options(case: HarnessCase) -> None:
    case.write(
        "workflows:\n"
        "  greet:\n"
        "    parameters:\n"
        "      who: {type: path, description: directory of whom}\n"
        "      wait: {type: integer, description: so long}\n"
        "      all: {type: list}\n"
        "    steps: [{set: {x: 'hello ${params.who}'}}]\n"
    )
    missing = 'missing: --who PATH (directory of whom), {"wait": …} (so long), --all VALUE'
    refused = case("workflow", "run", "greet")
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[0] == f"harness: cannot run workflow greet: {missing}"
    wrong = case("workflow", "run", "greet", '{"wait": "x", "al": []}', "--no-wait").stderr
    assert 'missing: --who PATH (directory of whom), --all VALUE; {"wait": …}: input' in wrong
    assert "; al: unknown parameter" in wrong
    planned = case("workflow", "run", "greet", "--dry-run")
    assert planned.returncode == 2
    assert planned.stderr.splitlines() == [missing]
    assert "hello ${params.who}" in planned.stdout
    assert case("workflow", "run", "greet", "--dry-run", "--json").returncode == 2
    given = case("workflow", "run", "greet", "--dry-run", '{"who": "x", "wait": 1, "all": []}')
    assert (given.returncode, given.stderr) == (0, "")


def test_a_failed_run_exits_with_1_and_says_what_it_undid(stack: HarnessCase) -> None:
    failed = stack("workflow", "run", "fails")
    assert failed.returncode == 1
    end = failed.stderr[failed.stderr.index("harness: ") :].splitlines()
    assert 'step "boom" failed: cannot run `sh -c ' in end[0]
    assert end[0].endswith("exit status 3: oops")
    assert end[1:3] == ["compensated: up", "could not be compensated: odd"]
    assert stack.lines("tries") == ["x", "x"]
    assert stack.unit("db")["state"] == "stopped"
    shown = stack.ok("workflow", "show", str(runs(stack)[-1]["id"]))
    assert "undoes up" in shown
    assert stack("workflow", "run", "fials").returncode == 4
    assert stack("workflow", "run", "deploy", "--nmes", "x").returncode == 2
    assert stack("workflow", "show", "nope").returncode == 4


def test_why_a_step_failed_is_on_the_screen_once(stack: HarnessCase) -> None:
    stack.write(
        "services: {db: {type: process, command: sleep 1000}}\n"
        "workflows:\n"
        "  fails:\n"
        "    steps:\n"
        "      - {start: db}\n"
        "      - name: again\n"
        "        retry: {attempts: 2, delay: 10ms}\n"
        "        sequence:\n"
        "          - {exec: {service: db, command: \"sh -c 'echo oops; exit 3'\"}}\n"
        "    finally: [{exec: {service: db, command: \"sh -c 'echo left; exit 4'\"}}]\n"
        "  undone:\n"
        "    steps: [{exec: {service: db, command: 'true'}}]\n"
        "  late:\n"
        "    steps: [{wait: {service: db, timeout: 10s}}]\n"
    )
    failed = stack("workflow", "run", "fails").stderr
    end = failed[failed.index("harness: ") :]
    before = failed.removesuffix(end).splitlines()
    assert "again/1-exec: failed" in before
    assert before[-1] == "finally/1-exec: failed"
    # The first attempt's reason is said before the second one begins.
    assert [line for line in before if "oops" in line or "left" in line] == [
        "again/1-exec: cannot run `sh -c 'echo oops; exit 3'`: exit status 3: oops"
    ]
    assert (end.count("status 3: oops"), end.count("status 4: left")) == (1, 1)
    stack.ok("stop", "db")
    (message, hint) = stack("workflow", "run", "undone").stderr.splitlines()[-2:]
    assert message.startswith('harness: cannot finish workflow "undone": step "1-exec" failed: ')
    assert hint.startswith("hint: harness start db; `harness workflow show ")
    run = str(runs(stack)[-1]["id"])
    assert stack.ok("workflow", "show", run).splitlines()[2] == "hint: harness start db"
    assert stack("workflow", "run", "late").returncode == 1
    told = "cannot wait any longer, it will not happen: db is stopped"
    assert told in stack.ok("workflow", "show", str(runs(stack)[-1]["id"])).splitlines()[-1]


def test_a_run_that_takes_longer_than_it_may_exits_with_124(stack: HarnessCase) -> None:
    late = stack("workflow", "run", "late")
    assert late.returncode == 124, late.stderr
    assert "the workflow took longer than 0.3 s" in late.stderr
    told = stack("workflow", "run", "late", "--json").stderr.splitlines()[-1]
    assert json.loads(told)["error"]["kind"] == "workflow-timeout"


def test_runs_go_with_their_project(stack: HarnessCase) -> None:
    stack("workflow", "run", "fails")
    run = str(runs(stack)[-1]["id"])
    stack.ok("down", "--volumes")
    assert stack("workflow", "show", run).returncode == 4
    stack.ok("up", "-q", "db")
    assert runs(stack) == []


def test_an_interrupt_cancels_and_undoes(stack: HarnessCase) -> None:
    stack.ok("daemon", "start")
    with stack.begun("workflow", "run", "long") as process:
        eventually(lambda: bool(stack.processes("db")), within_s=30)
        _until_paused(stack)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "long was cancelled; compensated: up" in stderr.decode()
    assert stack.unit("db")["state"] == "stopped"


def test_a_killed_daemon_leaves_an_interrupted_run(stack: HarnessCase) -> None:
    run = stack.ok("workflow", "run", "long", "--no-wait").strip()
    _until_paused(stack)
    stack.kill_daemon()
    (found,) = runs(stack)
    assert (found["id"], found["state"]) == (run, "interrupted")
    assert found["error"]["step"] == "pause"  # type: ignore[index] # a map
    assert 'the daemon ended in step "pause"' in stack.ok("workflow", "show", run)


def _until_paused(case: HarnessCase) -> None:
    def paused() -> bool:
        run = json.loads(case.ok("workflow", "show", str(runs(case)[-1]["id"]), "--json"))
        return bool(run["trace"][-1]["path"] == "pause")

    eventually(paused, within_s=30)


def test_what_actions_tell_is_shown_under_their_steps(case: HarnessCase) -> None:
    case.env["HARNESS_PLUGINS"] = "tests.toy_plugin"
    case.env["PYTHONPATH"] = str(Path(__file__).parents[2])
    case.write(
        """
services:
  toy:
    type: process
    service_type: toy
    command: [sh, -c, "echo first; until [ -e go ]; do sleep 0.02; done; echo second; sleep 1000"]
workflows:
  count:
    steps:
      - {name: first, action: {name: toy.count, parameters: {times: 2}}}
      - for_each: {items: [1, 2], steps: [{name: again, action: toy.count}]}
  listen: {steps: [{name: heard, action: toy.listen}]}
"""
    )
    case.ok("up", "-q")
    done = case("workflow", "run", "count")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    begun = lines.index("first: action")
    assert lines[begun : begun + 4] == [
        "first: action",
        "first: counted value=1",
        "first: counted value=2",
        "first: done",
    ]
    assert [line for line in lines if "again: counted" in line] == [
        "2-for_each[0]/again: counted value=3",
        "2-for_each[1]/again: counted value=4",
    ]
    assert "counted" not in case("-q", "workflow", "run", "count").stderr
    printed = case.ok("--json", "workflow", "run", "count")
    events = [json.loads(line) for line in printed.splitlines()]
    told = [event for event in events if event.get("event") == "action-event"]
    assert [event["step"] for event in told] == [
        "first", "first", "2-for_each[0]/again", "2-for_each[1]/again",
    ]  # fmt: skip
    assert {event["name"] for event in told} == {"counted"}
    assert events[-1]["run"]["state"] == "done"
    # It is shown as it happens: the step goes on only when it has been seen.
    with case.begun("workflow", "run", "listen") as process:
        assert process.stderr is not None
        assert b"heard: heard\n" in iter(process.stderr.readline, b"")
        Path(case.directory, "go").touch()
        assert process.wait(timeout=30) == 0
    # What is told outside of a run is not a run's.
    case.ok("action", "run", "toy.count")
    direct, *_ = (event["data"] for event in reversed(case.events("action-event")))
    assert "run" not in direct
