"""`harness bundle`: everything that tells why a project is as it is, in one file to pass on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .commands import Command, async_command
from .moments import MOMENT
from .session import Session

if TYPE_CHECKING:
    from harness.client import Client

__all__ = ["bundle"]


@click.command(
    cls=Command,
    examples=("bundle", "bundle -o broken.html", "bundle --since 10m", "bundle --json"),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; without it harness-PROJECT.html here.",
)
@click.option("--since", type=MOMENT, help="Output and events from then on; as for `logs`.")
@click.option(
    "-n",
    "--tail",
    "lines",
    type=click.IntRange(min=0),
    default=2_000,
    show_default=True,
    help="Only this many last lines of each unit.",
)
@async_command
async def bundle(session: Session, *, output: Path | None, since: str | None, lines: int) -> None:
    """Write all about the project to one page.

    States and why they are so, output, events, what checks found, processes, the resolved plan and
    versions. The page opens without a server and without a network. Secrets are masked, but what
    services print is as it is. With --json it is one document on stdout.
    """
    async with session.connect(start=False) as client:
        document = await _gather(session, client, since=since, lines=lines)
    if session.out.json:
        session.out.document(document)
        return
    project = document["projects"][0]["project"]
    path = output or Path(f"harness-{project}.html")
    _write(path, document)
    session.out.lines([str(path)])


async def _gather(
    session: Session, client: Client, *, since: str | None, lines: int
) -> dict[str, Any]:
    from harness.client import BundleWindow, gather_bundle

    project = await session.project(client)
    # A project that is not there is an error, not a page without contents.
    await client.services.status(project=project)
    window = BundleWindow(since=datetime.fromisoformat(since) if since else None, lines=lines)
    return await gather_bundle(client, [project], window=window)


def _write(path: Path, document: dict[str, Any]) -> None:
    from harness.client import bundle_page
    from harness.errors import StorageError

    try:
        path.write_text(bundle_page(document), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}", hint="name another file with -o"
        ) from error
