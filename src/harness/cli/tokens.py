"""`harness token`: who of other machines may log in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from .arguments import complete
from .commands import Command, Group, async_command
from .moments import DURATION, clock_time
from .roles import role_option
from .session import Session
from .tables import Cell, table

__all__ = ["token"]


@click.group(
    cls=Group,
    examples=("token create ci --role operator --expires 30d", "token list", "token revoke ci"),
)
def token() -> None:
    """Let clients of other machines log in.

    A viewer sees everything, with secrets masked, and what services print as it is. An operator
    drives what is there, an admin may run anything.
    """


@token.command(
    cls=Command,
    examples=(
        "token create ci --role operator --expires 30d > ci.token",
        "token create dashboard --role viewer",
    ),
)
@click.argument("name", shell_complete=complete("new_name"))
@role_option
@click.option("--expires", "lifetime_s", type=DURATION, help="It ends after so long, such as 30d.")
@async_command
async def create(session: Session, *, name: str, role: str, lifetime_s: float | None) -> None:
    """Make a token and print it, this once.

    Keep it in a file that only you can read: `umask 077` before.
    """
    async with session.connect() as client:
        made = await client.tokens.create(name=name, role=role, lifetime_s=lifetime_s)
    if session.out.json:
        session.out.document(made)
        return
    session.out.lines([made["token"]])
    ends = (
        f"until {clock_time(made['expires_at'])}" if made["expires_at"] else "until it is revoked"
    )
    session.out.note(f"note: it is shown this once, and lets in as {role} {ends}")


@token.command("list", cls=Command, examples=("token list", "token list --json"))
@async_command
async def list_(session: Session) -> None:
    """Show all tokens, without what is secret."""
    async with session.connect() as client:
        found = await client.tokens.list()
    if session.out.json:
        session.out.document(found)
    elif found:
        headers = ("NAME", "ROLE", "CREATED", "EXPIRES")
        session.out.lines(table(session.out, headers, map(_row, found)))
    else:
        session.out.note("note: there is no token; harness token create makes one")


@token.command(cls=Command, examples=("token revoke ci",))
@click.argument("name", shell_complete=complete("tokens"))
@async_command
async def revoke(session: Session, *, name: str) -> None:
    """Forget a token, and end the connections that it made."""
    async with session.connect() as client:
        await client.tokens.revoke(name=name)


def _row(token: Mapping[str, Any]) -> list[str | Cell | None]:
    ends = token["expires_at"] and clock_time(token["expires_at"])
    return [
        token["name"],
        token["role"],
        clock_time(token["created_at"]),
        Cell(f"{ends} (expired)", "bad") if token["expired"] else ends,
    ]
