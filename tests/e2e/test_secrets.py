"""Secrets are planted everywhere, and looked for in all that is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .harness_case import HarnessCase

_PLUGIN = '''
from harness.actions import ActionSet, Service, ServiceType, action
from harness.errors import ActionError
from harness.plugins import hookimpl
import logging, os, sys


class Leaky(ServiceType):
    """Tells what it knows."""

    name = "leaky"

    @action()
    async def on_purpose(self) -> str:
        """Raise."""
        raise ActionError(f"it was {_all()}", hint=_all(), details={"what": [_all()]})

    @action()
    async def by_accident(self) -> str:
        """Raise, having said so."""
        print("printed", _all(), file=sys.stderr)
        logging.getLogger("leaky").warning("logged %s", _all())
        raise ValueError(_all())

    @action()
    async def result(self) -> dict[str, str]:
        """Return."""
        return {"all": _all()}


def _all():
    with open(os.environ["HARNESS_PLANTED"]) as file:
        return file.read()


@hookimpl
def harness_service_types():
    return [Leaky]
'''

_STACK = """
secrets:
  env: {env: PLANTED}
  file: {file: planted.txt}
  command: {command: [cat, vault.txt]}
services:
  good:
    type: process
    service_type: leaky
    command: [sleep, "1000"]
    env: {A: "${secrets.env}", B: "${secrets.file}", C: "x${secrets.command}y"}
    hooks:
      post_start: ["echo \\"$A\\"; echo \\"$B\\"; echo \\"$C\\""]
    health_check: {command: ["sh", "-c", "echo \\"$A $B $C\\""]}
  bad-hook:
    type: process
    command: [sleep, "1000"]
    hooks: {pre_start: ["echo ${secrets.env} '${secrets.file}' >&2; exit 1"]}
    env: {C: "${secrets.command}"}
  bad-check:
    type: process
    command: [sleep, "1000"]
    env: {A: "${secrets.env}", B: "${secrets.file}", C: "${secrets.command}"}
    health_check:
      command: ["sh", "-c", "echo \\"$A $B $C\\"; exit 1"]
      interval: 100ms
      retries: 1
    startup_timeout: 2s
  bad-program:
    type: process
    command: ["${secrets.command}", "${secrets.env}"]
  bad-exit:
    type: process
    command: [sh, -c, "echo \\"$A\\"; echo \\"$B\\"; echo \\"$C\\"; exit 3"]
    env: {A: "${secrets.env}", B: "${secrets.file}", C: "${secrets.command}"}
    restart: "no"
"""

_PARTS = ("env-GEHEIM", "file-GEHEIM", "second-GEHEIM", "command-GEHEIM", "key-GEHEIM")


@pytest.mark.timeout(120)
def test_planted_secrets_are_shown_nowhere(case: HarnessCase) -> None:
    everything = case.directory / "everything.txt"
    case.env["PLANTED"] = "env-GEHEIM"
    (case.directory / "planted.txt").write_text("file-GEHEIM\nsecond-GEHEIM line\n")
    (case.directory / "vault.txt").write_text("command-GEHEIM\n  key-GEHEIM\n")
    everything.write_text(
        "env-GEHEIM, file-GEHEIM\nsecond-GEHEIM line, command-GEHEIM\n  key-GEHEIM"
    )
    (case.directory / "leaky_plugin.py").write_text(_PLUGIN)
    case.env["HARNESS_PLUGINS"] = "leaky_plugin"
    case.env["HARNESS_PLANTED"] = str(everything)
    case.env["PYTHONPATH"] = str(case.directory)
    case.write(_STACK)
    shown = {"up": str(case("up", "--keep-going", "-v")), "up json": str(case("up", "--json"))}
    for name in ("good", "bad-hook", "bad-check", "bad-program", "bad-exit"):
        for command in ("inspect", "why", "health", "env"):
            shown[f"{command} {name}"] = str(case(command, name))
            shown[f"{command} {name} json"] = str(case(command, name, "--json"))
    for action in ("on-purpose", "by-accident", "result"):
        listed = case.ok("action", "list")
        assert "good." in listed, case.ok("plugin", "list", "--json")
        name = next(word for word in listed.split() if word.replace("_", "-") == f"good.{action}")
        shown[action] = str(case("action", "run", name))
        shown[f"{action} json"] = str(case("action", "run", name, "--json"))
    shown["exec"] = str(case("exec", "good", "--", "no-such-program", "env-GEHEIM"))
    for line in ("status", "events --since 0", "config show", "plan", "daemon logs"):
        shown[line] = str(case(*line.split()))
    for line in (
        "status",
        "events --since 0",
        "plan",
        "registry list",
        "daemon audit",
        "task list",
    ):
        shown[f"{line} json"] = str(case(*line.split(), "--json"))
    assert "********" in shown["env good"]
    found = {name: part for name, text in shown.items() for part in _PARTS if part in text}
    found.pop("exec", None)  # it says what its own caller has typed
    assert found == {}
    assert "it was ********" in shown["on-purpose"]
    log = case.ok("daemon", "logs")
    assert all(word in log for word in ("ValueError", "printed ", "logged "))
    kept = [case.state_dir / "daemon.log", case.state_dir / "audit.log"]
    assert [(path.name, p) for path in kept for p in _PARTS if p in path.read_text()] == []
    assert json.loads((case.state_dir / "audit.log").read_text().splitlines()[0])
    assert _stored(case.state_dir) == []


def _stored(directory: Path) -> list[str]:
    """Return what of the secrets is in the daemon's database."""
    data = b"".join(path.read_bytes() for path in directory.glob("state.db*"))
    return [part for part in _PARTS if part.encode() in data]
