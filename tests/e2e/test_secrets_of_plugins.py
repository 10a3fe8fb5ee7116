"""Secrets that plugins and workflows say are looked for in all that is shown."""

from __future__ import annotations

import json

import pytest

from .harness_case import HarnessCase

_PLUGIN = '''
from dataclasses import dataclass
import os

from harness.actions import Call, ServiceType, TaskCall, TaskType
from harness.errors import ActionError
from harness.plugins import hookimpl
from harness.workflows import StepCall, WorkflowStep


def _all():
    with open(os.environ["HARNESS_PLANTED"]) as file:
        return file.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Told."""

    text: str


class Blab(TaskType):
    """Tells what it knows."""

    name = "blab"
    events = (Told,)

    async def execute(self, call: TaskCall, how: str, key: str = "") -> dict[str, object]:
        """Tell."""
        await call.emit(Told(text=_all()))
        await call.progress(_all())
        if how == "raise":
            raise ValueError(_all())
        if how == "fail":
            raise ActionError(_all(), hint=_all(), details={"what": [_all()]})
        return {"text": _all(), "number": 98765432}


class Nosy(ServiceType):
    """Tells what it knows when its state is taken."""

    name = "nosy"

    async def snapshot(self, call: Call, directory) -> None:
        """Fail."""
        await call.progress(_all())
        raise ValueError(_all())

    async def restore(self, call: Call, directory) -> None:
        """Fail."""
        raise ValueError(_all())


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options."""

    how: str
    key: str = ""


class Tell(WorkflowStep):
    """Tells what it knows."""

    name = "tell"
    options = Options

    async def run(self, call: StepCall) -> dict[str, object]:
        """Tell."""
        if call.options.how == "raise":
            raise ValueError(_all())
        return {"text": _all(), "number": 98765432, _all(): 1}


async def observe(transition):
    """Fail, once the secrets have been read: before that nobody knows that they are some."""
    if transition.new == "exited":
        raise ValueError(_all())


@hookimpl
def harness_transitions():
    return [observe]


@hookimpl
def harness_service_types():
    return [Nosy]


@hookimpl
def harness_task_types():
    return [Blab]


@hookimpl
def harness_workflow_steps():
    return [Tell]
'''

_STACK = """
secrets:
  env: {env: PLANTED}
  pin: {env: PIN}
  file: {file: planted.txt}
services:
  good:
    type: process
    service_type: nosy
    command: [sleep, "1000"]
    env: {A: "${secrets.env}", B: "${secrets.file}", PIN: "${secrets.pin}"}
tasks:
  says: {task_type: blab, config: {how: well, key: "${secrets.env} ${secrets.file} ${secrets.pin}"}}
  raises: {task_type: blab, config: {how: raise, key: "${secrets.env} ${secrets.file}"}}
  fails: {task_type: blab, config: {how: fail, key: "${secrets.env} ${secrets.file}"}}
  refused: {task_type: blab, config: {how: well, "x": "${secrets.env} ${secrets.file}"}}
  prints:
    type: process
    command: [sh, -c, 'printf ''{"n": %s, "s": "%s"}'' "$PIN" "$A"']
    env: {A: "${secrets.env}", PIN: "${secrets.pin}"}
    outputs: [n, s]
workflows:
  w:
    parameters: {p: {type: string, default: ""}}
    steps:
      - {name: a, uses: tell, with: {how: well, key: "${secrets.env}"}}
      - name: b
        exec: {service: good, command: [sh, -c, 'echo "{\\"n\\": $PIN, \\"$A\\": \\"$A\\"}"']}
      - {name: v, set: {x: "${steps.b.outputs.json}", y: "${secrets.file}"}}
      - {name: t, task: says}
      - name: each
        for_each:
          items: '["${secrets.env}", "x"]'
          steps: [{name: i, exec: {service: good, command: [echo, "${item}", "${params.p}"]}}]
      - name: undone
        set: {x: 1}
        compensate: [{exec: {service: good, command: [sh, -c, 'echo "$A $B"; exit 3']}}]
      - name: bad
        exec: {service: good, command: [sh, -c, 'echo "$A"; echo "$B" >&2; exit 3']}
        retry: {attempts: 2, delay: 1ms}
    finally: [{http: {url: "http://127.0.0.1:1/${secrets.env}", headers: {A: "${secrets.env}"}}}]
  plugin:
    steps: [{uses: tell, with: {how: raise, key: "${secrets.env}"}}]
  odd:
    steps: [{if: "steps", then: [{set: {a: "${secrets.env}"}}]}]
  waits:
    steps: [{wait: {until: '"${secrets.env}" == "x"', timeout: 100ms}}]
"""

_COMMANDS = (
    "snapshot create s",
    "snapshot list",
    "status",
    "events --since 0",
    "task list",
    "daemon audit",
    "plugin list",
    "lease list",
    "gc --dry-run",
)

_PARTS = ("env-GEHEIM", "file-GEHEIM", "second-GEHEIM", "98765432")


@pytest.mark.timeout(180)
def test_planted_secrets_are_not_shown_by_what_plugins_and_workflows_say(case: HarnessCase) -> None:
    case.env |= {"PLANTED": "env-GEHEIM", "PIN": "98765432"}
    (case.directory / "planted.txt").write_text("file-GEHEIM\nsecond-GEHEIM line\n")
    everything = case.directory / "everything.txt"
    everything.write_text("env-GEHEIM, file-GEHEIM\nsecond-GEHEIM line, 98765432")
    (case.directory / "nosy_plugin.py").write_text(_PLUGIN)
    case.env |= {
        "HARNESS_PLUGINS": "nosy_plugin",
        "HARNESS_PLANTED": str(everything),
        "PYTHONPATH": str(case.directory),
    }
    case.write(_STACK)
    shown = {"up": str(case("up", "--keep-going", "-v")), "up json": str(case("up", "--json"))}
    kept = [line for line in _STACK.splitlines() if "refused:" not in line]
    case.write("\n".join(kept))
    shown |= {"up 2": str(case("up", "--keep-going", "-v")), "up 2 json": str(case("up", "--json"))}
    for name in ("w", "plugin", "odd", "waits"):
        shown[f"run {name}"] = str(case("workflow", "run", name, "-v"))
        shown[f"run {name} json"] = str(case("workflow", "run", name, "--json"))
        shown[f"dry {name}"] = str(case("workflow", "run", name, "--dry-run"))
        shown[f"dry {name} json"] = str(case("workflow", "run", name, "--dry-run", "--json"))
        shown[f"info {name} json"] = str(case("workflow", "info", name, "--json"))
    for run in json.loads(case.ok("workflow", "runs", "--json")):
        shown[f"show {run['id']}"] = str(case("workflow", "show", run["id"]))
        shown[f"show {run['id']} json"] = str(case("workflow", "show", run["id"], "--json"))
    for name in ("says", "raises", "fails", "prints"):
        for command in ("task info", "inspect", "why", "task run --force"):
            shown[f"{command} {name}"] = str(case(*command.split(), name))
            shown[f"{command} {name} json"] = str(case(*command.split(), name, "--json"))
    for line in _COMMANDS:
        shown[line] = str(case(*line.split()))
        shown[f"{line} json"] = str(case(*line.split(), "--json"))
    shown["daemon logs"] = str(case("daemon", "logs"))
    shown["bundle"] = _bundle_without_output(case)
    wrong = ("no such command", "no such option")
    assert [name for name, text in shown.items() if any(w in text.lower() for w in wrong)] == []
    found = {name: [p for p in _PARTS if p in text] for name, text in shown.items()}
    assert {name: parts for name, parts in found.items() if parts} == {}
    assert "failed" in shown["plugin list json"]
    assert "cannot finish snapshot of good: ValueError: ********" in shown["snapshot create s"]
    for name in ("daemon.log", "audit.log"):
        text = (case.state_dir / name).read_text()
        assert [(name, part) for part in _PARTS if part in text] == []


def _bundle_without_output(case: HarnessCase) -> str:
    """Return a bundle but for what services have printed, which is shown as it is."""
    (project,) = (bundle := json.loads(case.ok("bundle", "--json")))["projects"]
    assert project["problems"] == []
    assert any(part in str(project.pop("logs")) for part in _PARTS)
    text = json.dumps(bundle, ensure_ascii=False)
    assert "********" in text
    return text
