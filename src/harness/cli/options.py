"""The global options: the same ones before and after every command.

What is said after the command wins over what is said before it; repeated options add up; the
environment counts only where neither says anything.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from .arguments import complete
from .program import HARNESS, Program

__all__ = ["GlobalOptions", "global_options"]

_COLORS = ("auto", "always", "never")


@dataclass(slots=True, kw_only=True)
class GlobalOptions:
    """What the global options say so far; filled while the command line is parsed.

    Attributes:
        verbosity: number of `-v` less number of `-q`.
        start: whether a daemon may be started when none runs.
        program: which one this is; it says what is meant where neither options nor environment do.
    """

    files: list[str] = field(default_factory=list)
    project: str | None = None
    profiles: list[str] = field(default_factory=list)
    json: bool = False
    color: str = "auto"
    verbosity: int = 0
    start: bool = True
    state_dir: str | None = None
    context: str | None = None
    program: Program = HARNESS

    def fill_from(self, environment: Mapping[str, str]) -> None:
        """Take what was not given from `HARNESS_FILE`, `HARNESS_PROJECT` and their like.

        A program with another prefix has variables of its own. A state directory names a daemon of
        this machine: where one is given, a context that the environment names does not count, nor
        does one in use.
        """
        prefix = self.program.prefix
        if self.context is None and self.state_dir is None:
            self.context = environment.get(f"{prefix}_CONTEXT") or None
        if not self.files:
            files = environment.get(f"{prefix}_FILE", "").split(os.pathsep)
            self.files = [part for part in files if part] or [*self.program.files]
        if self.project is None:
            self.project = environment.get(f"{prefix}_PROJECT") or None
        if self.state_dir is None:
            self.state_dir = environment.get(f"{prefix}_STATE_DIR") or self.program.state_dir

    def repeated(self, environment: Mapping[str, str]) -> str:
        """Return the options that make another command act on the same stack, as one types them.

        Those that say what the environment says are left out: it will say so again.
        """
        import shlex

        words = []
        plain = GlobalOptions(program=self.program)
        plain.fill_from(environment)
        if self.files != plain.files:
            words += [word for file in self.files for word in ("-f", file)]
        if self.project not in (None, plain.project):
            words += ["-p", self.project or ""]
        if self.state_dir not in (None, plain.state_dir):
            words += ["--state-dir", self.state_dir or ""]
        if self.context not in (None, plain.context):
            words += ["--context", self.context or ""]
        return shlex.join(words)


def global_options(*, taken: Collection[str], hidden: bool) -> list[click.Parameter]:
    """Return fresh global options for one command.

    Args:
        taken: option strings the command uses itself, such as `-f`; the long form stays.
        hidden: leave them out of the command's help.
    """
    options: list[click.Parameter] = []
    for flags, settings in _DECLARATIONS:
        free = [flag for flag in flags if flag not in taken]
        if any(flag.startswith("--") for flag in free):
            name = "global_" + max(flags, key=len).removeprefix("--").replace("-", "_")
            options.append(
                _GlobalOption([*free, name], expose_value=False, hidden=hidden, **settings)
            )
    return options


class _GlobalOption(click.Option):
    """An option whose help names the variables of the program that it is an option of."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        session = ctx.find_root().obj
        if record is None or session is None:
            return record
        flags, text = record
        return flags, text.replace("[env: HARNESS_", f"[env: {session.options.program.prefix}_")


def _of(context: click.Context) -> GlobalOptions:
    options = context.find_root().obj.options
    if not isinstance(options, GlobalOptions):
        raise TypeError("the root context holds no session")
    return options


def _add_files(context: click.Context, _: click.Parameter, value: tuple[str, ...]) -> None:
    _of(context).files.extend(value)


def _set_project(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        _of(context).project = value


def _add_profiles(context: click.Context, _: click.Parameter, value: tuple[str, ...]) -> None:
    _of(context).profiles.extend(value)


def _set_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    _of(context).json |= value


def _set_color(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        _of(context).color = value


def _be_quieter(context: click.Context, _: click.Parameter, value: int) -> None:
    _of(context).verbosity -= value


def _be_louder(context: click.Context, _: click.Parameter, value: int) -> None:
    _of(context).verbosity += value


def _set_no_start(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        _of(context).start = False


def _set_state_dir(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        _of(context).state_dir = value


def _set_context(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        _of(context).context = value


_DECLARATIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("-f", "--file"),
        {
            "multiple": True,
            "metavar": "FILE",
            "type": click.Path(),
            "callback": _add_files,
            "help": "Stack file; repeat it to merge several, later ones win.  [env: HARNESS_FILE]",
        },
    ),
    (
        ("-p", "--project"),
        {
            "metavar": "NAME",
            "callback": _set_project,
            "shell_complete": complete("projects"),
            "help": "Project to act on.  [env: HARNESS_PROJECT]",
        },
    ),
    (
        ("--profile",),
        {
            "multiple": True,
            "metavar": "NAME",
            "callback": _add_profiles,
            "shell_complete": complete("profiles"),
            "help": "Profile to activate; may be repeated.",
        },
    ),
    (
        ("--json",),
        {"is_flag": True, "callback": _set_json, "help": "Print documents for programs."},
    ),
    (
        ("--color",),
        {
            "type": click.Choice(_COLORS),
            "callback": _set_color,
            "help": "When to use colours; auto: on a terminal, unless NO_COLOR is set.",
        },
    ),
    (("-q", "--quiet"), {"count": True, "callback": _be_quieter, "help": "Say less."}),
    (
        ("-v", "--verbose"),
        {"count": True, "callback": _be_louder, "help": "Say more; twice for tracebacks."},
    ),
    (
        ("--no-start",),
        {
            "is_flag": True,
            "callback": _set_no_start,
            "help": "Never start a daemon; fail when none runs.",
        },
    ),
    (
        ("--state-dir",),
        {
            "metavar": "DIR",
            "type": click.Path(file_okay=False),
            "callback": _set_state_dir,
            "help": "The daemon's state directory.  [env: HARNESS_STATE_DIR]",
        },
    ),
    (
        ("--context",),
        {
            "metavar": "NAME",
            "callback": _set_context,
            "shell_complete": complete("contexts"),
            "help": "The daemon to ask; `local` is this machine's.  [env: HARNESS_CONTEXT]",
        },
    ),
)
