"""`harness snapshot`: the state of a stack, kept and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .arguments import complete
from .commands import Command, Group, async_command
from .moments import DURATION, clock_time
from .operations import finish
from .session import Session
from .tables import Cell, table

__all__ = ["mark_text", "snapshot"]


@click.group(cls=Group, examples=("snapshot create seeded", "snapshot restore seeded"))
def snapshot() -> None:
    """Take, list, restore and remove snapshots."""


@snapshot.command(
    cls=Command, examples=("snapshot create seeded", "snapshot create seeded --require db")
)
@click.argument("name", shell_complete=lambda *_: [])  # a new one
@click.option(
    "--require",
    multiple=True,
    metavar="SERVICE",
    shell_complete=complete("units"),
    help="Fail unless this service is part of it; may be repeated.",
)
@click.option("--wait/--no-wait", default=True, help="Wait until it is taken; else print the id.")
@click.option("--timeout", "timeout_s", type=DURATION, help="Give up after this long.")
@async_command
async def create(
    session: Session, *, name: str, require: tuple[str, ...], wait: bool, timeout_s: float | None
) -> None:
    """Take a snapshot of the stack.

    Services whose type can are quiesced, dependents first, and resumed when all parts are taken.
    The others are not part of it; they run on, except those whose type stops for snapshots.
    """
    async with session.connect() as client:
        project = await session.project(client)
        starting = client.snapshots.create(
            project=project, name=name, require=list(require), timeout_s=timeout_s
        )
        await finish(session, client, starting, wait=wait)
        if wait and not session.out.quiet:
            found = await client.snapshots.list(project=project)
            left = next((one["left"] for one in found if one["name"] == name), ())
            if left:
                session.out.note(f"note: not part of it: {', '.join(left)}")


@snapshot.command("list", cls=Command, examples=("snapshot list", "snapshot list --json"))
@async_command
async def list_(session: Session) -> None:
    """Show the snapshots of the stack."""
    async with session.connect() as client:
        found = await client.snapshots.list(project=await session.project(client))
    if session.out.json:
        session.out.document(found)
    elif found:
        headers = ("SNAPSHOT", "TAKEN", "PARTS", "TASKS", "NOT IN IT")
        session.out.lines(table(session.out, headers, map(_row, found)))
    else:
        session.out.note("note: the stack has no snapshots")


@snapshot.command(
    cls=Command, examples=("snapshot restore seeded", "snapshot restore seeded --force")
)
@click.argument("name", shell_complete=complete("snapshots"))
@click.option("--force", is_flag=True, help="Even if the stack file has changed since.")
@click.option("--wait/--no-wait", default=True, help="Wait until it is done; else print the id.")
@click.option("--timeout", "timeout_s", type=DURATION, help="Give up after this long.")
@async_command
async def restore(
    session: Session, *, name: str, force: bool, wait: bool, timeout_s: float | None
) -> None:
    """Take the stack back to a snapshot.

    All parts as one; what is remembered of tasks comes back, too.
    """
    async with session.connect() as client:
        project = await session.project(client)
        starting = client.snapshots.restore(
            project=project, name=name, force=force, timeout_s=timeout_s
        )
        await finish(session, client, starting, wait=wait)


@snapshot.command(cls=Command, examples=("snapshot remove seeded",))
@click.argument("name", shell_complete=complete("snapshots"))
@async_command
async def remove(session: Session, *, name: str) -> None:
    """Remove a snapshot."""
    async with session.connect() as client:
        await client.snapshots.remove(project=await session.project(client), name=name)
    if session.out.json:
        session.out.document({})


def mark_text(mark: Mapping[str, Any]) -> str:
    """Return what a restore that did not come to its end has left, in one line."""
    restored = ", ".join(mark["restored"]) or "none"
    return (
        f"the parts are of different moments: restoring snapshot {mark['snapshot']} did not come "
        f"to its end (restored: {restored}; not: {', '.join(mark['others'])}); "
        f"harness snapshot restore {mark['snapshot']} makes them agree"
    )


def _row(found: Mapping[str, Any]) -> list[str | Cell | None]:
    return [
        found["name"],
        clock_time(found["created_at"]),
        ", ".join(found["parts"]),
        ", ".join(found["tasks"]) or None,
        ", ".join(found["left"]) or None,
    ]
