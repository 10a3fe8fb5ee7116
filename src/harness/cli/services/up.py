"""`harness up`: start what is not up yet, in order, and wait until it is ready."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager, suppress
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

import click

from harness.cli.arguments import unit_names
from harness.cli.commands import Command, async_command, starts_daemon
from harness.cli.leases import LEASE, NO_LEASE, own_terms
from harness.cli.moments import DURATION
from harness.cli.operations import finish
from harness.cli.session import Session

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["up"]


@click.command(
    cls=Command,
    examples=("up", "up web --timeout 2m", "up --force seed", "up --no-wait", "up --lease 10m"),
)
@unit_names()
@click.option("--wait/--no-wait", default=True, help="Wait until all is ready; else print the id.")
@click.option(
    "--timeout", "timeout_s", type=DURATION, help="Give up after this long, such as 90 or 2m."
)
@click.option("--keep-going", is_flag=True, help="Go on with what does not need a failed unit.")
@click.option("--force", is_flag=True, help="Run tasks again that have completed.")
@click.option("--deps/--no-deps", default=True, help="Start what the services need, too.")
@click.option(
    "--lease",
    type=LEASE,
    help="Take the project down so long after its lease was last renewed; none: keep it.",
)
@click.option("--lease-owner", metavar="TEXT", help="Who holds the lease; else you.")
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
    lease: float | str | None,
    lease_owner: str | None,
) -> None:
    """Start what is not up yet, in order, and wait.

    Without names everything of the stack is started. What runs already as the file says is left
    alone; what changed is restarted; completed tasks are skipped. Ctrl-C cancels; what is ready by
    then keeps running. A project that has a lease keeps it, unless another one is given.
    """
    terms = own_terms(lease, lease_owner) if isinstance(lease, float) else None
    if lease_owner is not None and terms is None:
        raise click.UsageError("--lease-owner needs --lease")
    async with session.connect(reads_stack=True) as client:
        starting = client.services.up(
            source=session.source(),
            units=list(units),
            force=force,
            keep_going=keep_going,
            deps=deps,
            timeout_s=timeout_s,
            lease=terms,
            keep_lease=lease != NO_LEASE,
        )
        async with _renewing(client, starting, terms) as begun:
            await finish(session, client, begun, wait=wait, show_units=True)


@asynccontextmanager
async def _renewing(
    client: Client, starting: Awaitable[Mapping[str, Any]], terms: Mapping[str, Any] | None
) -> AsyncIterator[Awaitable[Mapping[str, Any]]]:
    """Renew the lease from the moment that the project has it, for as long as the context is open.

    Somebody waits for the stack: it is not taken down because it takes its time.
    """
    if terms is None:
        yield starting
        return
    import anyio

    async with anyio.create_task_group() as group:

        async def start() -> Mapping[str, Any]:
            operation = await starting
            group.start_soon(_renew, client, operation["project"], terms["ttl_s"])
            return operation

        begun = start()
        try:
            yield begun
        finally:
            # An interrupt may come before either was called at all.
            begun.close()
            if iscoroutine(starting):
                starting.close()
            group.cancel_scope.cancel()


async def _renew(client: Client, project: str, ttl_s: float) -> None:
    from harness.errors import HarnessError

    # What becomes of the stack is told by the operation; without a lease it may end now.
    with suppress(HarnessError):
        await client.leases.keep_alive(project=project, ttl_s=ttl_s)
