"""`harness attach`: a service's output as it comes, and its standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.cli.arguments import unit_name
from harness.cli.commands import Command, async_command
from harness.cli.session import Session

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from harness.client import Client

__all__ = ["attach"]

_QUIET_S = 0.5


@click.command(cls=Command, examples=("attach repl", "attach repl < commands.txt"))
@unit_name()
@click.option("--tail", type=click.IntRange(min=0), default=0, help="Show last lines first.")
@click.option("--no-stdin", is_flag=True, help="Only look.")
@async_command
async def attach(session: Session, *, unit: str, tail: int, no_stdin: bool) -> None:
    """Follow a service's output, and write to it.

    What is typed or piped in goes to the service's standard input, if it has one. Ctrl-C detaches;
    the service goes on. When input was piped in and has ended, it ends after half a second without
    output; --no-stdin follows until Ctrl-C.
    """
    from datetime import UTC, datetime

    import anyio

    async with session.connect() as client:
        project = await session.project(client)
        # By time, not from the end: what comes while the subscription is opened is not missed.
        since = None if tail else datetime.now(UTC).isoformat()
        async with client.logs.read(
            project=project, units=[unit], tail=tail or None, since=since, follow=True
        ) as chunks:
            heard = _Heard()
            async with anyio.create_task_group() as tasks:
                if not no_stdin:
                    tasks.start_soon(_feed, session, client, project, unit, heard, tasks)
                async for chunk in chunks:
                    heard.tell()
                    data = chunk["text"].encode("utf-8", "surrogateescape")
                    session.out.write(data, err=chunk["stream"] == "stderr")
                tasks.cancel_scope.cancel()


class _Heard:
    """Knows when output came last."""

    def __init__(self) -> None:
        import anyio

        self._again = anyio.Event()

    def tell(self) -> None:
        """Note that output came."""
        import anyio

        self._again.set()
        self._again = anyio.Event()

    async def quiet(self) -> None:
        """Return once nothing has come for a moment."""
        import anyio

        while True:
            with anyio.move_on_after(_QUIET_S) as scope:
                await self._again.wait()
            if scope.cancelled_caught:
                return


async def _feed(
    session: Session, client: Client, project: str, unit: str, heard: _Heard, tasks: TaskGroup
) -> None:
    from harness.cli.streams import has_piped_stdin, read_stdin
    from harness.errors import NotSupported

    sent = False
    try:
        async for piece in read_stdin():
            await client.services.write(project=project, unit=unit, data=piece)
            sent = True
    except NotSupported as error:
        session.out.note(f"note: input is not taken: {error}")
        if "support stdin" in str(error):
            session.out.note("hint: a service takes input with `stdin: true` in the stack file")
        return
    if sent and has_piped_stdin():
        await heard.quiet()
        tasks.cancel_scope.cancel()
