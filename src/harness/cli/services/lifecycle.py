"""`harness down`, `start`, `stop`, `restart` and `reload`: change what runs of a known project."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.cli.arguments import unit_names
from harness.cli.commands import Command, async_command
from harness.cli.exit_codes import OPERATION_FAILED
from harness.cli.moments import DURATION
from harness.cli.operations import finish
from harness.cli.session import Session
from harness.cli.state import session_has_state

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["down", "reload", "restart", "start", "stop"]

F = TypeVar("F", bound=Callable[..., Any])


def _waiting(function: F) -> F:
    """Add the options that all long work has."""
    function = click.option(
        "--timeout", "timeout_s", type=DURATION, help="Give up, or kill, after this long."
    )(function)
    return click.option(
        "--wait/--no-wait", default=True, help="Wait until it is done; else print the id."
    )(function)


@click.command(cls=Command, examples=("down", "down --volumes", "down -p shop --timeout 5s"))
@click.option(
    "--volumes", is_flag=True, help="Also forget output, task memory and the project itself."
)
@_waiting
@async_command
async def down(session: Session, *, volumes: bool, wait: bool, timeout_s: float | None) -> None:
    """Stop everything of the project.

    Afterwards nothing of it runs and the daemon forgets it. It is no error when nothing runs.
    """
    from harness.errors import DaemonUnavailable

    stored = session_has_state(session)
    try:
        async with session.connect(start=stored) as client:
            # A name that was given and that nobody knows is the daemon's to refuse.
            project = session.options.project or await session.find_project(client)
            if project is None:
                _say_nothing_runs(session)
                return
            starting = client.services.down(project=project, volumes=volumes, timeout_s=timeout_s)
            await finish(session, client, starting, wait=wait)
    except DaemonUnavailable:
        if stored or not session.options.start:
            raise
        _say_nothing_runs(session)


@click.command(cls=Command, examples=("start", "start web db"))
@unit_names()
@_waiting
@async_command
async def start(
    session: Session, *, units: tuple[str, ...], wait: bool, timeout_s: float | None
) -> None:
    """Start services of the project.

    Takes the definitions of the last `up`; `up` reads the file again.
    """
    await _change(session, "start", units, wait=wait, timeout_s=timeout_s, show_units=True)


@click.command(cls=Command, examples=("stop", "stop web --timeout 5s"))
@unit_names()
@_waiting
@async_command
async def stop(
    session: Session, *, units: tuple[str, ...], wait: bool, timeout_s: float | None
) -> None:
    """Stop services, and keep them defined.

    Services that need a stopped one are stopped before it. With a timeout they are killed after it.
    """
    await _change(session, "stop", units, wait=wait, timeout_s=timeout_s)


@click.command(cls=Command, examples=("restart", "restart web"))
@unit_names()
@_waiting
@async_command
async def restart(
    session: Session, *, units: tuple[str, ...], wait: bool, timeout_s: float | None
) -> None:
    """Stop services, then start them.

    Takes the definitions of the last `up`, and says so when the stack file has others by now; `up`
    restarts what has changed.
    """
    await _change(
        session, "restart", units, wait=wait, timeout_s=timeout_s, show_units=True, hints=True
    )


@click.command(cls=Command, examples=("reload proxy",))
@unit_names(required=True)
@async_command
async def reload(session: Session, *, units: tuple[str, ...]) -> None:
    """Make services read their configuration again.

    Sends SIGHUP to each.
    """
    async with session.connect() as client:
        await client.services.reload(project=await session.project(client), units=list(units))
    if session.out.json:
        session.out.document({})


def _say_nothing_runs(session: Session) -> None:
    if session.out.json:
        session.out.document({})
    session.out.note("nothing of this project runs")


async def _change(
    session: Session,
    verb: str,
    units: tuple[str, ...],
    *,
    wait: bool,
    timeout_s: float | None,
    show_units: bool = False,
    hints: bool = False,
) -> None:
    async with session.connect() as client:
        call = getattr(client.services, verb)
        project = await session.project(client)
        starting = call(project=project, units=list(units), timeout_s=timeout_s)
        try:
            await finish(session, client, starting, wait=wait, show_units=show_units)
        except click.exceptions.Exit as ended:
            # Who has mended the file and restarts what fails needs it most.
            if hints and ended.exit_code == OPERATION_FAILED:
                await _hint_at_up(session, client, project, units)
            raise
        if hints:
            await _hint_at_up(session, client, project, units)


async def _hint_at_up(
    session: Session, client: Client, project: str, units: tuple[str, ...]
) -> None:
    """Say when the stack file has other definitions than those that were started."""
    from harness.cli.stack_file import has_stack_file
    from harness.errors import ConfigError, HarnessError

    if session.out.quiet or session.context or not has_stack_file(session):
        return
    if session.options.project is not None and not session.options.files:
        return  # the file that is found here may be another project's
    try:
        diff = await client.plan.diff(source=session.source(), units=[])
    except ConfigError:
        session.out.note("note: the stack file has problems by now; `harness validate` shows them")
        return
    except HarnessError:
        return  # what was asked for is done; `up` will say it
    changed = [
        change["unit"]
        for change in diff["changes"]
        if change.get("differs") and (not units or change["unit"] in units)
    ]
    if changed and diff["project"] == project:
        names = ", ".join(changed)
        session.out.note(f"note: the stack file has changed for {names}; `harness up` applies it")
