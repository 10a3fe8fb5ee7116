"""`harness daemon`: the program that keeps services, and its own log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import click

from .commands import Command, Group, async_command, session_command
from .moments import age, elapsed_s
from .session import Session

__all__ = ["daemon"]

_LOG_POLL_S = 0.25
_PIECE = 256 * 1024


@click.group(cls=Group, examples=("daemon start", "daemon status", "daemon logs -f", "daemon stop"))
def daemon() -> None:
    """Run, start, stop and look at the daemon."""


@daemon.command(cls=Command, examples=("daemon run", "daemon run --state-dir /var/lib/harness"))
@session_command
def run(session: Session) -> None:
    """Be the daemon, in the foreground.

    For service managers such as systemd; other commands start it in the background by themselves.
    Ends at SIGTERM and leaves services running for the next daemon.
    """
    from harness.daemon import run_daemon

    raise click.exceptions.Exit(run_daemon(session.endpoint()))


@daemon.command(cls=Command, examples=("daemon start",))
@async_command
async def start(session: Session) -> None:
    """Start the daemon in the background.

    It is no error when it runs already.
    """
    async with session.connect() as client:
        _show(session, await client.daemon.status())


@daemon.command(cls=Command, examples=("daemon stop", "daemon stop --keep-services"))
@click.option("--keep-services", is_flag=True, help="Leave services running for the next daemon.")
@async_command
async def stop(session: Session, *, keep_services: bool) -> None:
    """Take every project down, then end the daemon.

    It is no error when none runs.
    """
    from harness.errors import DaemonUnavailable

    try:
        async with session.connect(start=False) as client:
            await client.daemon.stop(keep_services=keep_services)
    except DaemonUnavailable:
        session.out.note("note: no daemon runs")


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
    path = session.endpoint().log_path
    if not path.exists():
        session.out.note(f"note: there is no log at {path}")
        return
    async for piece in _pieces(path, tail=tail, follow=follow):
        session.out.write(piece)


async def _pieces(path: Path, *, tail: int | None, follow: bool) -> AsyncIterator[bytes]:
    """Yield a file's last lines, or all of it, then what is added to it."""
    import anyio

    async with await anyio.open_file(path, "rb") as file:
        if tail is not None:
            text = await file.read()
            lines = text.splitlines(keepends=True)
            yield b"".join(lines[len(lines) - min(tail, len(lines)) :])
        while True:
            piece = await file.read(_PIECE)
            if piece:
                yield piece
            elif follow:
                await anyio.sleep(_LOG_POLL_S)
            else:
                return


def _show(session: Session, status: dict[str, Any]) -> None:
    if session.out.json:
        session.out.document(status)
        return
    projects = ", ".join(status["projects"]) or "-"
    session.out.lines(
        [
            f"version    {status['version']}",
            f"pid        {status['pid']}",
            f"up         {age(elapsed_s(status['started_at']))}",
            f"memory     {status['rss_bytes'] / 2**20:.0f} MiB",
            f"listens    {status['endpoint']}",
            f"state      {status['state_dir']}",
            f"projects   {projects}",
        ]
    )
