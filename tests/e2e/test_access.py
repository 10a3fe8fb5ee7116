"""Another machine's user, as far as one machine can play both."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from .harness_case import HarnessCase, eventually

_STACK = """
services:
  web:
    type: process
    command: [sleep, "1000"]
"""


class Elsewhere:
    """A user of another machine: other configuration, no state directory."""

    def __init__(self, case: HarnessCase) -> None:
        self.case = case
        case.env["XDG_CONFIG_HOME"] = str(case.directory / "config")

    def begin(self, *, role: str = "admin", host: str = "127.0.0.1") -> str:
        """Have the daemon listen, and a token in a file; return the address."""
        status = json.loads(self.case.ok("daemon", "start", "--listen", f"{host}:0", "--json"))
        self.write("token", self.case.ok("token", "create", "me", "--role", role))
        self.write("ca.pem", self.case.ok("daemon", "certs", "show", "--ca"))
        url: str = status["remote"]["url"]
        self.case.ok("context", "add", "far", url, "--token-file", "token", "--ca", "ca.pem")
        return url

    def write(self, name: str, text: str) -> Path:
        path = self.case.directory / name
        path.write_text(text)
        return path

    def __call__(self, *arguments: str) -> Any:
        return self.case("--context", "far", *arguments)

    def ok(self, *arguments: str) -> str:
        return self.case.ok("--context", "far", *arguments)


@pytest.fixture
def far(case: HarnessCase) -> Elsewhere:
    return Elsewhere(case)


def test_commands_work_through_a_context(case, far):
    far.begin()
    case.write(_STACK)
    case.ok("up")
    project = ("-p", case.project)
    far.ok("restart", "web", *project)
    document = json.loads(far.ok("status", "--json", *project))
    assert [unit["state"] for unit in document["services"]] == ["running"]
    assert far.ok("exec", *project, "web", "--", "echo", "hello") == "hello\n"
    assert "unit-state-changed" in far.ok("events", "--since", "0", "--json", *project)
    far.ok("stop", *project)
    assert far("status", *project).returncode == 3
    assert far.ok("registry", "list", "--json")


def test_what_needs_the_daemons_machine_says_so(case, far):
    far.begin()
    case.write(_STACK)
    for command in ("up", "plan", "graph", "daemon logs", "daemon restart", "daemon certs show"):
        done = far(*command.split())
        assert done.returncode == 2, command
        assert 'cannot do this through the context "far"' in done.stderr, command
    done = far("status")
    assert done.returncode == 2
    assert "cannot tell which project" in done.stderr
    assert case.status()["web"]["state"] == "stopped"


def test_the_environment_and_use_choose_a_context_too(case, far):
    far.begin()
    case.env["HARNESS_CONTEXT"] = "far"
    assert case("up").returncode == 2
    assert json.loads(case.ok("--context", "local", "daemon", "status", "--json"))
    del case.env["HARNESS_CONTEXT"]
    case.ok("context", "use", "far")
    state = case.env.pop("HARNESS_STATE_DIR")
    assert case("daemon", "logs").returncode == 2
    assert json.loads(case.ok("daemon", "status", "--json"))["state_dir"] == state
    case.ok("context", "remove", "far")
    done = case("--context", "fra", "status")
    assert (done.returncode, "cannot find the context" in done.stderr) == (4, True)
    case.env["HARNESS_STATE_DIR"] = state


def test_the_next_daemon_listens_again_until_told_not_to(case, far):
    url = far.begin()
    assert case.kill_daemon()
    case.ok("daemon", "start")
    assert json.loads(far.ok("daemon", "status", "--json"))["remote"]["url"] == url
    case.ok("daemon", "restart")
    far.ok("daemon", "status")
    case.ok("daemon", "start", "--no-listen")
    assert far("daemon", "status").returncode == 5
    case.ok("daemon", "restart")
    assert json.loads(case.ok("daemon", "status", "--json"))["remote"] is None


def test_a_taken_port_is_a_clear_error_and_later_a_known_problem(case, far):
    url = far.begin()
    address = url.removeprefix("wss://")
    case.ok("daemon", "stop")
    other = HarnessCase(case.directory, state_dir=case.directory / "other")
    with other:
        other.ok("daemon", "start", "--listen", address)
        done = case("daemon", "start", "--listen", address)
        assert done.returncode == 1
        assert "another program listens there" in done.stderr
        status = json.loads(case.ok("daemon", "status", "--json"))
        assert status["remote"]["url"] is None
        assert "another program listens there" in status["remote"]["problem"]
        other.ok("daemon", "stop")


def test_follow_goes_on_with_the_next_daemon(case, far):
    far.begin()
    follow = ("events", "-f", "--since", "0", "--all-projects", "--json")
    with case.begun("--context", "far", *follow) as following:
        assert following.stdout is not None
        # Now it follows; that it is connected would not say so.
        first = json.loads(following.stdout.readline())["data"]["pid"]
        case.kill_daemon()
        case.ok("daemon", "start")
        event = json.loads(following.stdout.readline())
        following.kill()
    assert event["kind"] == "daemon-started"
    assert event["data"]["pid"] != first


def _wait_for_client(case: HarnessCase) -> None:
    """Return once somebody else is connected beside the one who asks."""
    eventually(lambda: json.loads(case.ok("daemon", "status", "--json"))["connections"] == 2)


def test_a_revoked_token_ends_what_it_runs(case, far):
    far.begin()
    with case.begun("--context", "far", "events", "-f", "--all-projects", "--json") as following:
        _wait_for_client(case)
        case.ok("token", "revoke", "me")
        _, stderr = following.communicate(timeout=30)
    assert following.returncode == 7
    assert b"the token is not known" in stderr
    assert far("daemon", "status").returncode == 7


def test_a_viewer_changes_nothing_and_the_log_says_who_tried(case, far):
    far.begin(role="viewer")
    case.write(_STACK)
    case.ok("up")
    done = far("stop", "-p", case.project, "--json")
    assert done.returncode == 7
    assert json.loads(done.stderr)["error"]["kind"] == "permission-denied"
    assert far("env", "web", "--reveal", "-p", case.project).returncode == 7
    far.ok("env", "web", "-p", case.project)
    entries = [json.loads(line) for line in case.ok("daemon", "audit", "--json").splitlines()]
    tried = [(e["who"], e["what"], e["result"]) for e in entries if e["who"] == "me"]
    assert tried == [
        ("me", "services.stop", "permission-denied"),
        ("me", "services.env", "permission-denied"),
    ]
    assert "up" in " ".join(entry["what"] for entry in entries if entry["result"] == "ok")


def test_a_client_certificate_is_written_private_and_lets_in(case, far):
    url = far.begin()
    case.ok("daemon", "certs", "issue", "ci", "--role", "viewer", "--out", "ci.pem")
    assert stat.S_IMODE((case.directory / "ci.pem").stat().st_mode) == 0o600
    assert case("daemon", "certs", "issue", "ci", "--role", "viewer", "--out", "ci.pem").returncode
    case.ok("context", "add", "cert", url, "--cert", "ci.pem", "--ca", "ca.pem")
    case.ok("--context", "cert", "daemon", "status")
    case.ok("daemon", "certs", "rotate")
    case.ok("--context", "cert", "daemon", "status")
    case.ok("daemon", "certs", "rotate", "--ca")
    done = case("--context", "cert", "daemon", "status")
    assert done.returncode == 7
    assert "not from the authority" in done.stderr
    far.write("ca.pem", case.ok("daemon", "certs", "show", "--ca"))
    done = case("--context", "cert", "daemon", "status")
    assert done.returncode == 7
    assert "refused this client's certificate" in done.stderr
    far.ok("daemon", "status")


def test_files_that_let_in_and_that_others_may_read_are_named(case, far):
    far.begin()
    (case.directory / "token").chmod(0o644)
    assert f"note: others may read {case.directory}/token" in far("daemon", "status").stderr
    (case.directory / "token").chmod(0o600)
    assert far("daemon", "status").stderr == ""


def test_a_client_certificate_is_revoked(case, far):
    url = far.begin()
    case.ok("daemon", "certs", "issue", "ci", "--role", "viewer", "--out", "ci.pem")
    case.ok("context", "add", "cert", url, "--cert", "ci.pem", "--ca", "ca.pem")
    follow = ("--context", "cert", "events", "-f", "--all-projects", "--json")
    with case.begun(*follow) as following:
        _wait_for_client(case)
        assert case("daemon", "certs", "revoke", "cu").returncode == 4
        case.ok("daemon", "certs", "revoke", "ci")
        _, stderr = following.communicate(timeout=30)
    assert (following.returncode, b"it was revoked" in stderr) == (7, True)
    assert case.kill_daemon()
    case.ok("daemon", "start")
    done = case("--context", "cert", "daemon", "status")
    assert (done.returncode, "it was revoked" in done.stderr) == (7, True)
    far.ok("daemon", "status")


def test_a_state_directory_where_everybody_may_write_is_refused(case):
    case.state_dir.mkdir()
    case.state_dir.chmod(0o777)
    done = case("daemon", "start")
    assert done.returncode != 0
    assert "everybody may write there" in done.stderr
    case.state_dir.chmod(0o755)
    case.ok("daemon", "start")


def test_a_token_is_shown_nowhere_but_where_it_was_made(case, far):
    far.begin()
    case.write(_STACK)
    case.ok("up")
    token = (case.directory / "token").read_text().strip()
    secret = token.rpartition("_")[2]
    shown = [
        case.ok("token", "list", "--json"),
        case.ok("context", "show", "far", "--json"),
        case.ok("context", "list", "--json"),
        far.ok("daemon", "status", "--json"),
        case.ok("daemon", "audit", "--json"),
        case.ok("daemon", "logs"),
        case.ok("events", "--all-projects", "--since", "0", "--json"),
        str(far("-vv", "stop", "-p", "nothing")),
    ]
    assert not [text for text in shown if secret in text]
    kept = [path for path in case.directory.rglob("*") if path.is_file() and path.name != "token"]
    assert not [path for path in kept if secret.encode() in path.read_bytes()]
    private = [path for path in kept if path.is_relative_to(case.state_dir)]
    private.append(case.directory / "config" / "graph-network-harness" / "contexts.json")
    open_ones = [path for path in private if os.stat(path).st_mode & 0o077]
    assert not [path for path in open_ones if "units" not in path.parts]
