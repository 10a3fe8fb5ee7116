"""Arguments that name units; a shell completes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["complete", "task_names", "unit_name", "unit_names"]

F = TypeVar("F", bound=Callable[..., Any])

Completer = Callable[[click.Context, click.Parameter, str], list[Any]]


def complete(what: str) -> Completer:
    """Return what completes a word with names of a kind, such as `ports`; see `names.py`."""

    def completed(context: click.Context, parameter: click.Parameter, word: str) -> list[Any]:
        from . import names  # only a shell needs it

        completer: Completer = getattr(names, f"complete_{what}")
        return completer(context, parameter, word)

    return completed


def unit_names(*, required: bool = False) -> Callable[[F], F]:
    """Take any number of names as `units`."""
    return click.argument(
        "units",
        nargs=-1,
        metavar="[SERVICE]...",
        required=required,
        shell_complete=complete("units"),
    )


def unit_name() -> Callable[[F], F]:
    """Take one name as `unit`."""
    return click.argument("unit", metavar="SERVICE", shell_complete=complete("units"))


def task_names(*, required: bool) -> Callable[[F], F]:
    """Take any number of task names as `tasks`."""
    metavar = "TASK..." if required else "[TASK]..."
    return click.argument(
        "tasks", nargs=-1, metavar=metavar, required=required, shell_complete=complete("tasks")
    )
