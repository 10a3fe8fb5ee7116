"""`harness daemon audit`: who changed what, and who was refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from .commands import Command, session_command
from .moments import clock_time
from .session import Session
from .tables import Cell, table

__all__ = ["audit"]


@click.command(cls=Command, examples=("daemon audit --tail 20", "daemon audit --json"))
@click.option("-n", "--tail", type=click.IntRange(min=0), help="Only this many last entries.")
@session_command
def audit(session: Session, *, tail: int | None) -> None:
    """Show who changed what, and who was refused.

    Works when no daemon runs, too. Environments, input and secrets are not in it.
    """
    from harness.access import read_audit
    from harness.errors import StorageError

    path = session.endpoint().audit_path
    try:
        entries = list(read_audit(path, tail=tail))
    except OSError as error:
        raise StorageError(
            f"cannot read the audit log {path}: {error.strerror or error}",
            hint="it is its owner's; name another state directory with HARNESS_STATE_DIR",
        ) from error
    if session.out.json:
        for entry in entries:
            session.out.record(entry)
    elif entries:
        headers = ("WHEN", "WHO", "HOW", "FROM", "WHAT", "RESULT", "PARAMETERS")
        session.out.lines(table(session.out, headers, map(_row, entries)))
    else:
        session.out.note("note: nothing was changed yet, and nobody was refused")


def _row(entry: Mapping[str, Any]) -> list[str | Cell | None]:
    params = " ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in entry["params"].items()
        if value not in (None, [], {}, False)
    )
    return [
        clock_time(entry["at"]),
        entry["who"],
        entry["how"],
        entry["address"],
        entry["what"],
        entry["result"] if entry["result"] == "ok" else Cell(entry["result"], "bad"),
        params or entry.get("message"),
    ]
