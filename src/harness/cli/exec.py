"""`harness exec`: one command where a service runs, with its input, output and status.

Where somebody types and looks at a terminal the command gets one, too.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from .arguments import complete, unit_name
from .commands import Command, async_command
from .exit_codes import INTERRUPTED, NOT_EXECUTABLE, NOT_FOUND
from .interrupts import TakenInterrupts
from .session import Session

if TYPE_CHECKING:
    from anyio.abc import TaskStatus

    from harness.client import RemoteProcess

    from .terminal import RawTerminal

__all__ = ["exec_"]

_LEAVING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def _variables(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    variables = {}
    for value in values:
        name, separator, text = value.partition("=")
        if not name or not separator:
            raise click.BadParameter(f'"{value}" is not NAME=VALUE')
        variables[name] = text
    return variables


@click.command(
    "exec",
    cls=Command,
    context_settings={"allow_interspersed_args": False},
    examples=(
        "exec db -- psql",
        "exec -w /tmp -e DEBUG=1 web -- env",
        "exec db -- psql < dump.sql",
        "exec -T db -- psql -c 'select 1'",
    ),
)
@click.option(
    "-e", "--env", multiple=True, metavar="NAME=VALUE", callback=_variables, help="Set a variable."
)
@click.option(
    "-w",
    "--workdir",
    metavar="DIR",
    shell_complete=complete("directories"),
    help="Directory to run in.",
)
@click.option(
    "-i", "--interactive", is_flag=True, help="Send input from a terminal even with --no-tty."
)
@click.option(
    "-t/-T",
    "--tty/--no-tty",
    "tty",
    default=None,
    help="Give it a terminal, or none; without either: where input and output are one.",
)
@unit_name()
@click.argument(
    "command",
    nargs=-1,
    type=click.UNPROCESSED,
    metavar="-- COMMAND [ARGUMENT]...",
    shell_complete=complete("files"),
)
@async_command
async def exec_(
    session: Session,
    *,
    env: dict[str, str],
    workdir: str | None,
    interactive: bool,
    tty: bool | None,
    unit: str,
    command: tuple[str, ...],
) -> None:
    """Run a command where a service runs.

    In the service's environment and directory, without a shell; a program such as psql or bash has
    the terminal to itself until it ends. Exits with the command's status,
    or 128 and the signal that ended it; 127 when there is no such program, 126 when it may not be
    executed. Global options stand before the service's name. Ctrl-C is
    passed on. When this program is killed, all that the command has started ends.
    """
    from harness.errors import CommandNotExecutable, CommandNotFound

    from .errors import ErrorReport, report
    from .streams import has_piped_stdin
    from .terminal import is_interactive, window

    argv = list(command[1:] if command[:1] == ("--",) else command)
    if not argv:
        raise click.UsageError("no command was given; write it after `--`")
    on_terminal = is_interactive() if tty is None else tty
    if on_terminal and os.environ.get("TERM"):
        env = {"TERM": os.environ["TERM"], **env}
    stdin = on_terminal or interactive or has_piped_stdin()
    size = window() if on_terminal else None
    async with session.connect() as client:
        project = await session.project(client)
        try:
            async with client.exec.run(
                project=project,
                unit=unit,
                argv=argv,
                env=env,
                working_dir=workdir,
                stdin=stdin,
                terminal=size,
            ) as process:
                if size is None:
                    status = await _attend(session, process, stdin=stdin)
                else:
                    status = await _attend_terminal(session, process, size)
        except (CommandNotFound, CommandNotExecutable) as error:
            # As a shell answers.
            answer = ErrorReport.of(error)
            if command[0].startswith("-") and command[0] != "--":
                answer = replace(answer, hint="options stand before the service's name")
            report(session, answer)
            status = NOT_FOUND if isinstance(error, CommandNotFound) else NOT_EXECUTABLE
    raise click.exceptions.Exit(status)


async def _attend(session: Session, process: RemoteProcess, *, stdin: bool) -> int:
    """Pass input, output and interrupts until the command ends; return its status."""
    import anyio

    async with anyio.create_task_group() as tasks:
        await tasks.start(_pass_interrupts, process)
        if stdin:
            tasks.start_soon(_feed, process)
        async for item in process:
            session.out.write(item["data"], err=item["stream"] == "stderr")
        tasks.cancel_scope.cancel()
    return _status(process)


async def _attend_terminal(session: Session, process: RemoteProcess, size: dict[str, int]) -> int:
    """Give the command this terminal until it ends; return its status."""
    import anyio

    from harness.errors import DaemonUnavailable

    from .streams import STDIN
    from .terminal import returned

    shown = b""
    with returned(STDIN) as terminal:
        try:
            async with anyio.create_task_group() as tasks:
                # Nothing may end this program from here on without setting its terminal back.
                await tasks.start(_pass_interrupts, process)
                await tasks.start(_pass_signals, process, terminal, size)
                terminal.enter()
                tasks.start_soon(_feed, process, terminal.is_there)
                async for item in process:
                    shown = item["data"]
                    session.out.write(shown)
                tasks.cancel_scope.cancel()
        except* DaemonUnavailable:
            # What will be said of it has a line of its own.
            if not shown.endswith(b"\n"):
                session.out.write(b"\r\n")
            raise
    return _status(process)


async def _feed(process: RemoteProcess, is_typed: bool = False) -> None:
    """Pass the input on, to its end; where it is typed, its end is that of the window: leave."""
    from harness.errors import OperationError

    from .streams import read_stdin

    # It may end, or close its input, while something is on the way to it.
    with suppress(OperationError):
        # An error of the input itself is a terminal that is gone: a signal says so, too.
        with suppress(OSError):
            async for piece in read_stdin():
                await process.write(piece)
        if is_typed:
            # A shell whose input ends leaves in peace what it has begun; one without a window
            # does not.
            raise click.exceptions.Exit(128 + signal.SIGHUP)
        await process.close_stdin()


async def _pass_interrupts(process: RemoteProcess, *, task_status: TaskStatus[None]) -> None:
    """Pass Ctrl-C on; a second one leaves. On a terminal it is typed, as every other key."""
    from harness.errors import OperationError

    with TakenInterrupts() as interrupts:
        task_status.started()
        await anext(interrupts)
        with suppress(OperationError):  # the command may end at any moment
            await process.signal("SIGINT")
        await anext(interrupts)
        raise click.exceptions.Exit(INTERRUPTED)


async def _pass_signals(
    process: RemoteProcess,
    terminal: RawTerminal,
    size: dict[str, int],
    *,
    task_status: TaskStatus[None],
) -> None:
    """Pass changes of the window's size on; leave when told to end."""
    import anyio

    from harness.errors import OperationError

    from .terminal import window

    wanted = (signal.SIGWINCH, signal.SIGCONT, *_LEAVING)
    with anyio.open_signal_receiver(*wanted) as signals:
        task_status.started()
        number = signal.SIGWINCH if window() != size else None  # it was changed meanwhile
        while True:
            if number in _LEAVING:
                raise click.exceptions.Exit(128 + number)
            if number == signal.SIGCONT:
                terminal.enter()
            if number is not None:
                with suppress(OperationError):  # the command may end at any moment
                    await process.resize(**window())
            number = await anext(signals)


def _status(process: RemoteProcess) -> int:
    if process.exit_code is not None:
        return process.exit_code
    return 128 + process.exit_signal if process.exit_signal is not None else 1
