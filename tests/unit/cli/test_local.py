"""Commands that need no daemon: validate, config, init, doctor."""

from __future__ import annotations

import json
import os
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DaemonUnavailable

GOOD = """\
name: shop
variables: {PORT: "8080"}
services:
  db: {type: process, command: [db]}
  web: {type: process, command: [web, "${PORT}"], depends_on: [db]}
tasks:
  seed: {type: process, command: [seed]}
"""
BAD = GOOD + "  more: {type: process, comand: [x]}\n"


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    path = tmp_path / "harness.yaml"
    path.write_text(GOOD)
    return path


def test_validate_accepts_a_good_file_without_a_daemon(cli: Any, stack: Any) -> None:
    result = cli("validate")
    assert (result.exit_code, result.stdout) == (0, "")
    assert cli.client.starts == []
    assert json.loads(cli("validate", "--json").stdout)["valid"]


def test_one_unit_is_counted_in_the_singular(cli: Any, stack: Any) -> None:
    cli.client.running = False
    stack.write_text("name: shop\nservices:\n  db: {type: process, command: [db]}\n")
    assert cli("validate").stderr == "shop: 1 unit, no problems\n"
    assert "project shop, 1 unit\n" in cli("doctor").stdout


def test_validate_prints_each_problem_with_its_place(cli: Any, stack: Any) -> None:
    stack.write_text(BAD)
    result = cli("validate")
    assert result.exit_code == 6
    (line,) = [line for line in result.stdout.splitlines() if ".comand" in line]
    assert line == ('harness.yaml:8:25: tasks.more.comand: unknown key; did you mean "command"?')
    assert result.stderr.endswith("nothing was started\n")
    document = json.loads(cli("validate", "--json").stdout)
    assert not document["valid"]
    assert document["problems"][0]["line"] == 8


def test_a_dependency_cycle_has_its_place_and_its_own_kind(cli: Any, stack: Any) -> None:
    stack.write_text(GOOD.replace("[db]}\n  web", "[db], depends_on: web}\n  web"))
    line = (
        "harness.yaml:4:50: services.db.depends_on: units wait for one another: db → web → db; "
        "remove one of these dependencies"
    )
    validated = cli("validate")
    assert (validated.exit_code, validated.stdout) == (6, f"{line}\n")
    shown = cli("config", "show")
    assert (shown.exit_code, shown.stderr.splitlines()[0]) == (6, line)
    error = json.loads(cli("config", "show", "--json").stderr)["error"]
    assert (error["kind"], error["details"]["cycle"]) == ("dependency-cycle", ["db", "web", "db"])
    cli.client.running = False
    assert "units wait for one another" in cli("doctor").stdout


def test_validate_without_a_file_says_so(cli: Any) -> None:
    result = cli("validate")
    assert result.exit_code == 6
    assert "harness.yaml" in result.stdout


def test_config_show_prints_the_resolved_stack(cli: Any, stack: Any) -> None:
    assert '"8080"' in cli("config", "show").stdout or "8080" in cli("config", "show").stdout
    assert json.loads(cli("config", "show", "--json").stdout)["name"] == "shop"


def test_config_schema_is_a_json_schema(cli: Any) -> None:
    assert "properties" in json.loads(cli("config", "schema").stdout)


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have two templates installed, of which one is broken."""
    module = tmp_path / "site" / "toy_templates.py"
    module.parent.mkdir()
    module.write_text("from pathlib import Path\nshop = Path(__file__).with_name('shop.yaml')\n")
    (module.parent / "shop.yaml").write_text("name: theirs\nservices: {}\n")
    monkeypatch.syspath_prepend(str(module.parent))
    points = EntryPoints(
        EntryPoint(name, value, "harness.templates")
        for name, value in (("shop", "toy_templates:shop"), ("broken", "toy_templates:none"))
    )
    monkeypatch.setattr("harness.cli.stack_templates.entry_points", lambda **_: points)


@pytest.mark.usefixtures("templates")
def test_init_begins_with_a_stack_that_a_plugin_brings(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("init", "--template", "shop", "--name", "mine").exit_code == 0
    assert (tmp_path / "harness.yaml").read_text() == "name: mine\nservices: {}\n"
    unknown = cli("init", "--template", "shpo", "--force")
    assert unknown.exit_code == 2
    assert 'there is no template "shpo"; known: broken, shop' in unknown.stderr
    broken = cli("init", "--template", "broken", "--force")
    assert broken.exit_code == 1
    assert 'cannot use "broken"' in broken.stderr
    assert (tmp_path / "harness.yaml").read_text().startswith("name: mine")


def test_init_writes_a_file_that_validates_and_keeps_an_existing_one(
    cli: Any, tmp_path: Path
) -> None:
    assert cli("init", "--name", "My Shop").exit_code == 0
    text = (tmp_path / "harness.yaml").read_text()
    assert "name: my-shop" in text
    assert cli("validate").exit_code == 0
    again = cli("init")
    assert again.exit_code == 1
    assert "nothing was started" not in again.stderr
    assert "it exists already" in again.stderr
    assert (tmp_path / "harness.yaml").read_text() == text
    assert cli("init", "--force").exit_code == 0


def test_doctor_needs_neither_daemon_nor_file(cli: Any) -> None:
    cli.client.running = False
    result = cli("doctor")
    assert result.exit_code == 0
    assert "none runs" in result.stdout
    assert {finding["subject"] for finding in json.loads(cli("doctor", "--json").stdout)} >= {
        "sh", "docker", "daemon", "state directory", "stack file",
    }  # fmt: skip


@pytest.mark.parametrize(("mode", "code"), [(0o755, 0), (0o775, 0), (0o777, 1)])
def test_doctor_finds_a_state_directory_open_to_others(
    cli: Any, tmp_path: Path, mode: int, code: int
) -> None:
    (tmp_path / "state").mkdir()
    os.chmod(tmp_path / "state", mode)
    cli.client.running = False
    result = cli("doctor")
    assert result.exit_code == code
    assert f"open to others (mode {mode:o}); `chmod 700 {tmp_path / 'state'}`" in result.stdout


def test_doctor_finds_a_state_directory_that_cannot_be_made(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cli.client.running = False
    result = cli("--state-dir", str(tmp_path / "file" / "state"), "doctor")
    assert result.exit_code == 1
    assert f"{tmp_path / 'file'} cannot be written to" in result.stdout


def test_doctor_finds_a_daemon_of_another_version(cli: Any) -> None:
    cli.client.answers["daemon.status"] = {"version": "0.0.1"}
    assert "version 0.0.1" in cli("doctor").stdout


def test_daemon_status_and_stop_do_not_start_one(cli: Any) -> None:
    cli.client.running = False
    assert cli("daemon", "status").exit_code == 5
    assert cli("daemon", "stop").exit_code == 0
    assert cli.client.starts == [False, False]


@pytest.mark.parametrize("error", [
    DaemonUnavailable("cannot reach the daemon at /s: Permission denied"),
    DaemonUnavailable("cannot go on: the daemon closed the connection"),
])  # fmt: skip
def test_daemon_stop_says_no_daemon_runs_only_when_none_does(
    cli: Any, error: DaemonUnavailable
) -> None:
    cli.client.answers["daemon.status"] = error
    result = cli("daemon", "stop")
    assert result.exit_code == 5
    assert str(error) in result.stderr


def test_a_daemon_log_that_cannot_be_read_is_an_error_with_a_hint(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "state" / "daemon.log").mkdir(parents=True)
    result = cli("daemon", "logs")
    assert result.exit_code == 1
    assert "cannot read the daemon's log" in result.stderr
    assert "hint: " in result.stderr


def test_daemon_logs_are_read_without_a_daemon(cli: Any, tmp_path: Path) -> None:
    assert cli("daemon", "logs").exit_code == 0
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "daemon.log").write_bytes(b"one\ntwo\nthree")
    assert cli("daemon", "logs").stdout == "one\ntwo\nthree"
    assert cli("daemon", "logs", "--tail", "2").stdout == "two\nthree"
    assert cli("daemon", "logs", "--tail", "0").stdout == ""


def test_validate_finds_what_a_type_of_service_cannot_do(cli: Any, stack: Any) -> None:
    stack.write_text(
        "name: shop\nservices:\n"
        "  db: {type: external, ports: {sql: 5432}, health_check: {command: [pg_isready]}}\n"
    )
    result = cli("validate")
    assert result.exit_code == 6
    assert result.stdout == (
        'harness.yaml: cannot plan the stack: "db" has a command check, '
        "but units of type external do not support exec\n"
    )
    document = json.loads(cli("validate", "--json").stdout)
    assert not document["valid"]
    (problem,) = document["problems"]
    assert (problem["kind"], problem["line"]) == ("plan-invalid", 0)
