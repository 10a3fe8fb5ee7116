"""`harness events`: what happened, numbered."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from .arguments import unit_names
from .commands import Command, async_command
from .facts import fact
from .moments import clock_time
from .session import Session

if TYPE_CHECKING:
    from harness.client import Client
    from harness.client.results import EventRecord

__all__ = ["events"]

_PAGE = 1000


@click.command(cls=Command, examples=("events", "events web -f", "events --since 120 --json"))
@unit_names()
@click.option("-f", "--follow", is_flag=True, help="Go on as more happens.")
@click.option(
    "--since", "after", type=click.IntRange(min=0), metavar="N", help="Only events after number N."
)
@click.option(
    "-n", "--tail", type=click.IntRange(min=0), metavar="N", help="Only this many stored last ones."
)
@click.option("--all-projects", is_flag=True, help="Those of every project and of the daemon.")
@async_command
async def events(
    session: Session,
    *,
    units: tuple[str, ...],
    follow: bool,
    after: int | None,
    tail: int | None,
    all_projects: bool,
) -> None:
    """Show what happened.

    Each event has a number; --since resumes after one. Single tries of health checks are shown with
    -v and --json only. Here `-f` follows: write --file for the
    stack file.
    """
    async with session.connect(lasting=follow) as client:
        project = None if all_projects else await session.project(client)
        shown = _Shown(session, units)
        if follow and tail is None:
            async with client.events.subscribe(after=after, project=project) as stream:
                async for event in stream:
                    shown.show(event)
            return
        last: deque[EventRecord] = deque(maxlen=tail)
        number = after or 0
        async for event in _stored(client, after=number, project=project):
            number = event["number"]
            if tail is None:
                shown.show(event)
            elif shown.is_wanted(event):
                last.append(event)
        for event in last:
            shown.show(event)
        if follow:
            async with client.events.subscribe(after=number, project=project) as stream:
                async for event in stream:
                    shown.show(event)


class _Shown:
    """Prints the events that are wanted."""

    def __init__(self, session: Session, units: tuple[str, ...]) -> None:
        self._session = session
        self._units = frozenset(units)

    def is_wanted(self, event: Mapping[str, Any]) -> bool:
        """Tell whether an event is about a named unit, and no detail."""
        if self._units and event["unit"] not in self._units:
            return False
        out = self._session.out
        return event["kind"] != "probe-finished" or out.json or out.verbose

    def show(self, event: Mapping[str, Any]) -> None:
        """Print an event if it is wanted."""
        if self.is_wanted(event):
            _show(self._session, event)


async def _stored(client: Client, *, after: int, project: str | None) -> AsyncIterator[EventRecord]:
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
