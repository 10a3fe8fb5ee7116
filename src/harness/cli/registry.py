"""`harness registry`: services of all projects, as others find them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .arguments import complete
from .commands import Command, Group, async_command
from .session import Session
from .tables import Cell, table
from .units import addresses, state_cell

__all__ = ["registry"]


@click.group(cls=Group, examples=("registry list", "registry list --label tier=db"))
def registry() -> None:
    """Look up services of all projects."""


@registry.command(
    "list", cls=Command, examples=("registry list", "registry list -p shop --label tier=db")
)
@click.option(
    "--label",
    metavar="NAME[=VALUE]",
    shell_complete=complete("labels"),
    help="Only those that carry the label.",
)
@async_command
async def list_(session: Session, *, label: str | None) -> None:
    """Show every registered service and task.

    Those of all projects, or of the one that -p names.
    """
    async with session.connect() as client:
        entries = await client.registry.list(project=session.options.project, label=label)
    if session.out.json:
        session.out.document(entries)
    elif entries:
        headers = ("PROJECT", "NAME", "TYPE", "VERSION", "STATE", "HEALTH", "ENDPOINTS")
        session.out.lines(table(session.out, headers, map(_row, entries)))
    else:
        session.out.note("note: nothing is registered")


def _row(entry: Mapping[str, Any]) -> list[str | Cell | None]:
    return [
        entry["project"],
        entry["name"],
        entry["type"],
        entry["version"],
        state_cell({"exit_code": None, **entry}),
        None if entry["health"] == "none" else entry["health"],
        addresses(entry) or None,
    ]
