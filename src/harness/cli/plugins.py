"""`harness plugin`: what extends the daemon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .commands import Command, Group, async_command
from .session import Session
from .tables import Cell, table

__all__ = ["plugin"]


@click.group(cls=Group, examples=("plugin list",))
def plugin() -> None:
    """List what extends the daemon."""


@plugin.command("list", cls=Command, examples=("plugin list", "plugin list --json"))
@async_command
async def list_(session: Session) -> None:
    """Show all plugins, where each comes from, and what it brings.

    Exits with 1 when one of them cannot be used.
    """
    async with session.connect() as client:
        plugins = await client.plugins.list()
    if session.out.json:
        session.out.document(plugins)
    elif plugins:
        headers = ("PLUGIN", "FROM", "MODULE", "BRINGS")
        session.out.lines(table(session.out, headers, map(_row, plugins)))
    else:
        session.out.note("note: no plugin is installed")
    if any(found["error"] for found in plugins):
        raise click.exceptions.Exit(1)


def _row(found: Mapping[str, Any]) -> list[str | Cell | None]:
    brings = "; ".join(
        f"{kind.replace('_', ' ')}: {', '.join(names)}"
        for kind, names in found["brings"].items()
        if names
    )
    what = Cell(f"cannot be used: {found['error']}", "bad") if found["error"] else brings or None
    return [found["name"], found["source"], found["module"], what]
