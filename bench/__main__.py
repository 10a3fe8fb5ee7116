"""`python -m bench`: install the peers, measure, print the table."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from .install import install_peers
from .report import BASELINE, PAGE, document, table, write_page
from .rows import ROWS, Context, Line, Row
from .tools import Circus, Compose, Harness, Pm2, Supervisord, Tool, ToolFailed

_TOOLS: tuple[type[Tool], ...] = (Harness, Supervisord, Circus, Pm2, Compose)


class RowTooSlow(ToolFailed):
    """A row took longer than it may."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 0 when that was possible, whatever the numbers are."""
    options = _parser().parse_args(arguments)
    if options.page:
        write_page()
        print(f"{PAGE.name}: written from {BASELINE.name}", file=sys.stderr)
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ended)
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    tools, versions = _present(options.tool)
    load = os.getloadavg()[0]
    context = Context(tools=tools, count=options.services, repeats=options.repeats)
    lines = [(row.name, line) for row in rows for line in _bounded(row, context)]
    results = document(lines, versions, load=load)
    print(table(results))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [row.name for row in ROWS]
    parser.add_argument(
        "--only", action="append", choices=names, metavar="ROW", help=f"one of {', '.join(names)}"
    )
    parser.add_argument(
        "--tool",
        action="append",
        choices=[tool.name for tool in _TOOLS],
        help="measure this tool only; may be given several times",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here too")
    parser.add_argument("--services", type=int, default=200, help="how many services are many")
    parser.add_argument("--repeats", type=int, default=3, help="how often short rows are measured")
    parser.add_argument(
        "--page", action="store_true", help="only write the documentation's page from the baseline"
    )
    return parser


def _present(wanted: Sequence[str] | None) -> tuple[dict[str, type[Tool]], dict[str, str]]:
    """Install peers where needed; return the tools that are there and their versions."""
    if wanted != ["harness"]:
        print("peers: installing what is missing", file=sys.stderr, flush=True)
        for name, problem in install_peers().items():
            print(f"  {name}: {problem}", file=sys.stderr)
    tools: dict[str, type[Tool]] = {}
    versions: dict[str, str] = {}
    for tool in _TOOLS:
        if wanted and tool.name not in wanted:
            continue
        try:
            versions[tool.name] = tool.version()
        except (ToolFailed, OSError) as error:
            print(f"  {tool.name} is left out: {error}", file=sys.stderr)
        else:
            tools[tool.name] = tool
    return tools, versions


def _bounded(row: Row, context: Context) -> list[Line]:
    """Measure one row; one that takes too long, or that fails, becomes a line that says so."""
    print(f"{row.name}", file=sys.stderr, flush=True)
    previous = signal.signal(signal.SIGALRM, _too_slow(row))
    signal.alarm(row.limit_s)
    try:
        return row.measure(context)
    except ToolFailed as error:
        return [Line(what=row.name, unit="", values={"harness": f"failed: {error}"})]
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def _too_slow(row: Row) -> Callable[[int, FrameType | None], None]:
    def handler(number: int, frame: FrameType | None) -> None:
        raise RowTooSlow(f"{row.name} was not done after {row.limit_s} s")

    return handler


def _ended(number: int, frame: FrameType | None) -> None:
    """Leave through every context, so that nothing stays behind."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
