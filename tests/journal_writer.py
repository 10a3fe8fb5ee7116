"""Writes into a journal until it is killed; tells on its standard output what is kept.

Run as a program with the journal's directory. Each line is the number of a pair of records that is
kept; the two of a pair are written as one.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio

from graph_test_daemon.tracking import Journal, Note
from graph_test_daemon.tracking.database import KEPT, Records

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def write_pair(records: Records) -> int:
    """Write the next pair; return its number."""
    known = records.find(Note, "left")
    number = 1 + (0 if known is None else known.count)
    for side in ("left", "right"):
        records.put(Note(name=side, text="x" * 2_000, count=number, noted_at=NOW))
    return number


async def main() -> None:
    journal = Journal(Path(sys.argv[1]), kept=dict(KEPT))
    while True:
        sys.stdout.write(f"{await journal.do(write_pair)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    anyio.run(main)
