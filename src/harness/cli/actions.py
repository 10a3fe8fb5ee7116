"""`harness action`: what services and the daemon can be asked to do, whatever their domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from .action_arguments import named_options, parse_arguments
from .arguments import complete, unit_names
from .commands import Command, Group, async_command
from .facts import action_event
from .moments import DURATION
from .results import is_table, result_lines
from .session import Session
from .signatures import flag_label, said_as_options, signature
from .tables import table

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["action"]


@click.group(
    cls=Group,
    examples=("action list", "action info chain.mine", "action run chain.mine --blocks 3"),
)
def action() -> None:
    """List, describe and run typed actions.

    A service whose `service_type` a plugin brings has actions; so may the daemon have.
    """


@action.command("list", cls=Command, examples=("action list", "action list chain --json"))
@unit_names()
@async_command
async def list_(session: Session, *, units: tuple[str, ...]) -> None:
    """Show all actions, or those of the named services."""
    async with session.connect() as client:
        project = await session.find_project(client) if not units else await session.project(client)
        if units:
            found = [
                listed
                for unit in units
                for listed in await client.actions.list(project=project, service=unit)
            ]
        else:
            found = await client.actions.list(project=project)
    if session.out.json:
        session.out.document(found)
    elif found:
        rows = ([_title(listed), listed["summary"]] for listed in found)
        session.out.lines(table(session.out, ("ACTION", "WHAT IT DOES"), rows))
    else:
        session.out.note("note: no service here has a type that a plugin brings actions for")


@action.command(cls=Command, examples=("action info chain.mine",))
@click.argument("name", metavar="[SERVICE.]ACTION", shell_complete=complete("actions"))
@async_command
async def info(session: Session, *, name: str) -> None:
    """Show what an action takes, returns and tells while it runs."""
    async with session.connect() as client:
        found = await client.actions.info(**await _place(session, client, name))
    if session.out.json:
        session.out.document(found)
    else:
        session.out.lines(_described(session, found))


@action.command(
    cls=named_options("action_parameters"),
    context_settings={"ignore_unknown_options": True},
    examples=(
        "action run chain.mine --blocks 3",
        "action run chain.mine '{\"blocks\": 3}'",
        "action run chain.mine @parameters.json",
    ),
)
@click.argument("name", metavar="[SERVICE.]ACTION", shell_complete=complete("actions"))
@click.argument(
    "arguments",
    nargs=-1,
    type=click.UNPROCESSED,
    metavar="[--NAME VALUE|JSON|@FILE]...",
    shell_complete=complete("action_parameters"),
)
@click.option("--timeout", "timeout_s", type=DURATION, help="Cancel it after this long.")
@async_command
async def run(
    session: Session, *, name: str, arguments: tuple[str, ...], timeout_s: float | None
) -> None:
    """Run an action, and print its result.

    Parameters are options named as `action info` shows them; or one JSON object, given as it is or
    as the name of a file after `@`, `-` for the input. What happens meanwhile goes to stderr; with
    --json one object a line goes to stdout, the result last. Ctrl-C cancels the action.
    """
    async with session.connect() as client:
        place = await _place(session, client, name)

        async def schema() -> Mapping[str, Any]:
            return (await client.actions.info(**place))["parameters"]

        parameters = parse_arguments(arguments, await schema() if arguments else {}, title=name)
        async with said_as_options(run, schema):
            result = await client.actions.run(
                **place,
                parameters=parameters,
                timeout_s=timeout_s,
                on_event=lambda event: _show_event(session, event),
            )
        columns: Mapping[str, str] = {}
        if is_table(result) and not session.out.json:
            # A daemon that is older than this command knows of none.
            columns = (await client.actions.info(**place)).get("columns", {})
    if session.out.json:
        session.out.record({"result": result})
    else:
        session.out.lines(result_lines(session.out, result, columns=columns))


async def _place(session: Session, client: Client, name: str) -> dict[str, Any]:
    """Return whose action a name such as `chain.mine` means; without a dot it is the daemon's."""
    service, _, action_name = name.rpartition(".")
    if not service:
        return {"action": action_name, "project": await session.find_project(client)}
    return {"action": action_name, "project": await session.project(client), "service": service}


def _show_event(session: Session, event: Mapping[str, Any]) -> None:
    if session.out.json:
        session.out.record({"event": event["name"], "data": event["data"]})
    elif session.out.verbose or not event.get("detail"):
        session.out.note(action_event(event["name"], event["data"]))


def _described(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    label = partial(flag_label, run)
    yield from signature(session, found, title=_title(found), header="PARAMETER", label=label)
    if found["timeout_s"] is not None:
        yield f"limit     {found['timeout_s']:g} s"


def _title(listed: Mapping[str, Any]) -> str:
    return f"{listed['service']}.{listed['name']}" if listed["service"] else str(listed["name"])
