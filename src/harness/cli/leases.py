"""`harness lease`: projects that live as long as somebody renews their lease."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from harness.explanations import lease_text

from .commands import Command, Group, async_command
from .moments import age, parse_duration
from .session import Session
from .tables import Cell, table

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["LEASE", "NO_LEASE", "lease", "own_terms"]

NO_LEASE = "none"

if TYPE_CHECKING:
    _LeaseType = click.ParamType[float | str]
else:
    # Older versions of click have no generic parameter types.
    _LeaseType = click.ParamType


class _Lease(_LeaseType):
    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        if value == NO_LEASE:
            return NO_LEASE
        if isinstance(value, float):
            return value
        seconds = parse_duration(value)
        if not seconds:
            self.fail(f"{value!r} is no lease; write how long, such as 30s or 10m, or {NO_LEASE}")
        return seconds


LEASE = _Lease()
"""A command-line value: seconds, or `none`."""


def own_terms(ttl_s: float, owner: str | None) -> dict[str, Any]:
    """Return what a request for a lease carries; without an owner it is this user."""
    if owner is None:
        import getpass

        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a user without a name
            user = f"user {os.getuid()}"
        owner = f"{user} on {socket.gethostname()}"
    return {"ttl_s": ttl_s, "owner": owner}


@click.group(cls=Group, examples=("lease list", "lease renew", "lease release -p shop"))
def lease() -> None:
    """List, renew and release leases of projects."""


@lease.command("list", cls=Command, examples=("lease list", "lease list --json"))
@async_command
async def list_(session: Session) -> None:
    """Show the leases of all projects."""
    async with session.connect() as client:
        leases = await client.leases.list()
    if session.out.json:
        session.out.document(leases)
    elif leases:
        headers = ("PROJECT", "OWNER", "TTL", "LEFT", "LEASE")
        session.out.lines(table(session.out, headers, map(_row, leases)))
    else:
        session.out.note("note: no project has a lease")


@lease.command(cls=Command, examples=("lease renew", "lease renew -p shop --id 1f6a0c2b9d3e"))
@click.option("--id", "lease_id", metavar="LEASE", help="Only if it is this one still.")
@async_command
async def renew(session: Session, *, lease_id: str | None) -> None:
    """Give the project's lease its whole time anew."""
    async with session.connect() as client:
        project = await _project(session, client)
        renewed = await client.leases.renew(project=project, lease=lease_id)
    if session.out.json:
        session.out.document(renewed)
    else:
        session.out.lines([lease_text(renewed)])


@lease.command(cls=Command, examples=("lease release", "lease release -p shop"))
@click.option("--id", "lease_id", metavar="LEASE", help="Only if it is this one still.")
@async_command
async def release(session: Session, *, lease_id: str | None) -> None:
    """End the project's lease.

    The project lives on until somebody takes it down.
    """
    async with session.connect() as client:
        project = await _project(session, client)
        await client.leases.release(project=project, lease=lease_id)
    if session.out.json:
        session.out.document({})


async def _project(session: Session, client: Client) -> str:
    """Return the project's name, also where it is gone: the daemon knows what became of its lease.

    Raises:
        ServiceNotFound: no stack file is here, and none was named.
    """
    name = session.options.project or await session.find_project(client)
    if name is None:
        from harness.config import declared_name, discover

        name = declared_name(session.files() or discover(os.getcwd()))
    return name or await session.project(client)


def _row(found: Mapping[str, Any]) -> list[str | Cell | None]:
    left = age(found["left_s"]) if found["left_s"] else Cell("expired", "bad")
    return [found["project"], found["owner"], age(found["ttl_s"]), left, found["id"]]
