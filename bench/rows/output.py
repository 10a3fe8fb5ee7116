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


def _through(kind: type[Tool], *, keep_all: bool = True) -> float:
    with kind() as tool:
        tool.write([printer(tool, _LINES, keep_all=keep_all)])
        tool.up()
        return _rate(tool)


def _into_file() -> float:
    with Bare() as tool:
        tool.write([printer(tool, _LINES)])
        tool.up()
        return _rate(tool)


def _pairs(kind: type[Tool], keep_all: bool) -> tuple[float, float, float]:
    """Return medians through the tool, into a file, and of the two's ratio, taken in turns.

    The ratio is that of each pair: what else the machine does changes from one to the next.
    """
    pairs = [(_through(kind, keep_all=keep_all), _into_file()) for _ in range(_RUNS)]
    return (
        median([through for through, _ in pairs]),
        median([into_file for _, into_file in pairs]),
        median([through / into_file for through, into_file in pairs]),
    )


def measure_output(context: Context) -> list[Line]:
    """Throughput in MB/s as the service sees it."""
    values: dict[str, Value] = {}
    capped: dict[str, Value] = {}
    ratio = capped_ratio = None
    for name, kind in context.tools.items():
        if name == "compose":
            continue
        if name == "harness":
            found = attempt(context, "harness and a file: output", _pairs, kind, True)
            if isinstance(found, str):
                values[name] = found
            else:
                values[name], values["file"], ratio = found
            found = attempt(context, "harness, log capped, and a file: output", _pairs, kind, False)
            if isinstance(found, str):
                capped[name] = found
            else:
                capped[name], capped["file"], capped_ratio = found
        else:
            values[name] = attempt(context, f"{name}: output", _through, kind)
    return [
        Line(
            what=f"output of a service that prints {_LINES * _LINE_BYTES // 1_000_000} MB "
            "as fast as it can, all of it kept",
            unit="MB/s",
            target="at least 0.95 of the same program writing into a file",
            values=values,
            met=ratio >= 0.95 if ratio is not None else None,
            ratio=ratio,
            ratio_to="file",
        ),
        Line(
            what="the same with the log capped at 64 MiB, the default, and the file not",
            unit="MB/s",
            target="none",
            values=capped,
            met=None,
            ratio=capped_ratio,
            ratio_to="file",
            note="the kernel takes a fifth of the time of writing to free what is dropped",
        ),
    ]


ROWS = (Row(name="output", measure=measure_output),)
