"""`harness attach`: a service's output as it comes, and its standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.arguments import unit_name
from harness.cli.commands import Command, async_command
from harness.cli.session import Session

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["attach"]


@click.command(cls=Command, examples=("attach repl", "attach repl < commands.txt"))
@unit_name()
@click.option("--tail", type=click.IntRange(min=0), default=0, help="Show last lines first.")
@click.option("--no-stdin", is_flag=True, help="Only look.")
@async_command
async def attach(session: Session, *, unit: str, tail: int, no_stdin: bool) -> None:
    """Follow a service's output, and write to it.

    What is typed or piped in goes to the service's standard input, if it has one. Ctrl-C detaches;
    the service goes on.
    """
    import anyio

    async with session.connect() as client:
        project = await session.project(client)
        async with anyio.create_task_group() as tasks:
            if not no_stdin:
                tasks.start_soon(_feed, session, client, project, unit)
            await _show(session, client, project, unit, tail)
            tasks.cancel_scope.cancel()


async def _show(session: Session, client: Client, project: str, unit: str, tail: int) -> None:
    async with client.logs.read(project=project, units=[unit], tail=tail, follow=True) as chunks:
        async for chunk in chunks:
            data = chunk["text"].encode("utf-8", "surrogateescape")
            session.out.write(data, err=chunk["stream"] == "stderr")


async def _feed(session: Session, client: Client, project: str, unit: str) -> None:
    from harness.cli.streams import read_stdin
    from harness.errors import NotSupported

    try:
        async for piece in read_stdin():
            await client.services.write(project=project, unit=unit, data=piece)
    except NotSupported as error:
        session.out.note(f"note: input is not taken: {error}")
