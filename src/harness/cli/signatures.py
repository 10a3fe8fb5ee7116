"""What something with schemas takes, returns and tells, as people read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

from .action_arguments import shape
from .facts import json_text
from .tables import Cell, table

if TYPE_CHECKING:
    from .session import Session

__all__ = ["flag_label", "option_text", "parameter_facts", "said_as_options", "signature"]


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


def option_text(command: click.Command, name: str, schema: Mapping[str, Any]) -> str:
    """Return how a parameter is given, and what it is: `--path PATH (directory of its sources)`."""
    own = schema.get("properties", {}).get(name, {})
    label, kind = flag_label(command, name), shape(own, schema)
    if label.startswith("--"):
        label += f" {kind.upper() if kind.isalpha() else 'VALUE' if ' ' in kind else kind}"
    text = (own.get("description") or "").rstrip(".")
    return f"{label} ({text})" if text else label


@asynccontextmanager
async def said_as_options(
    command: click.Command, schema: Callable[[], Awaitable[Mapping[str, Any]]]
) -> AsyncIterator[None]:
    """Say what is wrong with parameters in the words of the command line.

    Args:
        command: whose options they are.
        schema: returns the JSON Schema of the parameters; it is called when something is wrong.
    """
    from harness.errors import InvalidParameters

    try:
        yield
    except InvalidParameters as error:
        details: Mapping[str, Any] = error.details
        action, workflow = details.get("action"), details.get("workflow")
        found = details.get("problems")
        if not found or not (action or workflow):
            raise
        text = _problems_text(command, found, await schema())
        what = action or f"workflow {workflow}"
        raise InvalidParameters(
            f"cannot run {what}: {text}", hint=error.hint, details=details
        ) from error


def _problems_text(
    command: click.Command, found: Iterable[Mapping[str, Any]], schema: Mapping[str, Any]
) -> str:
    """Return problems as one text: first what is missing, with how it is given."""
    missing, others = [], []
    for problem in found:
        name, message = problem["path"], problem["message"]
        is_known = name in schema.get("properties", {})
        if is_known and message == "missing":
            missing.append(option_text(command, name, schema))
        else:
            label = flag_label(command, name) if is_known else name
            others.append(f"{label}: {message}" if label else message)
    return "; ".join([*([f"missing: {', '.join(missing)}"] if missing else []), *others])
