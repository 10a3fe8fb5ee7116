"""Groups of commands that plugins add: found late, and never in the way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli import plugin_commands
from harness.cli.root import harness

GROUP = """\
import click
@click.group()
def cli():
    "Say things."
@cli.command()
def hello():
    "Say hello."
    click.echo("hello")
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give a function that installs a distribution with commands; only those of tests are seen."""
    monkeypatch.setattr(harness, "lazy", dict(harness.lazy))
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def write(distribution: str, module: str, text: str, **commands: str) -> None:
        (site / f"{module}.py").write_text(text)
        info = site / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {distribution}\nVersion: 1.0\n")
        lines = [f"{name} = {module}:{target}" for name, target in commands.items()]
        (info / "entry_points.txt").write_text("\n".join(["[harness.commands]", *lines]))
        monkeypatch.delitem(sys.modules, module, raising=False)

    return write


def test_a_group_is_listed_without_being_imported_and_runs(cli: Any, install) -> None:
    install("greetings", "greetings_cli", GROUP, greet="cli")
    assert "Plugins:\n  greet " in (text := cli("--help").stdout)
    assert "Of greetings 1.0." in text
    assert "greetings_cli" not in sys.modules
    assert cli("greet", "hello").stdout == "hello\n"


def test_a_misspelt_one_is_suggested(cli: Any, install) -> None:
    install("greetings", "greetings_cli", GROUP, greet="cli")
    assert 'no such command "gret"; did you mean "greet"?' in cli("gret").stderr


def test_nobody_is_looked_for_when_a_built_in_command_is_named(
    cli: Any, make_unit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_commands, "names_entry_points", lambda _: pytest.fail("looked"))
    cli.client.answers["services.status"] = {"project": "shop", "services": [make_unit("db")]}
    assert cli("ps").exit_code == 0
    assert cli("status", "--help").exit_code == 0


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("raise RuntimeError('out of order')", "RuntimeError: out of order"),
        ("cli = 3", "TypeError: broken_cli:cli is not a command"),
        ("", "AttributeError"),
        ("import sys; sys.exit(5)", "SystemExit: 5"),
    ],
)
def test_a_broken_one_says_so_and_costs_nothing_else(cli: Any, install, text, cause) -> None:
    install("broken", "broken_cli", text, broken="cli")
    install("greetings", "greetings_cli", GROUP, greet="cli")
    result = cli("broken")
    assert result.exit_code == 1
    assert f'harness: cannot use "broken" of broken 1.0: {cause}' in result.stderr
    assert cli("greet", "hello").stdout == "hello\n"
    assert cli("--help").exit_code == 0


def test_the_list_of_plugins_has_them_with_what_is_wrong(cli: Any, install) -> None:
    install("greetings", "greetings_cli", GROUP, greet="cli", ps="cli", up="cli")
    install("others", "others_cli", GROUP, greet="cli")
    install("broken", "broken_cli", "1 / 0", wrong="cli")
    install("script", "script_cli", "raise SystemExit(0)", zeal="cli")
    mine: dict[str, Any] = {
        "name": "g",
        "source": "greetings 1.0",
        "module": "g",
        "error": None,
        "brings": {},
    }
    cli.client.answers["plugins.list"] = [mine]
    result = cli("plugin", "list", "--json")
    assert result.exit_code == 1
    first, *others = json.loads(result.stdout)
    assert first == {**mine, "brings": {"commands": ["greet"]}}
    assert [(row["name"], row["source"], row["error"], row["brings"]) for row in others] == [
        ("greet", "others 1.0", 'the command "greet" is there already', {}),
        ("ps", "greetings 1.0", 'the command "ps" is built in', {}),
        ("up", "greetings 1.0", 'the command "up" is built in', {}),
        ("wrong", "broken 1.0", "ZeroDivisionError: division by zero", {}),
        ("zeal", "script 1.0", "SystemExit: 0", {}),
    ]


def test_the_help_reads_no_metadata_where_nobody_adds_commands() -> None:
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
    assert not {"importlib.metadata", "email", "zipfile"} & set(done.stderr.split())
