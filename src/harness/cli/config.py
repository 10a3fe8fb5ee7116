"""`harness validate` and `harness config`: the stack file, read without a daemon."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .commands import Command, Group, session_command
from .errors import count_line, problem_lines
from .exit_codes import INVALID
from .session import Session

if TYPE_CHECKING:
    from harness.errors import PlanError, Problem

__all__ = ["config", "validate"]


@click.command(cls=Command, examples=("validate", "validate -f stack.yaml", "validate --json"))
@session_command
def validate(session: Session) -> None:
    """Check the stack file.

    Prints one line a problem, with file, line and column, and exits with 6 when there is one.
    Needs no daemon and starts nothing.
    """
    from .stack_file import check_stack, plan_problem

    found = check_stack(session)
    problems, warnings = _plain(found.problems), _plain(found.warnings)
    unplannable = plan_problem(session, found.stack) if found.stack else None
    if unplannable is not None:
        problems.append(_without_place(session, unplannable))
    if session.out.json:
        project = found.stack.name if found.stack else None
        session.out.document(
            {
                "valid": not problems,
                "project": project,
                "problems": problems,
                "warnings": warnings,
            }
        )
    else:
        session.out.lines(problem_lines(problems))
        session.out.lines(f"{line} (warning)" for line in problem_lines(warnings))
        if found.stack and not problems:
            count = len(found.stack.units)
            units = "1 unit" if count == 1 else f"{count} units"
            session.out.note(f"{found.stack.name}: {units}, no problems")
        else:
            session.out.note(count_line(problems))
    if problems:
        raise click.exceptions.Exit(INVALID)


@click.group(cls=Group, examples=("config show", "config schema > harness.schema.json"))
def config() -> None:
    """Show the resolved stack, or its schema."""


@config.command(cls=Command, examples=("config show", "config show --profile debug"))
@session_command
def show(session: Session) -> None:
    """Print the stack as one resolved file.

    Includes, templates, overrides and variables are applied; secrets and the environment are
    masked. With --json as JSON.
    """
    from .stack_file import show_stack

    text = show_stack(session)
    if session.out.json:
        import yaml

        session.out.document(yaml.safe_load(text))
    else:
        session.out.lines([text.rstrip("\n")])


@config.command(cls=Command, examples=("config schema > harness.schema.json",))
@session_command
def schema(session: Session) -> None:
    """Print the JSON Schema of a stack file.

    Editors use it to complete and to check.
    """
    from .stack_file import stack_schema

    session.out.document(stack_schema(session))


def _without_place(session: Session, error: PlanError) -> dict[str, Any]:
    """Return an error of the stack as a whole as a problem of its file; line 0 is no line."""
    from harness.config import discover

    files = session.options.files or discover(os.getcwd())
    return {
        "file": str(files[0]) if files else "",
        "line": 0,
        "column": 0,
        "path": "",
        "kind": error.kind,
        "message": str(error),
        "hint": error.hint,
    }


def _plain(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    from dataclasses import asdict

    return [asdict(problem) for problem in problems]
