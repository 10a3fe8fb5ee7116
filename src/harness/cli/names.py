"""Names for a shell that completes a word: from the stack file, else from a daemon that runs.

The file is read first, for its names alone: that takes a tenth of the time of a question to the
daemon, and needs none. Nothing is ever started here, and no error is ever said.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from harness.client import Client
    from harness.config import Outline

    from .session import Session

__all__ = [
    "complete_action_parameters",
    "complete_actions",
    "complete_contexts",
    "complete_directories",
    "complete_files",
    "complete_labels",
    "complete_new_name",
    "complete_ports",
    "complete_profiles",
    "complete_projects",
    "complete_snapshots",
    "complete_tasks",
    "complete_tokens",
    "complete_units",
    "complete_workflow_parameters",
    "complete_workflow_runs",
    "complete_workflows",
]

Rows = Sequence[Mapping[str, Any]]

_DEADLINE_S = 0.15


def complete_units(context: click.Context, parameter: click.Parameter, word: str) -> list[str]:
    """Return services and tasks, but for those that stand there already."""
    return _fitting(word, _known(context).units, given=_given(context, parameter))


def complete_tasks(context: click.Context, parameter: click.Parameter, word: str) -> list[str]:
    """Return tasks, but for those that stand there already."""
    units = _known(context).units.items()
    tasks = [name for name, kind in units if kind == "task"]
    return _fitting(word, tasks, given=_given(context, parameter))


def complete_ports(context: click.Context, _: click.Parameter, word: str) -> list[str]:
    """Return the ports of the unit that was named before."""
    return _fitting(word, _known(context).ports.get(context.params.get("unit") or "", ()))


def complete_profiles(context: click.Context, parameter: click.Parameter, word: str) -> list[str]:
    """Return the profiles of the stack file."""
    return _fitting(word, _of_files(_session(context)).profiles, given=_given(context, parameter))


def complete_projects(context: click.Context, _: click.Parameter, word: str) -> list[str]:
    """Return the projects that the daemon has."""

    async def ask(client: Client) -> Rows:
        return list(await client.projects.list())

    return _fitting(word, [project["name"] for project in _asked(_session(context), ask)])


def complete_snapshots(context: click.Context, _: click.Parameter, word: str) -> list[str]:
    """Return the snapshots of the stack."""
    session = _session(context)

    async def ask(client: Client) -> Rows:
        project = await session.find_project(client)
        return [] if project is None else list(await client.snapshots.list(project=project))

    return _fitting(word, [found["name"] for found in _asked(session, ask)])


def complete_new_name(_: click.Context, __: click.Parameter, ___: str) -> list[str]:
    """Return nothing: the word is one that is not there yet."""
    return []


def complete_tokens(context: click.Context, _: click.Parameter, word: str) -> list[str]:
    """Return the tokens of the daemon."""

    async def ask(client: Client) -> Rows:
        return list(await client.tokens.list())

    return _fitting(word, [token["name"] for token in _asked(_session(context), ask)])


def complete_contexts(_: click.Context, __: click.Parameter, word: str) -> list[str]:
    """Return the contexts of the user."""
    from harness.client import LOCAL, Contexts
    from harness.errors import ContextError

    try:
        return _fitting(word, [LOCAL, *Contexts.of_user().all()])
    except ContextError:
        return []


def complete_actions(context: click.Context, _: click.Parameter, word: str) -> list[str]:
    """Return actions, such as `chain.mine`."""
    session = _session(context)

    async def ask(client: Client) -> Rows:
        return list(await client.actions.list(project=await session.find_project(client)))

    found = _asked(session, ask)
    return _fitting(
        word, [f"{a['service']}.{a['name']}" if a["service"] else a["name"] for a in found]
    )


def complete_action_parameters(context: click.Context, _: click.Parameter, word: str) -> list[str]:
    """Return the options of the action that was named before."""
    session = _session(context)
    service, __, action = str(context.params.get("name") or "").rpartition(".")

    async def ask(client: Client) -> Rows:
        project = await session.find_project(client)
        return [await client.actions.info(action=action, project=project, service=service or None)]

    names = [name for found in _asked(session, ask) for name in found["parameters"]["properties"]]
    return _fitting(word, [f"--{name.replace('_', '-')}" for name in names])


def complete_workflows(context: click.Context, _: click.Parameter, word: str) -> list[str]:
    """Return the workflows of the stack file, and those that only the daemon knows."""
    session = _session(context)

    async def ask(client: Client) -> Rows:
        project = await session.find_project(client)
        return [] if project is None else list(await client.workflows.list(project=project))

    found = [workflow["name"] for workflow in _asked(session, ask)]
    if session.options.project is None:
        found = [*_of_files(session).workflows, *found]
    return _fitting(word, dict.fromkeys(found))


def complete_workflow_parameters(
    context: click.Context, _: click.Parameter, word: str
) -> list[str]:
    """Return the options of the workflow that was named before."""
    session = _session(context)
    name = str(context.params.get("name") or "")

    async def ask(client: Client) -> Rows:
        return [await client.workflows.info(workflow=name, source=session.source())]

    names = [name for found in _asked(session, ask) for name in found["parameters"]["properties"]]
    return _fitting(word, [f"--{name.replace('_', '-')}" for name in names])


def complete_workflow_runs(context: click.Context, _: click.Parameter, word: str) -> list[str]:
    """Return the ids of runs."""
    session = _session(context)

    async def ask(client: Client) -> Rows:
        project = await session.find_project(client)
        return list(await client.workflows.runs(project=project)) if project is not None else []

    return _fitting(word, [run["id"] for run in _asked(session, ask)])


def complete_labels(context: click.Context, _: click.Parameter, word: str) -> list[str]:
    """Return labels of registered units: their names, and with values once a `=` is there."""

    async def ask(client: Client) -> Rows:
        return list(await client.registry.list())

    entries = _asked(_session(context), ask)
    labels = [label for entry in entries for label in entry["labels"].items()]
    named = [f"{name}={value}" if "=" in word else name for name, value in labels]
    return _fitting(word, dict.fromkeys(named))


def complete_files(_: click.Context, __: click.Parameter, word: str) -> list[Any]:
    """Leave the word to the shell, which completes it as the path of a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(word, type="file")]


def complete_directories(_: click.Context, __: click.Parameter, word: str) -> list[Any]:
    """Leave the word to the shell, which completes it as the path of a directory."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(word, type="dir")]


def _fitting(word: str, names: Iterable[str], *, given: Iterable[str] = ()) -> list[str]:
    return [name for name in names if name.startswith(word) and name not in given]


def _given(context: click.Context, parameter: click.Parameter) -> tuple[str, ...]:
    given = context.params.get(parameter.name or "")
    return given if isinstance(given, tuple) else ()


def _session(context: click.Context) -> Session:
    session: Session = context.find_root().obj
    session.begin()
    return session


def _known(context: click.Context) -> Outline:
    """Return the names of the project that the words so far are about."""
    session = _session(context)
    if session.options.project is None:
        found = _of_files(session)
        return found if found.units else _of_daemon(session)
    # It need not be the project of the file that is here.
    found = _of_daemon(session)
    return found if found.units else _of_files(session)


def _of_files(session: Session) -> Outline:
    from harness.config import discover, outline

    return outline(session.files() or discover(os.getcwd()))


def _of_daemon(session: Session) -> Outline:
    from harness.config import Outline

    async def ask(client: Client) -> Rows:
        project = await session.find_project(client)
        if project is None:
            return []
        return (await client.services.status(project=project))["services"]

    units = _asked(session, ask)
    return Outline(
        units={unit["name"]: unit["kind"] for unit in units},
        ports={unit["name"]: tuple(unit["endpoints"]) for unit in units},
    )


def _asked(session: Session, question: Callable[[Client], Awaitable[Rows]]) -> Rows:
    """Return the daemon's answer; nothing when none runs, or when it takes its time."""
    import anyio

    from harness.errors import HarnessError

    async def ask() -> Rows:
        with anyio.fail_after(_DEADLINE_S):
            async with session.connect(start=False) as client:
                return await question(client)

    try:
        return anyio.run(ask)
    except (HarnessError, click.UsageError, TimeoutError, BaseExceptionGroup):
        return []
