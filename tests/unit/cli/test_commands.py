"""The program's frame: lazy loading, options before and after, the async bridge."""

from __future__ import annotations

import inspect
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import click
import pytest

from harness.cli.commands import Command, LazyCommand, async_command
from harness.cli.root import harness
from harness.cli.session import Session
from harness.cli.table import COMMANDS
from harness.errors import ServiceNotFound


def test_the_help_imports_no_command_no_runtime_and_no_rich() -> None:
    program = (
        "import sys; from harness.cli import main\n"
        "sys.argv = ['harness', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    modules = set(done.stderr.split())
    assert not modules & {"anyio", "asyncio", "rich", "yaml", "pydantic", "harness.client"}
    commands = {command.target.partition(":")[0] for command in COMMANDS.values()}
    assert not modules & commands
    for name in COMMANDS:
        assert name in done.stdout


def test_garbage_is_not_looked_for_before_the_command_runs_and_is_from_then_on() -> None:
    program = (
        "import gc, sys\n"
        "from harness.cli import main\n"
        "from harness.cli.commands import Command, async_command\n"
        "from harness.cli.root import harness\n"
        "async def body(_): print(gc.isenabled(), gc.get_freeze_count() > 0)\n"
        "callback = async_command(body)\n"
        "def begin(): print(gc.isenabled()); callback()\n"
        "harness.add_command(Command('probe', callback=begin))\n"
        "sys.argv = ['harness', 'probe']\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["False", "True", "True"], done.stderr


@pytest.mark.parametrize("command", [["up"], ["daemon", "start"]])
def test_a_daemon_starts_before_the_command_loads_what_it_needs(
    tmp_path: Path, command: list[str]
) -> None:
    program = (
        "import sys; from harness.client import spawning\n"
        "def start(*_, **__): print(*sys.modules); sys.exit(9)\n"
        "spawning.DaemonProcess = start\n"
        "from harness.cli import main\n"
        f"sys.argv = ['harness', *{command}]\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HARNESS_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 9, done.stderr
    modules = set(done.stdout.split())
    assert not modules & {"asyncio", "rich", "yaml", "harness.client.client"}


def test_every_command_loads_and_says_what_the_list_says(
    commands: dict[str, click.Command],
) -> None:
    for name, lazy in COMMANDS.items():
        assert (commands[name].help or "").splitlines()[0] == lazy.summary, name


def test_every_command_is_ours_and_has_examples_that_parse(
    commands: dict[str, click.Command],
) -> None:
    for name, command in commands.items():
        assert isinstance(command, Command), name
        assert command.examples, name
        for example in command.examples:
            words = shlex.split(example)
            for end in ("|", ">", ">>", "<"):
                words = words[: words.index(end)] if end in words else words
            assert " ".join(words).startswith(name.split()[0])
            _parse(harness, words)


def _parse(command: click.Command, words: list[str]) -> None:
    context = command.make_context("harness", words, obj=Session())
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert found is not None
        context = found.make_context(name, rest, parent=context)
        command = found


def test_no_callback_is_a_bare_coroutine_function(commands: dict[str, click.Command]) -> None:
    for name, command in commands.items():
        assert not inspect.iscoroutinefunction(command.callback), name


def test_a_command_refuses_a_bare_coroutine_function() -> None:
    async def body() -> None: ...

    with pytest.raises(TypeError, match="async_command"):
        Command("bare", callback=body)


def test_async_command_runs_the_body_to_its_end_with_the_session() -> None:
    seen: list[object] = []

    @click.command(cls=Command)
    @click.option("--name")
    @async_command
    async def body(session: Session, *, name: str) -> None:
        await anyio.lowlevel.checkpoint()
        seen.extend((session, name))

    session = Session()
    assert body.main(["--name", "x"], obj=session, standalone_mode=False) is None
    assert seen == [session, "x"]


def test_async_command_raises_the_error_inside_a_group_as_itself() -> None:
    @click.command(cls=Command)
    @async_command
    async def body(_: Session) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            raise ServiceNotFound("cannot find it")

    with pytest.raises(ServiceNotFound):
        body.main([], obj=Session(), standalone_mode=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-p", "shop", "--json", "-f", "a.yaml", "--profile", "x", "top"],
        ["top", "-p", "shop", "--json", "-f", "a.yaml", "--profile", "x"],
        ["-p", "other", "-f", "a.yaml", "top", "--project", "shop", "--json", "--profile", "x"],
    ],
)
def test_global_options_count_before_and_after_the_command(cli: Any, arguments: list[str]) -> None:
    cli.client.answers["services.top"] = []
    session = Session(connector=cli.client.connect)
    harness_run(session, arguments)
    assert session.options.project == "shop"
    assert session.options.json
    assert session.options.files == ["a.yaml"]
    assert session.options.profiles == ["x"]


def harness_run(session: Session, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        harness.main(arguments, prog_name="harness", obj=session)
    assert ended.value.code == 0


def test_global_options_count_inside_groups(cli: Any) -> None:
    cli.client.answers["tasks.list"] = []
    assert json.loads(cli("task", "--json", "list", "-p", "shop").stdout) == []
    assert cli.client.calls_of("tasks.list") == [{"project": "shop"}]


def test_the_environment_counts_only_where_no_option_does(cli: Any) -> None:
    cli.client.answers["services.top"] = []
    cli("top", env={"HARNESS_PROJECT": "env"})
    cli("top", "-p", "option", env={"HARNESS_PROJECT": "env"})
    assert [call["project"] for call in cli.client.calls_of("services.top")] == ["env", "option"]


def test_files_of_the_environment_are_a_path_list(cli: Any, tmp_path: Path) -> None:
    cli.client.answers["services.top"] = []
    cli("top", env={"HARNESS_FILE": "a.yaml:sub/b.yaml"})
    assert cli.client.calls_of("projects.resolve")[0]["files"] == [
        str(tmp_path / "a.yaml"),
        str(tmp_path / "sub/b.yaml"),
    ]


def test_the_state_directory_is_chosen_by_option_then_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "env"))
    session = Session()
    session.begin()
    assert session.endpoint().state_dir == tmp_path / "env"
    session.options.state_dir = str(tmp_path / "option")
    session.begin()
    assert session.endpoint().state_dir == tmp_path / "option"


def test_a_flag_that_a_command_uses_itself_keeps_its_global_long_form(cli: Any) -> None:
    cli.client.answers |= {
        "services.status": {"project": "shop", "services": []},
        "logs.read": [],
    }
    cli("logs", "-f", "--file", "x.yaml")
    assert cli.client.calls_of("logs.read")[0]["follow"]
    assert cli.client.calls_of("projects.resolve")[0]["files"][0].endswith("/x.yaml")


def test_no_start_forbids_starting_a_daemon(cli: Any) -> None:
    cli.client.answers["services.top"] = []
    cli("top")
    cli("--no-start", "top")
    assert cli.client.starts == [True, False]


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(cli: Any) -> None:
    result = cli("stauts")
    assert result.exit_code == 2
    assert result.stderr.startswith('harness: no such command "stauts"; did you mean "status"?\n')


def test_an_alias_runs_the_same_command(cli: Any, make_unit: Any) -> None:
    cli.client.answers["services.status"] = {"project": "shop", "services": [make_unit("db")]}
    assert cli("ps").stdout == cli("status").stdout


def test_another_package_adds_a_group_through_the_same_table(
    cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "lazy", dict(harness.lazy))
    harness.register(
        "chain",
        LazyCommand(target="harness.cli.tasks:task", summary="Drive the chain.", section="Plugins"),
    )
    assert "Plugins:\n  chain " in cli("--help").stdout
    assert cli("chain", "--help").exit_code == 0


def test_version_prints_the_version(cli: Any) -> None:
    from harness import __version__

    assert cli("--version").stdout == f"harness {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(cli: Any, shell: str) -> None:
    result = cli("completion", shell)
    assert result.exit_code == 0
    assert f"_HARNESS_COMPLETE={shell}_complete" in result.stdout


def test_the_help_of_a_group_lists_its_commands(cli: Any) -> None:
    shown = cli("workflow", "--help").stdout
    listed = shown[shown.index("Commands:") : shown.index("Examples:")].splitlines()
    assert [line.split()[0] for line in listed[1:] if line] == [
        "list", "info", "run", "runs", "show",
    ]  # fmt: skip
