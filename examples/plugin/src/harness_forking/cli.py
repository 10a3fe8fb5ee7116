"""`harness kv`: commands of this distribution's own, for stores of a project."""

from __future__ import annotations

import click

from harness.cli import Command, Group, Session, async_command


@click.group(cls=Group, examples=("kv get store a", "kv set store a 1"))
def kv() -> None:
    """Read and write key-value stores."""


@kv.command(cls=Command, examples=("kv get store a",))
@click.argument("service")
@click.argument("key")
@async_command
async def get(session: Session, *, service: str, key: str) -> None:
    """Print the value of a key; nothing where it has none."""
    async with session.connect() as client:
        value = await client.actions.run(
            project=await session.project(client),
            service=service,
            action="get",
            parameters={"key": key},
        )
    if session.out.json:
        session.out.document(value)
    elif value is not None:
        session.out.lines([value])


@kv.command("set", cls=Command, examples=("kv set store a 1",))
@click.argument("service")
@click.argument("key")
@click.argument("value")
@async_command
async def set_(session: Session, *, service: str, key: str, value: str) -> None:
    """Store a value."""
    async with session.connect() as client:
        await client.actions.run(
            project=await session.project(client),
            service=service,
            action="fill",
            parameters={"values": {key: value}},
        )
