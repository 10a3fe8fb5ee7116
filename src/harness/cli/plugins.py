"""`harness plugin`: what extends the daemon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from .commands import Command, Group, async_command
from .session import Session
from .tables import Cell, table

if TYPE_CHECKING:
    from .plugin_commands import PluginCommand
    from .program import Program

__all__ = ["plugin"]


@click.group(cls=Group, examples=("plugin list",))
def plugin() -> None:
    """List what extends the daemon."""


@plugin.command("list", cls=Command, examples=("plugin list", "plugin list --json"))
@async_command
async def list_(session: Session) -> None:
    """Show all plugins, where each comes from, and what it brings.

    Those of the daemon, and the commands that they add to this program. Exits with 1 when one of
    them cannot be used, or has failed.
    """
    async with session.connect() as client:
        plugins = with_commands(await client.plugins.list(), session.options.program)
    if session.out.json:
        session.out.document(plugins)
    elif plugins:
        headers = ("PLUGIN", "FROM", "MODULE", "BRINGS")
        session.out.lines(table(session.out, headers, map(_row, plugins)))
    else:
        session.out.note("note: no plugin is installed")
    if any(found["error"] or found.get("failures") for found in plugins):
        raise click.exceptions.Exit(1)


def with_commands(plugins: Sequence[Mapping[str, Any]], program: Program) -> list[dict[str, Any]]:
    """Add what plugins bring to the command line to what the daemon says of them.

    Commands whose distribution brings nothing else have rows of their own.
    """
    from .plugin_commands import colliding, plugin_commands
    from .table import COMMANDS

    aliases = [alias for command in COMMANDS.values() for alias in command.aliases]
    commands = plugin_commands(program)
    taken = colliding(commands, {*COMMANDS, *aliases})
    rows = [{**found, "brings": dict(found["brings"])} for found in plugins]
    for position, command in enumerate(commands):
        error = taken.get(position) or _broken(command)
        beside = [row for row in rows if row["source"] == command.source and not row["error"]]
        if beside and error is None:
            brings = beside[0]["brings"]
            brings["commands"] = [*brings.get("commands", ()), command.name]
            continue
        row = {"name": command.name, "source": command.source, "module": command.target}
        rows.append(
            {**row, "error": error, "brings": {} if error else {"commands": [command.name]}}
        )
    return rows


def _broken(command: PluginCommand) -> str | None:
    from harness.errors import PluginBroken

    try:
        command.load()
    except PluginBroken as error:
        return error.cause
    return None


def _row(found: Mapping[str, Any]) -> list[str | Cell | None]:
    brings = "; ".join(
        f"{kind.replace('_', ' ')}: {', '.join(names)}"
        for kind, names in found["brings"].items()
        if names
    )
    what = Cell(f"cannot be used: {found['error']}", "bad") if found["error"] else brings or None
    if failures := found.get("failures"):
        told = (f"{part} {how}" for part, how in failures.items())
        what = Cell("; ".join((brings, *told)), "bad")
    return [found["name"], found["source"], found["module"], what]
