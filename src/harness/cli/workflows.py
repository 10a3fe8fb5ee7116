"""`harness workflow`: steps over the services of a stack, run as one, and what became of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from .action_arguments import named_options, parse_arguments
from .arguments import complete
from .commands import Command, Group, async_command
from .moments import age, clock_time, elapsed_s
from .operations import finish
from .session import Session
from .signatures import flag_label, option_text, parameter_facts, said_as_options
from .step_lines import StepLines
from .tables import Cell, columns, table
from .written_steps import planned_text, short, step_rows

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["workflow"]

_STYLES = {"done": "good", "failed": "bad", "cancelled": "bad", "interrupted": "bad",
           "running": "busy", "skipped": "dim"}  # fmt: skip


@click.group(
    cls=Group,
    examples=("workflow list", "workflow run deploy --dry-run", "workflow run deploy --blocks 3"),
)
def workflow() -> None:
    """List, run and look at workflows.

    They are under `workflows` in the stack file, or a plugin brings them.
    """


@workflow.command("list", cls=Command, examples=("workflow list", "workflow list --json"))
@async_command
async def list_(session: Session) -> None:
    """Show all workflows."""
    async with session.connect(reads_stack=_has_files(session)) as client:
        found = await client.workflows.list(**await _place(session, client))
    if session.out.json:
        session.out.document(found)
    elif found:
        rows = ([f["name"], ", ".join(f["parameters"]), f["description"]] for f in found)
        session.out.lines(table(session.out, ("WORKFLOW", "PARAMETERS", "WHAT IT DOES"), rows))
    else:
        session.out.note("note: the stack has no workflows")


@workflow.command(cls=Command, examples=("workflow info deploy",))
@click.argument("name", metavar="WORKFLOW", shell_complete=complete("workflows"))
@async_command
async def info(session: Session, *, name: str) -> None:
    """Show what a workflow takes, and its steps."""
    async with session.connect(reads_stack=_has_files(session)) as client:
        place = await _place(session, client)
        found = await client.workflows.info(workflow=name, **place)
    if session.out.json:
        session.out.document(found)
    else:
        session.out.lines(_described(session, found))


@workflow.command(
    cls=named_options("workflow_parameters"),
    context_settings={"ignore_unknown_options": True},
    examples=("workflow run deploy --blocks 3", "workflow run deploy --dry-run"),
)
@click.argument("name", metavar="WORKFLOW", shell_complete=complete("workflows"))
@click.argument(
    "arguments",
    nargs=-1,
    type=click.UNPROCESSED,
    metavar="[--NAME VALUE|JSON|@FILE]...",
    shell_complete=complete("workflow_parameters"),
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--wait/--no-wait", default=True, help="Wait for its end; else print the id.")
@async_command
async def run(
    session: Session, *, name: str, arguments: tuple[str, ...], dry_run: bool, wait: bool
) -> None:
    """Run a workflow, and show its steps as they are done.

    Parameters are options named as `workflow info` shows them; or one JSON object, given as it is
    or as the name of a file after `@`, `-` for the input. Ctrl-C cancels the run: what it has done
    is compensated, and `finally` is done.
    """
    async with session.connect(reads_stack=_has_files(session)) as client:
        place = await _place(session, client)

        async def schema() -> Mapping[str, Any]:
            return (await client.workflows.info(workflow=name, **place))["parameters"]

        parameters = parse_arguments(arguments, await schema() if arguments else {}, title=name)
        call = {"workflow": name, "parameters": parameters, **place}
        if dry_run:
            async with said_as_options(run, schema):
                planned = await client.workflows.plan(**call)
            _show_plan(session, planned, await schema() if planned["missing"] else {})
            return

        async def start() -> Mapping[str, Any]:
            async with said_as_options(run, schema):
                return await client.workflows.run(**call)

        steps = StepLines()
        answer = partial(_show_end, session, client, steps)
        await finish(session, client, start(), wait=wait, progress=steps.progress, answer=answer)


@workflow.command(cls=Command, examples=("workflow runs", "workflow runs deploy"))
@click.argument("name", metavar="[WORKFLOW]", required=False, shell_complete=complete("workflows"))
@async_command
async def runs(session: Session, *, name: str | None) -> None:
    """Show the runs that are remembered, the oldest first."""
    async with session.connect() as client:
        project = await session.project(client)
        found = await client.workflows.runs(project=project, workflow=name)
    if session.out.json:
        session.out.document(found)
    elif found:
        headers = ("RUN", "WORKFLOW", "STATE", "STARTED", "TOOK", "WHY")
        session.out.lines(table(session.out, headers, map(_run_row, found)))
    else:
        session.out.note("note: no workflow was run")


@workflow.command(cls=Command, examples=("workflow show 0c1d2e3f4a5b",))
@click.argument("run_id", metavar="RUN", shell_complete=complete("workflow_runs"))
@async_command
async def show(session: Session, *, run_id: str) -> None:
    """Show a run, step by step; with --json also what went in and out."""
    async with session.connect() as client:
        found = await client.workflows.trace(run=run_id)
    if session.out.json:
        session.out.document(found)
    else:
        session.out.lines(_run_text(session, found))


def _has_files(session: Session) -> bool:
    from harness.config import discover

    # A daemon of another machine reads no files of this one: there it is the project that counts.
    return not session.context and bool(session.files() or discover(os.getcwd()))


async def _place(session: Session, client: Client) -> dict[str, Any]:
    """Return where workflows are looked for: in the stack file, or without one in the project."""
    if _has_files(session):
        return {"source": session.source()}
    return {"project": await session.project(client)}


# ── how it ended ─────────────────────────────────────────────────────────────────────────────────


async def _show_end(
    session: Session, client: Client, steps: StepLines, ended: Mapping[str, Any]
) -> None:
    found = await client.workflows.trace(run=ended["id"])
    if session.out.json:
        session.out.record({"run": found})
        return
    steps.say_rest(session.out, end=ended["error"]["message"] if ended["error"] else "")
    if found["state"] == "done":
        took = elapsed_s(found["started_at"], until=found["ended_at"])
        count = "1 step" if found["steps"] == 1 else f"{found['steps']} steps"
        session.out.lines([f"{found['workflow']}: done in {took:.2f} s, {count}"])
    elif found["state"] == "cancelled":
        parts = [f"{found['workflow']} was cancelled", *_cleaned(found)]
        session.out.note(f"harness: {'; '.join(parts)}")


def _cleaned(run: Mapping[str, Any]) -> Iterator[str]:
    if run["compensated"]:
        yield f"compensated: {', '.join(run['compensated'])}"
    for entry in run["left"]:
        yield f"could not be compensated: {entry['step']}: {entry['reason']}"
    if run["leftover"]:
        yield f"`finally` failed: {run['leftover']}"


# ── texts ────────────────────────────────────────────────────────────────────────────────────────


def _described(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    text = found["description"]
    yield f"{found['name']}   {text}" if text else found["name"]
    properties = found["parameters"].get("properties", {})
    if properties:
        yield ""
        headers = ("PARAMETER", "TYPE", "DEFAULT", "WHAT IT IS")
        schema = found["parameters"]
        rows = ([flag_label(run, name), *parameter_facts(name, schema)] for name in properties)
        yield from table(session.out, headers, rows)
    for title, steps in (("steps", found["steps"]), ("finally", found["finally_steps"])):
        if steps:
            yield ""
            yield title
            yield from columns(session.out, [*step_rows(steps, indent="  ")])
    if found["timeout_s"] is not None:
        yield ""
        yield f"limit     {age(found['timeout_s'])}"


def _show_plan(session: Session, planned: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Show steps and what is wrong; exit as the run would.

    Args:
        session: the run.
        planned: what the daemon answered.
        schema: of the parameters, where some are missing.
    """
    if session.out.json:
        session.out.document(planned)
    else:
        headers = ("STEP", "WHAT IT WOULD DO", "WHEN")
        session.out.lines(table(session.out, headers, map(_plan_row, planned["steps"])))
        for problem in planned["problems"]:
            place = f"{problem['place']}: " if problem["place"] else ""
            session.out.note(f"{place}{problem['path']}: {problem['message']}")
        if planned["missing"]:
            options = (option_text(run, name, schema) for name in planned["missing"])
            session.out.note(f"missing: {', '.join(options)}")
    if planned["problems"] or planned["missing"]:
        from .exit_codes import OPERATION_FAILED, USAGE

        raise click.exceptions.Exit(OPERATION_FAILED if planned["problems"] else USAGE)


def _plan_row(step: Mapping[str, Any]) -> list[str | Cell | None]:
    when = [step["because"], f"if {step['when']}" if step["when"] else None]
    text = planned_text(step["kind"], step["inputs"])
    return [step["path"], text, "; ".join(filter(None, when)) or None]


def _run_row(run: Mapping[str, Any]) -> list[str | Cell | None]:
    ended = run["ended_at"]
    took = f"{elapsed_s(run['started_at'], until=ended):.2f} s" if ended else None
    why = _headline(run["error"]["message"]) if run["error"] else None
    state = Cell(run["state"], _STYLES.get(run["state"]))
    return [run["id"], run["workflow"], state, clock_time(run["started_at"]), took, why]


def _run_text(session: Session, run: Mapping[str, Any]) -> Iterator[str]:
    yield f"{run['workflow']}   {run['state']}   run {run['id']}"
    if run["error"]:
        yield from run["error"]["message"].splitlines()
        if run["error"].get("hint"):
            yield f"hint: {session.out.pasteable(run['error']['hint'])}"
    elif run["state"] == "cancelled":
        yield from _cleaned(run)
    yield ""
    headers = ("STEP", "KIND", "STATE", "TRIES", "TOOK", "WHAT")
    yield from table(session.out, headers, map(_step_row, run["trace"]))
    if run["dropped_steps"]:
        yield f"and {run['dropped_steps']} more steps, which have no record"


def _headline(message: str) -> str:
    """Return the first line, with the next one where it only leads to that."""
    lines = message.splitlines()
    return " ".join(line.strip() for line in lines[: 2 if lines[0].endswith(":") else 1])


def _step_row(step: Mapping[str, Any]) -> list[str | Cell | None]:
    ended = step["ended_at"]
    took = f"{elapsed_s(step['started_at'], until=ended):.2f} s" if ended else None
    what = f"undoes {step['compensates']}" if step["compensates"] else None
    if step["error"]:
        what = _headline(step["error"]["message"])
    elif step["outputs"] not in (None, {}) and what is None:
        what = short(step["outputs"])
    state = Cell(step["state"], _STYLES.get(step["state"]))
    return [step["path"], step["kind"], state, str(step["attempt"]), took, what]
