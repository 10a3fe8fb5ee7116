"""`harness top`: what services use, once or as it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from harness.cli.commands import Command, async_command
from harness.cli.session import Session
from harness.cli.tables import table

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["top"]

Usage = Mapping[str, Any]

_HEADERS = ("SERVICE", "PROCESSES", "MEMORY", "CPU", "CPU%")
_INTERVAL_S = 2.0


@click.command(cls=Command, examples=("top", "top --once", "top --json"))
@click.option("--once", is_flag=True, help="Show it once, as without a terminal.")
@async_command
async def top(session: Session, *, once: bool) -> None:
    """Show what services use.

    All processes of a service together: how many, resident memory, processor time so far. On a
    terminal it is shown again every two seconds until Ctrl-C, with the share of one processor that
    was used meanwhile.
    """
    async with session.connect(lasting=not once) as client:
        project = await session.project(client)
        if session.out.size() is not None and not once and not session.out.json:
            await _watch(session, client, project)
        usages = await client.services.top(project=project)
    if session.out.json:
        session.out.document(usages)
    elif usages:
        session.out.lines(_lines(session, usages))
    else:
        session.out.note("note: nothing runs")


async def _watch(session: Session, client: Client, project: str) -> None:
    """Show it again and again, until interrupted."""
    import anyio

    before: dict[str, float] = {}
    measured_at = 0.0
    while True:
        usages = await client.services.top(project=project)
        now = anyio.current_time()
        shares = {
            usage["name"]: max(usage["cpu_s"] - before[usage["name"]], 0.0) / (now - measured_at)
            for usage in usages
            if usage["name"] in before
        }
        before, measured_at = {usage["name"]: usage["cpu_s"] for usage in usages}, now
        size = session.out.size()
        room = max(size[1] - 3, 1) if size else len(usages)
        if len(usages) > room:  # what uses most must be among what can be seen
            usages = sorted(usages, key=lambda usage: -shares.get(usage["name"], 0.0))
        lines = _lines(session, usages[:room], shares) if usages else ["nothing runs"]
        if len(usages) > room:
            lines.append(f"… and {len(usages) - room} more")
        session.out.repaint(lines)
        await anyio.sleep(_INTERVAL_S)


def _lines(
    session: Session, usages: Sequence[Usage], shares: Mapping[str, float] | None = None
) -> list[str]:
    rows = []
    for usage in usages:
        row: list[str | None] = [
            usage["name"],
            str(usage["processes"]),
            f"{usage['rss_bytes'] / 2**20:.1f} MiB",
            f"{usage['cpu_s']:.2f} s",
        ]
        if shares is not None:
            share = shares.get(usage["name"])
            row.append(None if share is None else f"{share:.0%}")
        rows.append(row)
    headers = _HEADERS if shares is not None else _HEADERS[:-1]
    return table(session.out, headers, rows, yielding=len(headers) if shares is not None else 0)
