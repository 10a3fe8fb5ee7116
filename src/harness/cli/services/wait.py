"""`harness wait`: return when services are as wanted, or say why they are not."""

from __future__ import annotations

from typing import Literal

import click

from harness.cli.arguments import unit_names
from harness.cli.commands import Command, async_command
from harness.cli.moments import DURATION
from harness.cli.session import Session

__all__ = ["wait"]


@click.command(
    cls=Command,
    examples=(
        "wait",
        "wait db --timeout 30s",
        "wait seed --for completed",
        "wait web --for stopped",
    ),
)
@unit_names()
@click.option(
    "--for",
    "target",
    type=click.Choice(["healthy", "started", "stopped", "completed"]),
    default="healthy",
    show_default=True,
    help="What to wait for.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=DURATION,
    default=60.0,
    show_default="1m",
    help="Give up after this long, with exit code 124.",
)
@async_command
async def wait(
    session: Session,
    *,
    units: tuple[str, ...],
    target: Literal["healthy", "started", "stopped", "completed"],
    timeout_s: float,
) -> None:
    """Wait until services are as wanted.

    Without names it waits for all. Returns on the observed state; when time is up the error
    explains what is missing.
    """
    async with session.connect() as client:
        await client.services.wait(
            project=await session.project(client),
            units=list(units),
            target=target,
            timeout_s=timeout_s,
        )
    if session.out.json:
        session.out.document({})
