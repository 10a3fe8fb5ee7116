"""`harness up`: start what is not up yet, in order, and wait until it is ready."""

from __future__ import annotations

import click

from harness.cli.arguments import unit_names
from harness.cli.commands import Command, async_command, starts_daemon
from harness.cli.moments import DURATION
from harness.cli.operations import finish
from harness.cli.session import Session

__all__ = ["up"]


@click.command(
    cls=Command, examples=("up", "up web --timeout 2m", "up --force seed", "up --no-wait")
)
@unit_names()
@click.option("--wait/--no-wait", default=True, help="Wait until all is ready; else print the id.")
@click.option(
    "--timeout", "timeout_s", type=DURATION, help="Give up after this long, such as 90 or 2m."
)
@click.option("--keep-going", is_flag=True, help="Go on with what does not need a failed unit.")
@click.option("--force", is_flag=True, help="Run tasks again that have completed.")
@click.option("--deps/--no-deps", default=True, help="Start what the services need, too.")
@starts_daemon(reads_stack=True)
@async_command
async def up(
    session: Session,
    *,
    units: tuple[str, ...],
    wait: bool,
    timeout_s: float | None,
    keep_going: bool,
    force: bool,
    deps: bool,
) -> None:
    """Start what is not up yet, in order, and wait.

    Without names everything of the stack is started. What runs already as the file says is left
    alone; what changed is restarted; completed tasks are skipped. Ctrl-C cancels; what is ready by
    then keeps running.
    """
    async with session.connect(reads_stack=True) as client:
        starting = client.services.up(
            source=session.source(),
            units=list(units),
            force=force,
            keep_going=keep_going,
            deps=deps,
            timeout_s=timeout_s,
        )
        await finish(session, client, starting, wait=wait, show_units=True)
