"""`harness status`: how every unit is, once or whenever it changes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from harness.cli.arguments import unit_names
from harness.cli.commands import Command, async_command
from harness.cli.session import Session, pick
from harness.cli.state import session_has_state
from harness.cli.tables import table
from harness.cli.units import is_meant_to_run, is_wanting, status_row
from harness.explanations import lease_text

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["status"]

_HEADERS = ("SERVICE", "STATE", "HEALTH", "UP", "PID", "RESTARTS", "ENDPOINTS", "MESSAGE")
_YIELDING = 2  # the last ones, where the terminal is narrow
_NOT_READY = 3
_SETTLE_S = 0.1
_NAMED = 8


@click.command(
    cls=Command, examples=("status", "status web", "status --watch", "status --json | jq .services")
)
@unit_names()
@click.option("-w", "--watch", is_flag=True, help="Show it again whenever something changes.")
@async_command
async def status(session: Session, *, units: tuple[str, ...], watch: bool) -> None:
    """Show how every unit is.

    The message says why a unit is in its state; on a terminal it is cut to fit. Exits with 3 when a
    service that was not stopped on purpose does not run or is not healthy, when a task failed, and
    when all is stopped. A stack that is not up is shown as stopped.
    """
    from harness.errors import DaemonUnavailable

    # A daemon that ended leaves its records, and maybe services: a new one finds them.
    stored = session_has_state(session)
    try:
        async with session.connect(start=stored, lasting=watch) as client:
            project = await session.find_project(client)
            is_elsewhere = session.context or not _has_file(session)
            if project is None and session.options.project and is_elsewhere:
                project = await session.project(client)
            if project is not None:
                if watch:
                    await _watch(session, client, project, units)
                document = await client.services.status(project=project)
                _show(session, document, units)
                return
    except DaemonUnavailable:
        if stored or not session.options.start:
            raise
    _show(session, _configured(session), units)


def _has_file(session: Session) -> bool:
    from harness.cli.stack_file import has_stack_file

    return has_stack_file(session)


def _configured(session: Session) -> dict[str, Any]:
    from harness.cli.stack_file import configured_units

    return configured_units(session)


def _show(session: Session, document: Mapping[str, Any], names: tuple[str, ...]) -> None:
    chosen = pick(document["services"], names)
    if session.out.json:
        session.out.document({**document, "services": chosen})
    else:
        session.out.lines(_lines(session, chosen))
        _say_what_scrolled_off(session, chosen)
        if not chosen:
            session.out.note("note: the stack has no services")
        if document.get("lease"):
            session.out.note(f"lease {lease_text(document['lease'])}")
        if document.get("half_restored"):
            from harness.cli.snapshots import mark_text

            session.out.note(f"warning: {mark_text(document['half_restored'])}")
    if any(map(is_wanting, chosen)) or not any(map(is_meant_to_run, chosen)):
        raise click.exceptions.Exit(_NOT_READY)


def _lines(session: Session, units: list[Mapping[str, Any]]) -> list[str]:
    if not units:
        return []
    rows = [status_row(unit, advice=session.out.pasteable) for unit in units]
    has_messages = any(row[-1] is not None for row in rows)
    shown = len(_HEADERS) if has_messages else len(_HEADERS) - 1
    yielding = _YIELDING if has_messages else _YIELDING - 1
    return table(session.out, _HEADERS[:shown], [row[:shown] for row in rows], yielding=yielding)


def _say_what_scrolled_off(session: Session, units: list[Mapping[str, Any]]) -> None:
    """Name what is not as it should be below a table that is higher than the terminal."""
    size = session.out.size()
    wanting = [unit["name"] for unit in units if is_wanting(unit)]
    if size is not None and wanting and len(units) + 2 > size[1]:
        more = f" and {len(wanting) - _NAMED} more" if len(wanting) > _NAMED else ""
        session.out.note(f"not as they should be: {', '.join(wanting[:_NAMED])}{more}")


async def _watch(session: Session, client: Client, project: str, names: tuple[str, ...]) -> None:
    """Show the status again after every burst of events, until interrupted."""
    import anyio

    terminal = sys.stdout.isatty() and not session.out.json
    changed = anyio.Event()
    changed.set()

    async def listen() -> None:
        async with client.events.subscribe(after=None, project=project) as events:
            async for event in events:
                if event["kind"] != "probe-finished":
                    changed.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        document: Mapping[str, Any] = {}
        while True:
            # On a terminal the column UP is kept going while nothing else happens.
            with anyio.move_on_after(1.0 if terminal else None):
                await changed.wait()
            if changed.is_set():
                changed = anyio.Event()
                document = await client.services.status(project=project)
            _show_again(session, document, names, terminal=terminal)
            await anyio.sleep(_SETTLE_S)


def _show_again(
    session: Session, document: Mapping[str, Any], names: tuple[str, ...], *, terminal: bool
) -> None:
    chosen = pick(document["services"], names)
    if session.out.json:
        session.out.record({**document, "services": chosen})
        return
    size = session.out.size() if terminal else None
    if size is None:
        session.out.lines([*_lines(session, chosen), ""])
        return
    room = max(size[1] - 3, 1)  # the heading, the last line here, and the cursor's
    hidden = len(chosen) - room
    if hidden > 0:
        # What is not as it should be must be among what can be seen.
        seen = {unit["name"] for unit in sorted(chosen, key=is_wanting, reverse=True)[:room]}
        chosen = [unit for unit in chosen if unit["name"] in seen]
    session.out.repaint(
        [*_lines(session, chosen), *([f"… and {hidden} more"] if hidden > 0 else [])]
    )
