"""`harness logs`: what services printed, byte for byte."""

from __future__ import annotations

from typing import Literal

import click

from .arguments import unit_names
from .commands import Command, async_command
from .moments import MOMENT
from .session import Session, pick

__all__ = ["logs"]


def _tail(_: click.Context, __: click.Parameter, value: str) -> int | None:
    if value == "all":
        return None
    if not value.isdigit():
        raise click.BadParameter(f'"{value}" is no number of lines, and not "all"')
    return int(value)


@click.command(
    cls=Command,
    examples=(
        "logs",
        "logs -f web worker",
        "logs --tail 100 --since 10m",
        "logs web --grep 'error|panic' --stream stderr",
        "logs web --no-prefix > web.log",
    ),
)
@unit_names()
@click.option("-f", "--follow", is_flag=True, help="Go on as more is printed.")
@click.option(
    "-n", "--tail", default="all", metavar="N|all", callback=_tail, help="Last lines of each unit."
)
@click.option(
    "--since",
    type=MOMENT,
    help="Only what is newer: 15:56:12, a date and time, or how long ago (10m).",
)
@click.option("--until", type=MOMENT, help="Only what is older: likewise.")
@click.option("--grep", metavar="REGEX", help="Only lines that it is found in.")
@click.option("--stream", type=click.Choice(["stdout", "stderr"]), help="Only this stream.")
@click.option("-t", "--timestamps", is_flag=True, help="Put the time before each line.")
@click.option("--prefix/--no-prefix", default=True, help="Put the service before each line.")
@async_command
async def logs(
    session: Session,
    *,
    units: tuple[str, ...],
    follow: bool,
    tail: int | None,
    since: str | None,
    until: str | None,
    grep: str | None,
    stream: Literal["stdout", "stderr"] | None,
    timestamps: bool,
    prefix: bool,
) -> None:
    """Show what services printed.

    Without names that of all, by time; with -f as it comes. Here `-f` follows: write
    --file for the stack file.
    """
    from .log_lines import LogPrinter

    async with session.connect(lasting=follow) as client:
        project = await session.project(client)
        status = await client.services.status(project=project)
        names = [unit["name"] for unit in pick(status["services"], units)]
        printer = LogPrinter(session.out, names=names, prefix=prefix, timestamps=timestamps)
        async with client.logs.read(
            project=project,
            units=list(units),
            tail=tail,
            since=since,
            until=until,
            grep=grep,
            stream=stream,
            follow=follow,
        ) as chunks:
            async for chunk in chunks:
                printer.print(chunk)
        printer.end()
