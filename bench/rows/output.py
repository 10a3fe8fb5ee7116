"""A service that prints as fast as it can, beside the same program writing into a file."""

from __future__ import annotations

import sys

from bench.tools import Bare, Service, Tool, ToolFailed

from .base import PROGRAMS, Context, Line, Row, Value, attempt, median

__all__ = ["ROWS", "printer"]

_LINES = 2_000_000
_LINE_BYTES = 100
_RUNS = 5


def printer(tool: Tool, lines: int, *, keep_all: bool = False) -> Service:
    """Return the printing service; it waits for the file `go` in the tool's folder."""
    start = tool.folder / "go"
    argv = (
        sys.executable,
        str(PROGRAMS / "printer.py"),
        "printer",
        str(tool.stamps.path),
        str(start),
        str(lines),
    )
    return Service(name="printer", argv=argv, keep_all=keep_all)


def _rate(tool: Tool) -> float:
    """Let the printer go; return the MB/s it saw."""
    tool.started(1)
    tool.finish_up()
    (tool.folder / "go").touch()
    done = tool.stamps.wait(1, timeout_s=60.0)
    if not done:
        raise ToolFailed("the printer was not done within 60 s")
    return _LINES * _LINE_BYTES / 1e6 / float(done[0].text)


def _through(kind: type[Tool]) -> float:
    with kind() as tool:
        tool.write([printer(tool, _LINES)])
        tool.up()
        return _rate(tool)


def _into_file() -> float:
    with Bare() as tool:
        tool.write([printer(tool, _LINES)])
        tool.up()
        return _rate(tool)


def _pairs(kind: type[Tool]) -> tuple[float, float, float]:
    """Return medians through the tool, into a file, and of the two's ratio, taken in turns.

    The ratio is that of each pair: what else the machine does changes from one to the next.
    """
    pairs = [(_through(kind), _into_file()) for _ in range(_RUNS)]
    return (
        median([through for through, _ in pairs]),
        median([into_file for _, into_file in pairs]),
        median([through / into_file for through, into_file in pairs]),
    )


def measure_output(context: Context) -> list[Line]:
    """Throughput in MB/s as the service sees it."""
    values: dict[str, Value] = {}
    ratio = None
    for name, kind in context.tools.items():
        if name == "compose":
            continue
        if name == "harness":
            found = attempt(context, "harness and a file: output", _pairs, kind)
            if isinstance(found, str):
                values[name] = found
            else:
                values[name], values["file"], ratio = found
        else:
            values[name] = attempt(context, f"{name}: output", _through, kind)
    return [
        Line(
            what=f"output of a service that prints {_LINES * _LINE_BYTES // 1_000_000} MB "
            "as fast as it can",
            unit="MB/s",
            target="at least 0.95 of the same program writing into a file",
            values=values,
            met=ratio >= 0.95 if ratio is not None else None,
            ratio=ratio,
            ratio_to="file",
        )
    ]


ROWS = (Row(name="output", measure=measure_output),)
