"""The kinds of command this program is made of.

Every command takes the global options and shows examples; a group loads a command's module only
when that command runs. `async_command` is the one bridge from click to async code: click itself
would accept a coroutine function, never await it, and exit 0, so `Command` refuses one.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click

from .interrupts import cancelled_by_interrupt
from .options import global_options

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Command", "Group", "LazyCommand", "async_command", "session_command", "starts_daemon"]

P = ParamSpec("P")


class Command(click.Command):
    """A command with global options and examples.

    Attributes:
        examples: command lines, each after `harness `, shown in the help.
    """

    show_globals = False

    def __init__(
        self, name: str | None = None, *, examples: Sequence[str] = (), **settings: Any
    ) -> None:
        callback = settings.get("callback")
        if callback is not None and iscoroutinefunction(callback):
            raise TypeError(f"command {name!r} is async: put @async_command on it")
        super().__init__(name, **settings)
        self.examples = tuple(examples)
        taken = {flag for parameter in self.params for flag in parameter.opts}
        self._globals = global_options(taken=taken, hidden=not self.show_globals)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters, then the global ones."""
        return [*self.params, *self._globals, *super().get_params(ctx)[len(self.params) :]]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples and the hint to the global options."""
        program = ctx.find_root().info_name or "harness"
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{' ' * formatter.current_indent}{program} {example}\n")
        if not self.show_globals:
            formatter.write(f"\nGlobal options: {program} --help\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class LazyCommand:
    """Where a command is, and what the list of commands says about it without importing it.

    Attributes:
        target: `module:attribute` of the click command.
        summary: one line; the same as the first line of the command's help.
        section: heading of the list it stands under.
        aliases: other names for it.
    """

    target: str
    summary: str
    section: str = "Commands"
    aliases: tuple[str, ...] = ()

    def load(self) -> click.Command:
        """Import the command's module and return the command."""
        module, _, attribute = self.target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.target} is not a command")
        return command


class Group(Command, click.Group):
    """A group whose commands are loaded when they run.

    Attributes:
        lazy: name → where it is, in the order of the help; more can be added with `register`.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        lazy: Mapping[str, LazyCommand] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(name, **settings)
        self.lazy: dict[str, LazyCommand] = {}
        self._aliases: dict[str, str] = {}
        for command_name, command in (lazy or {}).items():
            self.register(command_name, command)

    def register(self, name: str, command: LazyCommand) -> None:
        """Add a command; it replaces one of the same name."""
        self.lazy[name] = command
        self._aliases.update(dict.fromkeys(command.aliases, name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names in the order of the help."""
        return [*self.lazy, *(name for name in self.commands if name not in self.lazy)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command by its name or alias."""
        lazy = self.lazy.get(self._aliases.get(cmd_name, cmd_name))
        return lazy.load() if lazy else super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name; suggest one when there is none."""
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing and not self.knows(name):
            from harness.suggestions import guess

            advice = guess(name, [*self.list_commands(ctx), *self._aliases])
            text = f'no such command "{name}"'
            raise click.UsageError(f"{text}; {advice}" if advice else text, ctx=ctx)
        return super().resolve_command(ctx, args)

    def knows(self, name: str) -> bool:
        """Tell whether a command has this name or alias."""
        return name in self.lazy or name in self._aliases or name in self.commands

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under their headings; those that are loaded when they run are not."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, lazy in self.lazy.items():
            label = ", ".join((name, *lazy.aliases))
            sections.setdefault(lazy.section, []).append((label, lazy.summary))
        for name, command in self.commands.items():
            sections.setdefault("Commands", []).append((name, command.get_short_help_str(80)))
        width = max((len(label) for rows in sections.values() for label, _ in rows), default=0)
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl([(label.ljust(width), summary) for label, summary in rows])


def session_command(
    function: Callable[Concatenate[Session, P], None],
) -> Callable[P, None]:
    """Give a synchronous command body the session as its first argument."""

    @wraps(function)
    def callback(*args: P.args, **kwargs: P.kwargs) -> None:
        function(_session(), *args, **kwargs)

    return callback


def async_command(
    function: Callable[Concatenate[Session, P], Awaitable[None]],
) -> Callable[P, None]:
    """Run an async command body to its end, with the session as its first argument.

    An exception group that holds one error is raised as that error.
    """

    @wraps(function)
    def callback(*args: P.args, **kwargs: P.kwargs) -> None:
        import anyio

        session = _session()

        async def body() -> None:
            # It may run for days. Where the program runs in another one, this is that one's affair.
            if not gc.isenabled():
                gc.freeze()
                gc.enable()
            await function(session, *args, **kwargs)

        try:
            anyio.run(cancelled_by_interrupt, body)
        except BaseExceptionGroup as group:
            raise _leaf(group) from group

    # inspect would follow it to the coroutine function, and Command would refuse this one.
    del callback.__wrapped__
    return callback


def starts_daemon(*, reads_stack: bool = False) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Start the daemon that a command is going to need before the command loads what it needs.

    Args:
        reads_stack: as for `Session.connect`.
    """

    def decorate(function: Callable[P, None]) -> Callable[P, None]:
        @wraps(function)
        def callback(*args: P.args, **kwargs: P.kwargs) -> None:
            _session().begin_daemon(reads_stack=reads_stack)
            function(*args, **kwargs)

        return callback

    return decorate


def _session() -> Session:
    session: Session = click.get_current_context().find_root().obj
    session.begin()
    return session


def _leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one error that matters: an interrupt, else the first of ours, else the first."""
    from harness.errors import HarnessError

    leaves: list[BaseException] = []
    queue: list[BaseException] = [group]
    while queue:
        error = queue.pop(0)
        if isinstance(error, BaseExceptionGroup):
            queue = [*error.exceptions, *queue]
        else:
            leaves.append(error)
    for wanted in (KeyboardInterrupt, click.exceptions.Exit, HarnessError):
        for error in leaves:
            if isinstance(error, wanted):
                return error
    return leaves[0]
