"""`harness init`: a stack file to start from."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from .commands import Command, session_command
from .session import Session

__all__ = ["init"]


def _complete_template(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    from .stack_templates import template_names

    return [name for name in template_names() if name.startswith(begun)]


@click.command(cls=Command, examples=("init", "init --name shop", "init --force"))
@click.option(
    "--template", "origin", metavar="NAME", shell_complete=_complete_template,
    help="Begin with a stack that a plugin brings, instead of a small example.",
)  # fmt: skip
@click.option("--name", help="Name of the project; without it that of the directory.")
@click.option("--force", is_flag=True, help="Replace a harness.yaml that is there.")
@session_command
def init(session: Session, *, origin: str | None, name: str | None, force: bool) -> None:
    """Write a stack file to start from.

    Writes harness.yaml into this directory, or the file that --file names.
    """
    from harness.errors import HarnessError

    own = [*session.options.program.files]  # of a domain's command; nobody's to write
    files = [] if session.options.files == own else session.options.files
    path = Path(files[0] if files else "harness.yaml")
    text = _text(origin, project=_project_name(name or os.path.basename(os.getcwd())))
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        exists = isinstance(error, FileExistsError)
        cause = "it exists already" if exists else error.strerror
        raise HarnessError(
            f"cannot write {path}: {cause}", hint="--force replaces it" if exists else None
        ) from error
    program = session.options.program.name
    up = f"{program} -f {path} up" if own and not files else "harness up"
    session.out.note(f"wrote {path}; `{up}` starts it")


def _text(origin: str | None, *, project: str) -> str:
    """Return the stack file's text: the example, or what a plugin brings."""
    if origin is None:
        from harness.config import template

        return template(project)
    from .stack_templates import template_names, template_text

    try:
        return template_text(origin, project=project)
    except KeyError:
        known = ", ".join(template_names()) or "none; plugins bring them"
        message = f'there is no template "{origin}"; known: {known}'
        raise click.BadParameter(message, param_hint="--template") from None


def _project_name(text: str) -> str:
    """Return a text as a project's name: lower case letters, digits, `-` and `_`."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.lower()).strip("-_") or "stack"
