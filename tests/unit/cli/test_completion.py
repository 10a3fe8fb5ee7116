"""What a shell is told when it completes a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from click.shell_completion import ShellComplete

from harness.cli.root import harness
from harness.cli.session import Session

STACK = """\
name: shop
services:
  db: {type: process, command: db, ports: {sql: 5432, admin: auto}, profiles: [full]}
  web: {type: process, command: web}
tasks:
  seed: {type: process, command: seed}
"""


def items(cli: Any, *words: str) -> list[Any]:
    session = Session(connector=cli.client.connect)
    shell = ShellComplete(harness, {"obj": session}, "harness", "_HARNESS_COMPLETE")
    return shell.get_completions(list(words[:-1]), words[-1])


def complete(cli: Any, *words: str) -> list[str]:
    return [item.value for item in items(cli, *words)]


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    path = tmp_path / "harness.yaml"
    path.write_text(STACK)
    return path


@pytest.fixture
def units(cli: Any, make_unit: Any) -> None:
    services = [
        make_unit("worker", endpoints={"http": {}}),
        make_unit("warm", kind="task"),
    ]
    cli.client.answers["services.status"] = {"project": "shop", "services": services}


@pytest.mark.parametrize("command", ["up", "stop", "logs", "events", "wait", "health", "restart"])
def test_names_come_from_the_file_without_a_question_to_the_daemon(
    cli: Any, stack: Any, command: str
) -> None:
    assert complete(cli, command, "") == ["db", "web", "seed"]
    assert cli.client.starts == []


@pytest.mark.parametrize("command", ["inspect", "why", "exec", "attach", "port", "env"])
def test_one_name_is_completed(cli: Any, stack: Any, command: str) -> None:
    assert complete(cli, command, "w") == ["web"]


def test_a_file_above_is_found_and_a_named_one_wins(
    cli: Any, stack: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "other.yaml").write_text("services: {other: }")
    monkeypatch.chdir(tmp_path / "deep")
    assert complete(cli, "up", "d") == ["db"]
    assert complete(cli, "-f", "../other.yaml", "up", "") == ["other"]


def test_a_name_that_stands_there_is_not_offered_again(cli: Any, stack: Any) -> None:
    assert complete(cli, "up", "db", "") == ["web", "seed"]


def test_tasks_alone_are_offered_where_tasks_are_wanted(cli: Any, stack: Any) -> None:
    for verb in ("run", "status", "reset"):
        assert complete(cli, "task", verb, "") == ["seed"]


def test_ports_of_the_named_service_are_offered(cli: Any, stack: Any, units: Any) -> None:
    assert complete(cli, "port", "db", "") == ["sql", "admin"]
    assert complete(cli, "port", "db", "a") == ["admin"]
    assert complete(cli, "port", "web", "") == []
    assert complete(cli, "-p", "other", "port", "worker", "") == ["http"]


def test_names_of_a_named_project_come_from_the_daemon(cli: Any, stack: Any, units: Any) -> None:
    assert complete(cli, "-p", "shop", "logs", "wo") == ["worker"]
    assert complete(cli, "-p", "shop", "task", "run", "") == ["warm"]
    assert cli.client.starts == [False, False]


def test_names_come_from_the_daemon_where_the_file_tells_none(
    cli: Any, stack: Any, units: Any
) -> None:
    stack.write_text("services: {half: [")
    assert complete(cli, "logs", "wo") == ["worker"]


def test_without_daemon_and_file_nothing_is_offered(cli: Any) -> None:
    cli.client.running = False
    assert complete(cli, "up", "") == []
    assert complete(cli, "-p", "") == []
    assert complete(cli, "registry", "list", "--label", "") == []


def test_options_that_contradict_each_other_offer_nothing(cli: Any) -> None:
    assert complete(cli, "--context", "far", "--state-dir", "x", "logs", "") == []


def test_a_daemon_that_takes_its_time_is_not_waited_for(cli: Any) -> None:
    async def never(**_: object) -> None:
        await anyio.sleep_forever()

    cli.client.answers["projects.list"] = never
    assert complete(cli, "status", "-p", "") == []


def test_projects_profiles_and_labels_are_offered(cli: Any, stack: Any) -> None:
    labels = {"tier": "db", "team": "core"}
    cli.client.answers |= {
        "projects.list": [{"name": "shop"}, {"name": "shop-2"}, {"name": "toy"}],
        "registry.list": [{"labels": labels}, {"labels": {"tier": "web"}}],
    }
    assert complete(cli, "status", "-p", "sh") == ["shop", "shop-2"]
    assert complete(cli, "up", "--profile", "") == ["full"]
    assert complete(cli, "registry", "list", "--label", "t") == ["tier", "team"]
    assert complete(cli, "registry", "list", "--label", "tier=") == ["tier=db", "tier=web"]


def test_workflows_of_the_file_and_those_that_the_daemon_knows_are_offered(
    cli: Any, stack: Path
) -> None:
    stack.write_text(f"{STACK}workflows: {{deploy: {{steps: []}}, drain: {{steps: []}}}}\n")
    cli.client.running = False
    for verb in ("run", "info", "runs"):
        assert complete(cli, "workflow", verb, "") == ["deploy", "drain"]
    cli.client.running = True
    cli.client.answers |= {
        "workflows.list": [{"name": "deploy"}, {"name": "dance"}],
    }
    assert complete(cli, "workflow", "run", "d") == ["deploy", "drain", "dance"]
    assert complete(cli, "-p", "shop", "workflow", "run", "d") == ["deploy", "dance"]
    assert not any(cli.client.starts)


def test_parameters_and_runs_of_workflows_are_offered(cli: Any, stack: Path) -> None:
    cli.client.answers |= {
        "workflows.info": {"parameters": {"properties": {"block_count": {}, "names": {}}}},
        "workflows.runs": [{"id": "0c1d"}, {"id": "1f2e"}],
    }
    assert complete(cli, "workflow", "run", "deploy", "--b") == ["--block-count"]
    assert complete(cli, "workflow", "show", "0") == ["0c1d"]


def test_snapshots_are_offered_where_there_are_any(cli: Any, stack: Path) -> None:
    cli.client.answers |= {
        "snapshots.list": [{"name": "seeded"}, {"name": "second"}, {"name": "bare"}],
    }
    for verb in ("restore", "remove"):
        assert complete(cli, "snapshot", verb, "se") == ["seeded", "second"]
    assert complete(cli, "snapshot", "create", "se") == []
    cli.client.running = False
    assert complete(cli, "snapshot", "restore", "") == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("wait", "--for", "s"), ["started", "stopped"]),
        (("logs", "--stream", ""), ["stdout", "stderr"]),
        (("graph", "--format", ""), ["text", "dot", "mermaid", "json"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("--color", "a"), ["auto", "always"]),
        (("sta",), ["start", "status"]),
        (("daemon", "sta"), ["start", "status"]),
    ],
)
def test_words_of_a_fixed_set_are_offered(cli: Any, words: Any, expected: list[str]) -> None:
    assert complete(cli, *words) == expected


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("-f", "x"), "file"),
        (("--state-dir", "x"), "dir"),
        (("exec", "-w", "x"), "dir"),
        (("exec", "db", "x"), "file"),
        (("exec", "db", "--", "cat", "x"), "file"),
    ],
)
def test_paths_are_left_to_the_shell(cli: Any, stack: Any, words: Any, kind: str) -> None:
    assert [(item.value, item.type) for item in items(cli, *words)] == [("x", kind)]


def test_an_argument_without_a_completion_is_one_that_cannot_have_any(commands: Any) -> None:
    plain = {
        f"{name} {parameter.human_readable_name}"
        for name, command in commands.items()
        for parameter in command.params
        if parameter.param_type_name == "argument"
        and parameter._custom_shell_complete is None
        and not hasattr(parameter.type, "choices")
    }
    assert plain == set()
