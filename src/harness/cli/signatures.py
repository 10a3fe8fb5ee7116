"""What something with schemas takes, returns and tells, as people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from .action_arguments import shape
from .facts import json_text
from .tables import Cell, table

if TYPE_CHECKING:
    from .session import Session

__all__ = ["flag_label", "parameter_facts", "signature"]


def signature(
    session: Session,
    found: Mapping[str, Any],
    *,
    title: str,
    header: str,
    label: Callable[[str], str],
) -> Iterator[str]:
    """Describe what a daemon answered about an action or a task, line by line.

    Args:
        session: whose output it is for.
        found: has `summary`, `description`, and schemas as `parameters`, `result` and `events`.
        title: what it is called.
        header: what its parameters are called.
        label: returns how a parameter is shown.
    """
    yield f"{title}   {found['summary']}"
    if found["description"]:
        yield ""
        yield found["description"]
    schema = found["parameters"]
    properties = schema.get("properties", {})
    if properties:
        yield ""
        headers = (header, "TYPE", "DEFAULT", "WHAT IT IS")
        rows = ([label(name), *parameter_facts(name, schema)] for name in properties)
        yield from table(session.out, headers, rows)
    yield ""
    yield f"returns   {shape(found['result'], found['result'])}"
    for name, event in found["events"].items():
        yield f"tells     {name} {shape(event, event)}"


def parameter_facts(name: str, schema: Mapping[str, Any]) -> list[str | Cell | None]:
    """Return type, default and text of a parameter, as a table has them."""
    own = schema["properties"][name]
    required = name in schema.get("required", ())
    default = "(required)" if required else json_text(own.get("default"))
    return [shape(own, schema), default, own.get("description")]


def flag_label(command: click.Command, name: str) -> str:
    """Return how people give a parameter to a command that runs what has it.

    That is an option of its name; where the command has such an option itself, it is JSON.
    """
    flag = f"--{name.replace('_', '-')}"
    own = command.get_params(click.Context(command))
    is_taken = any(flag in (*option.opts, *option.secondary_opts) for option in own)
    return f'{{"{name}": …}}' if is_taken else flag
