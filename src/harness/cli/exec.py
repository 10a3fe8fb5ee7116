"""`harness exec`: one command where a service runs, with its input, output and status."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import click

from .arguments import unit_name
from .commands import Command, async_command
from .exit_codes import INTERRUPTED, NOT_EXECUTABLE, NOT_FOUND
from .session import Session

if TYPE_CHECKING:
    from anyio.abc import TaskStatus

    from harness.client import RemoteProcess

__all__ = ["exec_"]


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
        "exec db -- psql -c 'select 1'",
        "exec -w /tmp -e DEBUG=1 web -- env",
        "exec db -- psql < dump.sql",
    ),
)
@click.option(
    "-e", "--env", multiple=True, metavar="NAME=VALUE", callback=_variables, help="Set a variable."
)
@click.option("-w", "--workdir", metavar="DIR", help="Directory to run in.")
@click.option(
    "-i", "--interactive", is_flag=True, help="Send input from a terminal, too; a pipe always is."
)
@unit_name()
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND [ARGUMENT]...")
@async_command
async def exec_(
    session: Session,
    *,
    env: dict[str, str],
    workdir: str | None,
    interactive: bool,
    unit: str,
    command: tuple[str, ...],
) -> None:
    """Run a command where a service runs.

    In the service's environment and directory, without a shell. Exits with the command's status,
    or 128 and the signal that ended it; 127 when there is no such program, 126 when it may not be
    executed. Global options stand before the service's name. Ctrl-C is
    passed on.
    """
    from harness.errors import CommandNotExecutable, CommandNotFound

    from .errors import ErrorReport, report
    from .streams import has_piped_stdin

    argv = list(command[1:] if command[:1] == ("--",) else command)
    if not argv:
        raise click.UsageError("no command was given; write it after `--`")
    stdin = interactive or has_piped_stdin()
    async with session.connect() as client:
        project = await session.project(client)
        try:
            async with client.exec.run(
                project=project, unit=unit, argv=argv, env=env, working_dir=workdir, stdin=stdin
            ) as process:
                status = await _attend(session, process, stdin=stdin)
        except (CommandNotFound, CommandNotExecutable) as error:
            # As a shell answers.
            report(session, ErrorReport.of(error))
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


async def _feed(process: RemoteProcess) -> None:
    from .streams import read_stdin

    async for piece in read_stdin():
        await process.write(piece)
    await process.close_stdin()


async def _pass_interrupts(process: RemoteProcess, *, task_status: TaskStatus[None]) -> None:
    """Pass Ctrl-C on; a second one leaves."""
    import anyio

    interrupts = 0
    with anyio.open_signal_receiver(signal.SIGINT) as signals:
        task_status.started()
        async for _ in signals:
            interrupts += 1
            if interrupts > 1:
                raise click.exceptions.Exit(INTERRUPTED)
            await process.signal("SIGINT")


def _status(process: RemoteProcess) -> int:
    if process.exit_code is not None:
        return process.exit_code
    return 128 + process.exit_signal if process.exit_signal is not None else 1
