"""`harness init`: a stack file to start from."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from .commands import Command, session_command
from .session import Session

__all__ = ["init"]


@click.command(cls=Command, examples=("init", "init --name shop", "init --force"))
@click.option("--name", help="Name of the project; without it that of the directory.")
@click.option("--force", is_flag=True, help="Replace a harness.yaml that is there.")
@session_command
def init(session: Session, *, name: str | None, force: bool) -> None:
    """Write a stack file to start from.

    Writes harness.yaml into this directory, or the file that --file names.
    """
    from harness.config import template
    from harness.errors import HarnessError

    path = Path(session.options.files[0] if session.options.files else "harness.yaml")
    text = template(_project_name(name or os.path.basename(os.getcwd())))
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        exists = isinstance(error, FileExistsError)
        cause = "it exists already" if exists else error.strerror
        raise HarnessError(
            f"cannot write {path}: {cause}", hint="--force replaces it" if exists else None
        ) from error
    session.out.note(f"wrote {path}; `harness up` starts it")


def _project_name(text: str) -> str:
    """Return a text as a project's name: lower case letters, digits, `-` and `_`."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_") or "stack"
