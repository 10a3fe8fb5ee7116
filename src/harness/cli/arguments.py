"""Arguments that name units, completed from the daemon if one runs, else from the stack file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["task_names", "unit_name", "unit_names"]

F = TypeVar("F", bound=Callable[..., Any])

_DEADLINE_S = 1.0


def unit_names(*, required: bool = False) -> Callable[[F], F]:
    """Take any number of names as `units`."""
    return click.argument(
        "units", nargs=-1, metavar="[SERVICE]...", required=required, shell_complete=_units
    )


def unit_name() -> Callable[[F], F]:
    """Take one name as `unit`."""
    return click.argument("unit", metavar="SERVICE", shell_complete=_units)


def task_names(*, required: bool) -> Callable[[F], F]:
    """Take any number of task names as `tasks`."""
    metavar = "TASK..." if required else "[TASK]..."
    return click.argument(
        "tasks", nargs=-1, metavar=metavar, required=required, shell_complete=_tasks
    )


def _units(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    return [name for name, _ in _known(context) if name.startswith(incomplete)]


def _tasks(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    return [
        name for name, kind in _known(context) if kind == "task" and name.startswith(incomplete)
    ]


def _known(context: click.Context) -> list[tuple[str, str]]:
    """Return name and kind of every unit; nothing when neither daemon nor file can tell."""
    import anyio

    from harness.errors import HarnessError

    session = context.find_root().obj
    session.begin()

    async def ask() -> list[tuple[str, str]]:
        with anyio.fail_after(_DEADLINE_S):
            async with session.connect(start=False) as client:
                project = await session.find_project(client)
                if project is None:
                    raise LookupError
                status = await client.services.status(project=project)
        return [(unit["name"], unit["kind"]) for unit in status["services"]]

    try:
        return anyio.run(ask)
    except (HarnessError, LookupError, TimeoutError, BaseExceptionGroup):
        pass
    from .stack_file import configured_units

    try:
        return [(unit["name"], unit["kind"]) for unit in configured_units(session)["services"]]
    except HarnessError:
        return []
