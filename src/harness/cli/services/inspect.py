"""Commands that look at one unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.arguments import complete, unit_name
from harness.cli.commands import Command, async_command
from harness.cli.session import Session, pick

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["env", "inspect", "port", "why"]


@click.command(cls=Command, examples=("inspect web", "inspect web | jq .spec"))
@unit_name()
@async_command
async def inspect(session: Session, *, unit: str) -> None:
    """Show everything about one unit.

    Prints one document: its state, definition (secrets masked), handle, health and last events.
    """
    async with session.connect() as client:
        project = await session.project(client)
        session.out.document(await client.services.inspect(project=project, unit=unit))


@click.command(cls=Command, examples=("why web",))
@unit_name()
@async_command
async def why(session: Session, *, unit: str) -> None:
    """Explain why a unit is as it is.

    Follows the chain from the unit to what it waits for: conditions, checks, last output, next try.
    """
    from harness.explanations import describe

    async with session.connect() as client:
        project = await session.project(client)
        explanation = await client.services.why(project=project, unit=unit)
    if session.out.json:
        session.out.document(explanation)
    else:
        session.out.lines(describe(explanation))


@click.command(cls=Command, examples=("port db", "port web http", "port web --json"))
@unit_name()
@click.argument("name", required=False, shell_complete=complete("ports"))
@async_command
async def port(session: Session, *, unit: str, name: str | None) -> None:
    """Print where a service listens.

    One `host:port`; with several ports and no name one `name host:port` a line.
    """
    async with session.connect() as client:
        project = await session.project(client)
        status = await client.services.status(project=project)
        endpoints = pick(status["services"], [unit])[0]["endpoints"]
        cause = None if endpoints else await _why_none(client, project, unit)
    if name is not None and name not in endpoints:
        known = ", ".join(endpoints) or "none; ports are known once it runs"
        raise click.UsageError(f'"{unit}" has no port "{name}" (known: {known})')
    chosen = endpoints if name is None else {name: endpoints[name]}
    if session.out.json:
        session.out.document(chosen)
    else:
        session.out.lines(
            f"{address['host']}:{address['port']}"
            if len(chosen) == 1
            else f"{key} {address['host']}:{address['port']}"
            for key, address in chosen.items()
        )
    if cause is not None:
        session.out.note(f'note: "{unit}" {cause}')
        raise click.exceptions.Exit(1)


async def _why_none(client: Client, project: str, unit: str) -> str:
    """Return why no port of a unit is known."""
    declared = (await client.services.inspect(project=project, unit=unit))["spec"]["ports"]
    return "does not run; its ports are known once it does" if declared else "has no ports"


@click.command(cls=Command, examples=("env web", "env web --reveal"))
@unit_name()
@click.option("--reveal", is_flag=True, help="Print secrets, too.")
@async_command
async def env(session: Session, *, unit: str, reveal: bool) -> None:
    """Print a unit's environment.

    As it was resolved for its last start; secrets are masked.
    """
    async with session.connect() as client:
        project = await session.project(client)
        variables = await client.services.env(project=project, unit=unit, reveal=reveal)
    if session.out.json:
        session.out.document(variables)
    else:
        session.out.lines(f"{name}={value}" for name, value in variables.items())
