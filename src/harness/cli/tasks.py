"""`harness task`: units that are to complete once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from .arguments import complete, task_names
from .commands import Command, Group, async_command
from .moments import clock_time
from .operations import finish
from .session import Session, pick
from .signatures import signature
from .tables import Cell, table
from .units import state_cell

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["task"]


@click.group(cls=Group, examples=("task list", "task info deploy", "task run seed --force"))
def task() -> None:
    """List, describe, run and reset tasks."""


@task.command("list", cls=Command, examples=("task list", "task list --json"))
@async_command
async def list_(session: Session) -> None:
    """Show all tasks."""
    async with session.connect() as client:
        _show(session, await _tasks(session, client))


@task.command(cls=Command, examples=("task status", "task status seed"))
@task_names(required=False)
@async_command
async def status(session: Session, *, tasks: tuple[str, ...]) -> None:
    """Show how tasks are.

    Exits with 3 when one of them has not completed.
    """
    async with session.connect() as client:
        chosen = pick(await _tasks(session, client), tasks, task=True)
    _show(session, chosen)
    if any(task["completed_at"] is None for task in chosen):
        raise click.exceptions.Exit(3)


@task.command(cls=Command, examples=("task info deploy",))
@click.argument("name", metavar="TASK", shell_complete=complete("tasks"))
@async_command
async def info(session: Session, *, name: str) -> None:
    """Show what the type of a task takes, returns and tells while it runs."""
    async with session.connect() as client:
        found = await client.tasks.info(project=await session.project(client), task=name)
    if session.out.json:
        session.out.document(found)
        return
    title = f"{name} ({found['task_type']})"
    session.out.lines(signature(session, found, title=title, header="CONFIG", label=str))


@task.command(cls=Command, examples=("task run seed", "task run seed --force"))
@task_names(required=True)
@click.option("--force", is_flag=True, help="Run them again even if they have completed.")
@click.option("--wait/--no-wait", default=True, help="Wait until they complete; else print the id.")
@async_command
async def run(session: Session, *, tasks: tuple[str, ...], force: bool, wait: bool) -> None:
    """Run tasks, and start what they need.

    A task that has completed with the same inputs is skipped.
    """
    async with session.connect(reads_stack=True) as client:
        starting = client.tasks.run(source=session.source(), tasks=list(tasks), force=force)
        await finish(session, client, starting, wait=wait, show_units=True)


@task.command(cls=Command, examples=("task reset seed",))
@task_names(required=True)
@async_command
async def reset(session: Session, *, tasks: tuple[str, ...]) -> None:
    """Forget that tasks have completed.

    The next `up` runs them again.
    """
    async with session.connect() as client:
        await client.tasks.reset(project=await session.project(client), tasks=list(tasks))
    if session.out.json:
        session.out.document({})


async def _tasks(session: Session, client: Client) -> list[Mapping[str, Any]]:
    return list(await client.tasks.list(project=await session.project(client)))


def _show(session: Session, tasks: list[Mapping[str, Any]]) -> None:
    if session.out.json:
        session.out.document(tasks)
    elif tasks:
        session.out.lines(
            table(session.out, ("TASK", "STATE", "COMPLETED", "OUTPUTS"), map(_row, tasks))
        )
    else:
        session.out.note("note: the stack has no tasks")


def _row(task: Mapping[str, Any]) -> list[str | Cell | None]:
    completed_at = task["completed_at"]
    outputs = ", ".join(f"{name}={value}" for name, value in task["outputs"].items())
    return [
        task["name"],
        state_cell(task),
        clock_time(completed_at) if completed_at else None,
        outputs or task["message"] or None,
    ]
