"""Following one service's output with one client: lines a second, every one counted."""

from __future__ import annotations

import time
from pathlib import Path

from bench.processes import launch, memory, pause, wait_until
from bench.tools import Harness, Tool, ToolFailed

from .base import Context, Line, Row, Value, attempt
from .output import printer

__all__ = ["ROWS"]

_LINES = 1_000_000
_TAIL_BYTES = 400
_STALL_S = 10.0
_SAMPLED = 0.01


def _last_line_is_there(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return b"%012d" % (_LINES - 1) in file.read()


def _lost(path: Path) -> tuple[int, int]:
    """Return how many numbered lines are missing, and how many are out of order or doubled."""
    seen = wrong = 0
    previous = -1
    with path.open("rb") as file:
        for line in file:
            at = line.find(b" xxxx")
            digits = line[max(0, at - 12) : at]
            if at < 0 or not digits.isdigit():
                continue
            number = int(digits)
            seen += 1
            wrong += number <= previous
            previous = number
    return _LINES - seen, wrong


def _follow(kind: type[Tool]) -> tuple[float, int, int, int]:
    """Return lines a second, lines missing, lines wrong, and the manager's peak memory in bytes."""
    with kind() as tool:
        tool.write([printer(tool, _LINES, keep_all=True)])
        tool.up()
        tool.started(1)
        tool.finish_up()
        argv = tool.follow_argv("printer")
        if argv is None:
            raise ToolFailed("it has no such command")
        sink = tool.folder / "followed"
        follower = launch(argv, env=tool.env, cwd=tool.folder, output=sink)
        pause(1.5)
        began = time.perf_counter()
        (tool.folder / "go").touch()
        whole = _wait_growing(sink)
        took_s = time.perf_counter() - began
        follower.end()
        rss, _ = memory(tool.manager_pid())
        missing, wrong = _lost(sink)
    if not whole and missing == _LINES:
        raise ToolFailed("nothing was followed")
    return (_LINES - missing) / took_s, missing, wrong, rss


def _wait_growing(sink: Path) -> bool:
    """Wait for the last line; give up when the file has not grown for a while."""
    size = -1
    while sink.stat().st_size != size:
        size = sink.stat().st_size
        if wait_until(lambda: _last_line_is_there(sink), timeout_s=_STALL_S):
            return True
    return False


def measure_follow(context: Context) -> list[Line]:
    """Every tool that can follow."""
    values: dict[str, Value] = {}
    notes = []
    met = None
    for name, kind in context.tools.items():
        if name in ("compose", "circus"):
            continue
        found = attempt(context, f"{name}: follow", _follow, kind)
        if isinstance(found, str):
            values[name] = found
            continue
        rate, missing, wrong, rss = found
        # A rate says nothing where the client gets only samples.
        share = missing / _LINES
        values[name] = rate if share < _SAMPLED else f"loses {share:.0%} of the lines"
        notes.append(f"{name} lost {missing}, disordered {wrong}, manager {rss / 2**20:.0f} MiB")
        if kind is Harness:
            met = rate >= 200_000 and missing == wrong == 0
    return [
        Line(
            what=f"`logs -f` of {_LINES:,} lines of 100 bytes to one client",
            unit="lines/s",
            target="at least 200,000 lines/s, nothing lost",
            values=values,
            met=met,
            note="; ".join(notes),
        )
    ]


ROWS = (Row(name="follow", measure=measure_follow, limit_s=400),)
