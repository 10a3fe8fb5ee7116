"""`harness plan` and `harness graph`: what would happen, and the order behind it."""

from __future__ import annotations

import click

from .arguments import unit_names
from .commands import Command, async_command
from .session import Session
from .tables import Cell, table

__all__ = ["graph", "plan"]

_STYLES = {"start": "good", "run": "good", "restart": "busy", "stop": "bad"}


@click.command(cls=Command, examples=("plan", "plan web", "plan --json"))
@unit_names()
@async_command
async def plan(session: Session, *, units: tuple[str, ...]) -> None:
    """Show what `up` would do, and why.

    Changes nothing.
    """
    async with session.connect(reads_stack=True) as client:
        diff = await client.plan.diff(source=session.source(), units=list(units))
    if session.out.json:
        session.out.document(diff)
        return
    rows = [
        [
            change["unit"],
            Cell(change["action"], _STYLES.get(change["action"], "dim")),
            "; ".join(change["reasons"]) or None,
        ]
        for change in diff["changes"]
    ]
    session.out.lines(table(session.out, ("SERVICE", "ACTION", "WHY"), rows))


@click.command(
    cls=Command,
    examples=("graph", "graph --format mermaid", "graph --format dot | dot -Tsvg > stack.svg"),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "dot", "mermaid", "json"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
@async_command
async def graph(session: Session, *, form: str) -> None:
    """Show who depends on whom."""
    from .graphs import as_dot, as_mermaid, as_text

    async with session.connect(reads_stack=True) as client:
        document = await client.plan.graph(source=session.source())
    if session.out.json or form == "json":
        session.out.document(document)
        return
    write = {"text": as_text, "dot": as_dot, "mermaid": as_mermaid}[form]
    session.out.lines(write(document))
