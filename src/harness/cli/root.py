"""The program: global options, and the table of commands.

The table holds names and summaries only; `harness --help` imports no command. Plugins add groups of
their own; they are looked for when a name is not in the table, and for the list of all.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NoReturn

import click

from harness import __version__

from .commands import Group
from .errors import end_quietly, run_reporting
from .interrupts import ignore_interrupts
from .program import HARNESS, Program
from .session import Session
from .table import COMMANDS

__all__ = ["harness", "main"]


class Root(Group):
    """The outermost group: it turns every ending into a message and an exit code."""

    show_globals = True

    def main(self, args: Sequence[str] | None = None, *rest: Any, **settings: Any) -> NoReturn:
        """Run the program and exit."""
        arguments = list(sys.argv[1:] if args is None else args)
        session = settings.pop("obj", None) or Session()
        settings["standalone_mode"] = False
        run = super().main
        code = run_reporting(
            session, arguments, lambda: run(arguments, *rest, obj=session, **settings)
        )
        ignore_interrupts()
        sys.exit(code)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, those of plugins last."""
        self._learn(ctx)
        return super().list_commands(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name, in the table or else among plugins."""
        if not self.knows(args[0]):
            self._learn(ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands, those of plugins too; none is imported."""
        self._learn(ctx)
        super().format_commands(ctx, formatter)

    def _learn(self, ctx: click.Context) -> None:
        """Add the commands of plugins; one whose name is taken is left out."""
        from .plugin_commands import plugin_commands

        program = ctx.obj.options.program if isinstance(ctx.obj, Session) else HARNESS
        for command in plugin_commands(program):
            if not self.knows(command.name):
                self.register(command.name, command)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a closed pipe ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            end_quietly()
            ctx.exit(0)


@click.command(
    "harness",
    cls=Root,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=("up", "status", "logs -f web", "why web", "down"),
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def harness() -> None:
    """Bring a stack of services up from one YAML file, and keep it up."""


def main(program: Program | None = None) -> NoReturn:
    """Run the program with the arguments of the process; never returns.

    Args:
        program: which one it is; None: `harness` itself.
    """
    program = program or HARNESS
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.excepthook = _unexpected
    harness.main(prog_name=program.name, obj=Session(program=program))


def _unexpected(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Report a defect of this program: in one line, with `-vv` in full."""
    if any(argument in ("-vv", "-vvv") for argument in sys.argv) or sys.argv.count("-v") > 1:
        sys.__excepthook__(kind, error, traceback)
        return
    click.echo(f"harness: cannot go on: {kind.__name__}: {error}", err=True)
    click.echo("hint: this is a defect; run it again with -vv for the traceback", err=True)
