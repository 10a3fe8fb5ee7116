"""How a run ends: messages, hints, documents, codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import errors
from harness.cli.exit_codes import EXIT_CODES, exit_code, exit_code_of_kind
from harness.errors import (
    ConfigSchemaError,
    Forbidden,
    HarnessError,
    OperationFailed,
    Problem,
    UnknownService,
    WaitTimeout,
)


def _all(parent: type[HarnessError] = HarnessError) -> Iterator[type[HarnessError]]:
    yield parent
    for child in parent.__subclasses__():
        if child.__module__.startswith(errors.__name__):
            yield from _all(child)


def test_every_error_class_has_a_code_of_its_own_branch() -> None:
    for kind in _all():
        if kind is not HarnessError:
            chosen = next(parent for parent in kind.__mro__ if parent in EXIT_CODES)
            assert chosen is not HarnessError or kind is HarnessError, kind


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.OperationFailed, 1),
        (errors.StartFailed, 1),
        (errors.InvalidParameters, 2),
        (errors.UnknownService, 4),
        (errors.UnknownTask, 4),
        (errors.ServiceNotFound, 4),
        (errors.DaemonUnavailable, 5),
        (errors.ConfigSyntaxError, 6),
        (errors.DependencyCycle, 6),
        (errors.Forbidden, 7),
        (errors.WaitTimeout, 124),
        (errors.CommandTimeout, 124),
    ],
)
def test_codes_are_the_documented_ones(kind: type[HarnessError], code: int) -> None:
    assert exit_code(kind) == code
    assert exit_code_of_kind(kind.kind) == code


def test_an_unknown_kind_is_a_failed_operation() -> None:
    assert exit_code_of_kind("from-the-future") == 1


def test_an_error_is_one_line_with_its_hint_on_stderr(cli: Any) -> None:
    cli.client.answers["services.top"] = Forbidden("cannot look: not allowed", hint="ask for it")
    result = cli("top")
    assert result.exit_code == 7
    assert result.stdout == ""
    assert result.stderr == "harness: cannot look: not allowed\nhint: ask for it\n"


@pytest.mark.parametrize(
    ("options", "command"),
    [
        (("-f", "my stack.yaml"), "harness -f 'my stack.yaml' why web"),
        (("-f", "a", "-f", "b", "-p", "shop"), "harness -f a -f b -p shop why web"),
        (("--state-dir", "/s"), "harness --state-dir /s why web"),
        ((), "harness why web"),
    ],
)
def test_commands_of_a_hint_act_on_the_same_stack(
    cli: Any, options: tuple[str, ...], command: str
) -> None:
    error = Forbidden("cannot look", hint="`harness why web`, or ask the harness that runs")
    cli.client.answers["services.top"] = error
    hint = f"`{command}`, or ask the harness that runs"
    assert cli("top", *options).stderr.splitlines()[-1] == f"hint: {hint}"
    assert json.loads(cli("top", "--json", *options).stderr)["error"]["hint"] == hint


def test_what_the_environment_says_is_not_repeated_by_a_hint(cli: Any) -> None:
    cli.client.answers["services.top"] = Forbidden("cannot look", hint="harness why web")
    env = {"HARNESS_FILE": "a:b", "HARNESS_PROJECT": "shop", "HARNESS_STATE_DIR": "/s"}
    assert cli("top", env=env).stderr.splitlines()[-1] == "hint: harness why web"


def test_with_json_an_error_is_one_object_on_stderr(cli: Any) -> None:
    cli.client.answers["services.top"] = Forbidden("cannot look", details={"role": "viewer"})
    result = cli("top", "--json")
    assert json.loads(result.stderr) == {
        "error": {
            "kind": "permission-denied",
            "message": "cannot look",
            "hint": None,
            "details": {"role": "viewer"},
        }
    }


def test_with_json_a_usage_error_before_the_flag_is_an_object_too(cli: Any) -> None:
    result = cli("top", "--bogus", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stderr)["error"]["kind"] == "usage"


def test_an_unknown_service_exits_with_4_and_a_suggestion(cli: Any) -> None:
    cli.client.answers["services.why"] = UnknownService(name="dv", did_you_mean="db")
    result = cli("why", "dv")
    assert result.exit_code == 4
    assert result.stderr.endswith('hint: did you mean "db"?\n')


def test_a_traceback_comes_only_with_vv(cli: Any) -> None:
    cli.client.answers["services.top"] = OperationFailed("cannot look")
    assert "Traceback" not in cli("top", "-v").stderr
    assert "Traceback" in cli("top", "-vv").stderr


def test_configuration_errors_are_one_line_each_and_a_count(cli: Any, tmp_path: Path) -> None:
    problems = [
        Problem(
            file=str(tmp_path / "harness.yaml"),
            line=14,
            column=7,
            path="services.follower.retsart",
            kind="config-unknown-key",
            message="unknown key",
            hint='did you mean "restart"?',
        ),
        Problem(file="/etc/x.yaml", line=1, column=1, path="", kind="k", message="it is empty"),
    ]
    cli.client.answers["services.up"] = ConfigSchemaError(problems=problems)
    result = cli("up")
    assert result.exit_code == 6
    assert result.stderr == (
        "harness.yaml:14:7: services.follower.retsart: unknown key;"
        ' did you mean "restart"?\n'
        "/etc/x.yaml:1:1: it is empty\n"
        "2 problems; nothing was started\n"
    )
    document = json.loads(cli("up", "--json").stderr)["error"]
    assert document["kind"] == "config-schema"
    assert [problem["line"] for problem in document["details"]["problems"]] == [14, 1]


def test_other_problems_are_told_by_the_message_that_lists_them(cli: Any) -> None:
    problem = {"file": "subgraph.yaml", "line": 3, "column": 1, "message": "it is empty"}
    cli.client.answers["services.up"] = OperationFailed(
        "cannot use it: 1 problem\n  subgraph.yaml:3:1: it is empty",
        details={"problems": [problem]},
    )
    assert cli("up").stderr == (
        "harness: cannot use it: 1 problem\n  subgraph.yaml:3:1: it is empty\n"
    )


def test_a_timeout_explains_what_is_missing(cli: Any) -> None:
    explanation = {
        "unit": "web",
        "kind": "service",
        "state": "pending",
        "health": "none",
        "since": None,
        "summary": 'web waits for "db"',
        "needs": [{"unit": "db", "condition": "healthy", "met": False, "state": "starting"}],
        "probe": None,
        "last_output": [],
        "next": None,
        "causes": [],
    }
    cli.client.answers["services.wait"] = WaitTimeout(
        'cannot wait any longer:\n  web waits for "db"', details={"explanations": [explanation]}
    )
    result = cli("wait", "web", "--timeout", "1s")
    assert result.exit_code == 124
    assert result.stderr.splitlines() == [
        "harness: cannot wait any longer:",
        '  web waits for "db"',
        "    it needs      db healthy ✗ (starting)",
    ]


def test_without_a_daemon_the_code_is_5(cli: Any) -> None:
    cli.client.running = False
    assert cli("top").exit_code == 5


def test_a_project_that_was_never_started_is_named_with_what_to_do(
    cli: Any, tmp_path: Path
) -> None:
    (tmp_path / "harness.yaml").write_text("name: shop\n")
    cli.client.answers["projects.resolve"] = {"name": None, "others": []}
    result = cli("top")
    assert result.exit_code == 4
    assert f"the project of {tmp_path / 'harness.yaml'}: it was not started" in result.stderr
    assert "hint: `harness up` starts it" in result.stderr


def test_without_a_stack_file_the_error_says_where_it_was_looked_for(
    cli: Any, tmp_path: Path
) -> None:
    cli.client.answers["projects.resolve"] = {"name": None, "others": []}
    result = cli("top")
    assert result.exit_code == 4
    assert f"(looked in {tmp_path}, {tmp_path.parent}, " in result.stderr
    assert "hint: -f names a stack file, -p a project; `harness init` writes" in result.stderr


@pytest.mark.parametrize("command", ["logs", "events"])
def test_where_f_follows_the_hint_names_the_long_option(cli: Any, command: str) -> None:
    cli.client.answers["projects.resolve"] = {"name": None, "others": []}
    result = cli(command, "-f", "stack.yaml", "web")
    assert result.exit_code == 4
    assert "hint: here -f follows; --file names a stack file, -p a project" in result.stderr
