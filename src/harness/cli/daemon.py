"""`harness daemon`: the program that keeps services, and its own log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from .commands import (
    Command,
    Group,
    LazyCommand,
    async_command,
    session_command,
    starts_daemon,
)
from .listening import Address, listen_options
from .moments import age
from .session import Session

if TYPE_CHECKING:
    from harness.client.results import DaemonStatus, Listening

__all__ = ["daemon"]

_EXIT_S = 10.0


@click.group(
    cls=Group,
    lazy={
        "audit": LazyCommand(
            target="harness.cli.audit:audit", summary="Show who changed what, and who was refused."
        ),
        "certs": LazyCommand(
            target="harness.cli.certs:certs", summary="Show, renew and issue certificates."
        ),
    },
    examples=("daemon start", "daemon status", "daemon logs -f", "daemon stop"),
)
def daemon() -> None:
    """Run, start, stop and look at the daemon."""


@daemon.command(
    cls=Command,
    examples=("daemon run", "daemon run --state-dir /var/lib/harness --listen 0.0.0.0:7443"),
)
@listen_options
@session_command
def run(session: Session, *, listen: Address | None, no_listen: bool) -> None:
    """Be the daemon, in the foreground.

    For service managers such as systemd; other commands start it in the background by themselves.
    Ends at SIGTERM and leaves services running for the next daemon.
    """
    from harness.daemon import run_daemon
    from harness.protocol import ListenParams

    endpoint, wanted = session.endpoint(), None
    if listen is not None or no_listen:
        wanted = ListenParams(host=listen and listen.host, port=listen.port if listen else 0)
    raise click.exceptions.Exit(run_daemon(endpoint, listen=wanted, plugins=session.plugins))


@daemon.command(cls=Command, examples=("daemon start", "daemon start --listen 0.0.0.0:7443"))
@listen_options
@starts_daemon()
@async_command
async def start(session: Session, *, listen: Address | None, no_listen: bool) -> None:
    """Start the daemon in the background.

    It is no error when it runs already. Where it listens is remembered: the next daemon listens
    there, too.
    """
    session.endpoint()  # a daemon of another machine cannot be started from here
    async with session.connect() as client:
        if listen is not None:
            await client.daemon.listen(host=listen.host, port=listen.port)
        elif no_listen:
            await client.daemon.listen(host=None)
        _show(session, await client.daemon.status())


@daemon.command(cls=Command, examples=("daemon stop", "daemon stop --keep-services"))
@click.option("--keep-services", is_flag=True, help="Leave services running for the next daemon.")
@async_command
async def stop(session: Session, *, keep_services: bool) -> None:
    """Take every project down, then end the daemon.

    It is no error when none runs.
    """
    if not await _end(session, keep_services=keep_services):
        session.out.note("note: no daemon runs")


@daemon.command(cls=Command, examples=("daemon restart",))
@async_command
async def restart(session: Session) -> None:
    """End the daemon and start it again; services keep running meanwhile.

    The new one is of the version that this command is, has this command's environment, and finds
    new plugins. Where none ran, one is started.
    """
    session.endpoint()  # a daemon of another machine cannot be started from here
    await _end(session, keep_services=True)
    async with session.connect() as client:
        _show(session, await client.daemon.status())


@daemon.command(cls=Command, examples=("daemon status", "daemon status --json"))
@async_command
async def status(session: Session) -> None:
    """Show whether the daemon runs, and how it does.

    Exits with 5 when none runs.
    """
    async with session.connect(start=False) as client:
        _show(session, await client.daemon.status())


@daemon.command(cls=Command, examples=("daemon logs", "daemon logs -f --tail 50"))
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written.")
@click.option("-n", "--tail", type=click.IntRange(min=0), help="Only this many last lines.")
@async_command
async def logs(session: Session, *, follow: bool, tail: int | None) -> None:
    """Show the daemon's own log.

    Works when no daemon runs, too. Here `-f` follows: write --file for the stack file.
    """
    from harness.errors import StorageError

    from .daemon_log import read_log

    path = session.endpoint().log_path
    pieces = read_log(path, tail=tail, follow=follow)
    while True:
        try:
            piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except (FileNotFoundError, NotADirectoryError):
            session.out.note(f"note: there is no log at {path}")
            return
        except OSError as error:
            raise StorageError(
                f"cannot read the daemon's log {path}: {error.strerror or error}",
                hint="it is its owner's; name another state directory with HARNESS_STATE_DIR",
            ) from error
        session.out.write(piece)


@contextmanager
def _opened(pid: int | None) -> Iterator[int | None]:
    """Open a descriptor that is readable once this process has ended; None when it is not here."""
    if pid is None:
        yield None
        return
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def _end(session: Session, *, keep_services: bool) -> bool:
    """End the daemon and wait until its process is gone; tell whether one ran."""
    import anyio

    from harness.errors import DaemonUnavailable

    try:
        async with session.connect(start=False) as client:
            pid = (await client.daemon.status())["pid"]
            with _opened(None if session.context else pid) as process:
                await client.daemon.stop(keep_services=keep_services)
                # It closes the connection a moment before its process is gone.
                if process is not None:
                    with anyio.move_on_after(_EXIT_S):
                        await anyio.wait_readable(process)
    except DaemonUnavailable as error:
        # One that is there and cannot be reached, or that is gone without an answer, is an error.
        if not error.details.get("not_running"):
            raise
        return False
    return True


def _show(session: Session, status: DaemonStatus) -> None:
    if session.out.json:
        session.out.document(status)
        return
    projects = ", ".join(status["projects"]) or "-"
    session.out.lines(
        [
            f"version    {status['version']}",
            f"pid        {status['pid']}",
            f"up         {age(status['uptime_s'])}",
            f"memory     {status['rss_bytes'] / 2**20:.0f} MiB",
            f"listens    {status['endpoint']}",
            *_remote_lines(status.get("remote")),
            f"state      {status['state_dir']}",
            f"projects   {projects}",
        ]
    )


def _remote_lines(remote: Listening | None) -> list[str]:
    if remote is None:
        return []
    return [f"remote     {remote['url'] or remote['problem']}"]
