"""Tokens, contexts, certificates, where to listen, and the audit log."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import click
import pytest

from harness.access import AuditEntry, AuditLog, Role
from harness.cli.listening import Address, _Listen
from harness.cli.program import Program
from harness.cli.roles import ROLES
from harness.clock import SystemClock
from harness.errors import TokenNotFound

TOKEN = {
    "name": "ci",
    "role": "operator",
    "created_at": "2026-01-31T12:00:00+00:00",
    "expires_at": "2126-01-31T12:00:00+00:00",
    "expired": False,
}
STATUS = {
    "version": "1",
    "pid": 1,
    "uptime_s": 1.0,
    "rss_bytes": 1,
    "endpoint": "unix:/x",
    "remote": None,
    "state_dir": "/x",
    "projects": [],
}


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a configuration of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("HARNESS_CONTEXT", raising=False)
    return tmp_path / "config"


def test_a_token_is_the_only_thing_on_stdout(cli: Any) -> None:
    cli.client.answers["tokens.create"] = {**TOKEN, "token": "hnt_1_secret"}
    result = cli("token", "create", "ci", "--role", "operator", "--expires", "30d")
    assert result.stdout == "hnt_1_secret\n"
    assert "shown this once" in result.stderr
    (call,) = cli.client.calls_of("tokens.create")
    assert call == {"name": "ci", "role": "operator", "lifetime_s": 30 * 86_400}


def test_a_role_has_to_be_said(cli: Any) -> None:
    assert cli("token", "create", "ci").exit_code == 2
    assert cli("token", "create", "ci", "--role", "king").exit_code == 2


def test_the_roles_to_choose_from_are_those_that_there_are() -> None:
    assert list(ROLES) == [*Role]


def test_tokens_are_listed_with_their_end(cli: Any) -> None:
    cli.client.answers["tokens.list"] = [TOKEN, {**TOKEN, "name": "old", "expired": True}]
    first, second = cli("token", "list").stdout.splitlines()[1:]
    assert first.split()[:2] == ["ci", "operator"]
    assert second.endswith("(expired)")
    cli.client.answers["tokens.list"] = []
    assert "there is no token" in cli("token", "list").stderr


def test_a_token_that_is_not_there_has_the_code_for_that(cli: Any) -> None:
    cli.client.answers["tokens.revoke"] = TokenNotFound('cannot find the token "x"')
    assert cli("token", "revoke", "x").exit_code == 4


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
        ("build.example:7443", Address("build.example", 7443)),
        ("[::1]:7443", Address("::1", 7443)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, address: Address) -> None:
    assert _Listen().convert(text, None, None) == address


@pytest.mark.parametrize("text", ["", "7443", "a:", ":1", "a:70000", "::1:7443", "[]:1", "a:x"])
def test_other_texts_are_no_address(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no address"):
        _Listen().convert(text, None, None)


def test_start_has_a_daemon_listen_or_not(cli: Any) -> None:
    url = "wss://127.0.0.1:7443"
    cli.client.answers["daemon.listen"] = {}
    cli.client.answers["daemon.status"] = {**STATUS, "remote": {"url": url, "problem": None}}
    assert f"remote     {url}" in cli("daemon", "start", "--listen", "127.0.0.1:7443").stdout
    cli("daemon", "start", "--no-listen")
    assert cli.client.calls_of("daemon.listen") == [
        {"host": "127.0.0.1", "port": 7443},
        {"host": None},
    ]
    both = cli("daemon", "start", "--listen", "a:1", "--no-listen")
    assert both.exit_code == 2


def add(cli: Any, name: str = "far", *more: str) -> Any:
    return cli("context", "add", name, "wss://far:1", "--token-file", "t", *more)


def test_contexts_are_added_listed_shown_used_and_removed(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "t").write_text("geheim")
    assert add(cli).exit_code == 0
    document = json.loads(cli("context", "list", "--json").stdout)
    assert [row["name"] for row in document] == ["local", "far"]
    assert document[0]["in_use"]
    shown = cli("context", "show", "far").stdout
    assert f"token file  {tmp_path}/t" in shown
    assert "geheim" not in shown
    assert cli("context", "use", "far").exit_code == 0
    assert "far    yes" in cli("context", "list").stdout
    assert cli("context", "remove", "far").exit_code == 0
    assert cli("context", "show", "far").exit_code == 4


def test_a_context_needs_one_way_to_log_in(cli: Any) -> None:
    assert cli("context", "add", "a", "wss://a:1").exit_code == 2
    assert add(cli, "a", "--cert", "c").exit_code == 2
    assert add(cli, "a", "--key", "k").exit_code == 2
    assert cli("context", "add", "a", "ws://a:1", "--cert", "c").exit_code == 2


@pytest.mark.parametrize(
    "command",
    [
        "up", "plan", "graph", "task run x", "daemon logs", "daemon start", "daemon restart",
        "daemon run", "daemon audit", "daemon certs show", "doctor",
    ],
)  # fmt: skip
def test_what_is_of_the_daemons_machine_is_refused_through_a_context(
    cli: Any, command: str
) -> None:
    add(cli)
    cli.client.answers["projects.list"] = [{"name": "shop"}]
    result = cli("--context", "far", *command.split())
    assert result.exit_code == 2, result.output
    assert 'cannot do this through the context "far"' in result.stderr
    assert cli.client.calls == []


def test_a_project_has_to_be_named_through_a_context(cli: Any) -> None:
    add(cli)
    cli.client.answers["projects.list"] = [{"name": "shop"}, {"name": "zoo"}]
    result = cli("--context", "far", "down")
    assert result.exit_code == 2
    assert "name it with -p: shop, zoo" in result.stderr


def test_two_daemons_cannot_be_asked_at_once(cli: Any) -> None:
    add(cli)
    result = cli("--context", "far", "--state-dir", "elsewhere", "status")
    assert (result.exit_code, "name two daemons" in result.stderr) == (2, True)


SHOP = Program(name="shop", prefix="SHOP", state_dir="/of/the/shop")


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("--context", "far"), {}),
        (("--context", "far"), {"SHOP_STATE_DIR": "/elsewhere"}),
        ((), {"SHOP_CONTEXT": "far"}),
    ],
)
def test_the_command_of_a_domain_asks_the_daemon_of_a_context(
    cli: Any, words: tuple[str, ...], env: dict[str, str]
) -> None:
    add(cli)
    cli.program = SHOP
    shown = cli(*words, "context", "show", "--json", env=env)
    assert json.loads(shown.stdout)["name"] == "far"


def test_the_command_of_a_domain_uses_a_context_unless_a_directory_is_said(cli: Any) -> None:
    add(cli)
    cli.program = SHOP
    assert cli("context", "use", "far").exit_code == 0
    shown = [
        cli("context", "show", "--json"),
        cli("--state-dir", "/elsewhere", "context", "show", "--json"),
        cli("context", "show", "--json", env={"SHOP_STATE_DIR": "/elsewhere"}),
    ]
    assert [json.loads(found.stdout)["name"] for found in shown] == ["far", "local", "local"]
    both = cli("--state-dir", "/elsewhere", "--context", "far", "status")
    assert (both.exit_code, "name two daemons" in both.stderr) == (2, True)


def test_hints_repeat_the_context_unless_they_are_for_another_machine(cli: Any) -> None:
    add(cli)
    cli.client.answers["tokens.list"] = []
    note = cli("--context", "far", "token", "list").stderr
    assert "harness --context far token create" in note


def test_certificates_are_shown_issued_and_rotated(cli: Any, tmp_path: Path) -> None:
    cli.client.answers["daemon.status"] = STATUS
    assert "there are none" in cli("daemon", "certs", "show").stderr
    ca = cli("daemon", "certs", "show", "--ca").stdout
    assert ca.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE KEY" not in ca
    issued = cli("daemon", "certs", "issue", "ci", "--role", "viewer", "--days", "0.5")
    assert issued.stdout == "ci.pem\n"
    assert stat.S_IMODE((tmp_path / "ci.pem").stat().st_mode) == 0o600
    again = cli("daemon", "certs", "issue", "ci", "--role", "viewer")
    assert (again.exit_code, "file exists" in again.stderr) == (1, True)
    before = json.loads(cli("daemon", "certs", "show", "--json").stdout)
    assert cli("daemon", "certs", "rotate").exit_code == 0
    rotated = json.loads(cli("daemon", "certs", "show", "--json").stdout)
    assert rotated["authority"] == before["authority"]
    assert cli("daemon", "certs", "rotate", "--ca").exit_code == 0
    assert cli("daemon", "certs", "show", "--ca").stdout != ca


def test_the_audit_log_is_shown_without_a_daemon(cli: Any, tmp_path: Path) -> None:
    assert "nothing was changed yet" in cli("daemon", "audit").stderr
    (tmp_path / "state").mkdir()
    log = AuditLog(tmp_path / "state" / "audit.log", SystemClock())
    log.write(AuditEntry(what="login", result="unauthenticated", address="10.0.0.1:5"))
    log.write(AuditEntry(what="services.stop", result="ok", params={"project": "shop"}))
    lines = cli("daemon", "audit").stdout.splitlines()
    assert lines[1].split()[3:6] == ["10.0.0.1:5", "login", "unauthenticated"]
    assert lines[2].endswith("project=shop")
    (last,) = cli("daemon", "audit", "--json", "--tail", "1").stdout.splitlines()
    assert json.loads(last)["what"] == "services.stop"
    assert cli.client.calls == []
