"""`harness gc`: what nobody will come back for, shown and removed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from .commands import Command, async_command
from .exit_codes import OPERATION_FAILED
from .session import Session
from .tables import Cell, table

__all__ = ["gc"]

Found = Mapping[str, Any]


@click.command(cls=Command, examples=("gc --dry-run", "gc", "gc --under /tmp --all --yes"))
@click.option("--dry-run", is_flag=True, help="Only show what is there.")
@click.option(
    "--all",
    "adoptable",
    is_flag=True,
    help="Also what another daemon, which does not run, would go on with.",
)
@click.option(
    "--under",
    metavar="DIRECTORY",
    callback=lambda _, __, value: value and os.path.abspath(value),
    help="Of other daemons only what belonged to state directories in this directory.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask, on a terminal.")
@async_command
async def gc(
    session: Session, *, dry_run: bool, adoptable: bool, under: str | None, yes: bool
) -> None:
    """Remove what nobody will come back for.

    That is projects of this daemon whose stack file is gone and that have no lease, or whose lease
    has expired; directories and records of projects that nobody knows; and processes of this user
    whose daemon and state directory are gone, or do not know them. What a living daemon owns is
    never touched. Services whose daemon was killed are shown, with the command that takes them up
    again. Exits with 1 when something could not be removed.
    """
    async with session.connect() as client:
        if dry_run or (not yes and _can_ask(session)):
            found = await client.leftovers.list(under=under)
            chosen = [one for one in found if _is_chosen(one, adoptable=adoptable)]
            if dry_run or not chosen:
                _show(session, found, adoptable=adoptable)
                return
            _show(session, found, adoptable=adoptable)
            click.confirm("Remove them?", abort=True, err=True)
        found = await client.leftovers.remove(under=under, adoptable=adoptable)
    _show(session, found, adoptable=adoptable, done=True)
    if any(one["error"] for one in found):
        raise click.exceptions.Exit(OPERATION_FAILED)


def _can_ask(session: Session) -> bool:
    return sys.stdin.isatty() and not session.out.json


def _is_chosen(one: Found, *, adoptable: bool) -> bool:
    return bool(one["removable"] or (adoptable and one["adoptable"]))


def _show(session: Session, found: Sequence[Found], *, adoptable: bool, done: bool = False) -> None:
    if session.out.json:
        session.out.document(found)
        return
    if not found:
        session.out.note("note: nothing is left over")
        return
    rows = [_row(one, adoptable=adoptable, done=done) for one in found]
    session.out.lines(table(session.out, ("WHAT", "NAME", "PIDS", "THEN", "WHY"), rows))
    for hint in dict.fromkeys(one["hint"] for one in found if one["hint"] and not one["removed"]):
        session.out.note(f"hint: {hint}")


def _row(one: Found, *, adoptable: bool, done: bool) -> list[str | Cell | None]:
    if one["error"]:
        then, why = Cell("failed", "bad"), f"{one['error']}; {one['why']}"
    elif one["removed"]:
        then, why = Cell("removed", "good"), one["why"]
    elif not done and _is_chosen(one, adoptable=adoptable):
        then, why = Cell("to remove", "busy"), one["why"]
    else:
        then, why = Cell("kept", "dim"), one["why"]
    return [one["kind"], one["name"], ",".join(map(str, one["pids"])) or None, then, why]
