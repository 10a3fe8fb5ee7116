"""`harness events`: what happened, numbered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from .commands import Command, async_command
from .facts import fact
from .moments import clock_time
from .session import Session

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["events"]

_PAGE = 1000


@click.command(cls=Command, examples=("events", "events -f", "events --since 120 --json"))
@click.option("-f", "--follow", is_flag=True, help="Go on as more happens.")
@click.option(
    "--since", "after", type=click.IntRange(min=0), metavar="N", help="Only events after number N."
)
@click.option("--all-projects", is_flag=True, help="Those of every project and of the daemon.")
@async_command
async def events(session: Session, *, follow: bool, after: int | None, all_projects: bool) -> None:
    """Show what happened.

    Each event has a number; --since resumes after one. Here `-f` follows: write --file for the
    stack file.
    """
    async with session.connect() as client:
        project = None if all_projects else await session.project(client)
        if follow:
            async with client.events.subscribe(after=after, project=project) as stream:
                async for event in stream:
                    _show(session, event)
            return
        async for event in _stored(client, after=after or 0, project=project):
            _show(session, event)


async def _stored(
    client: Client, *, after: int, project: str | None
) -> AsyncIterator[Mapping[str, Any]]:
    while True:
        page = await client.events.list(after=after, limit=_PAGE, project=project)
        for event in page:
            yield event
        if len(page) < _PAGE:
            return
        after = page[-1]["number"]


def _show(session: Session, event: Mapping[str, Any]) -> None:
    if session.out.json:
        session.out.record(event)
        return
    number = session.out.paint(f"{event['number']:>5}", "dim")
    subject = event["unit"] or event["project"] or "daemon"
    at = clock_time(event["at"], millis=True)
    session.out.lines([f"{number}  {at}  {subject}  {fact(event)}"])
