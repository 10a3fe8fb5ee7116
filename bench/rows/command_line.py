"""Whole processes of the command line, from exec to exit."""

from __future__ import annotations

from bench.processes import pause, run, wait_until
from bench.tools import Harness, Tool, ToolFailed

from .base import Context, Line, Row, Value, attempt, median, sleepers

__all__ = ["ROWS"]

_RUNS = 9
_SERVICES = 20


def _times(tool: Tool, argv: list[str]) -> tuple[float, float]:
    """Return minimum and median of several runs in milliseconds."""
    took = []
    for _ in range(_RUNS):
        done = run(argv, env=tool.env, cwd=tool.folder)
        if done.status != 0:
            raise ToolFailed(f"{' '.join(argv)} ended with {done.status}: {done.stderr[:200]!r}")
        took.append(done.took_s * 1000)
    return min(took), median(took)


def _status_ms(kind: type[Tool]) -> tuple[float, float]:
    with kind() as tool:
        tool.write(sleepers(tool, _SERVICES))
        tool.up()
        tool.started(_SERVICES)
        tool.finish_up()
        argv = tool.status_argv()
        if argv is None:
            raise ToolFailed("it has no such command")
        wait_until(
            lambda: run(argv, env=tool.env, cwd=tool.folder).status == 0,
            timeout_s=15.0,
            every_s=0.3,
        )
        pause(0.5)
        return _times(tool, argv)


def _help_ms() -> tuple[float, float]:
    with Harness() as tool:
        return _times(tool, tool.help_argv())


def _line(what: str, limit_ms: float, found: dict[str, tuple[float, float] | str]) -> Line:
    values: dict[str, Value] = {
        name: pair if isinstance(pair, str) else pair[1] for name, pair in found.items()
    }
    mine = values.get("harness")
    least = ", ".join(
        f"{name} {pair[0]:.0f}" for name, pair in found.items() if not isinstance(pair, str)
    )
    return Line(
        what=f"{what}, median of {_RUNS}",
        unit="ms",
        target=f"at most {limit_ms:.0f} ms",
        values=values,
        met=mine <= limit_ms if isinstance(mine, float) else None,
        note=f"minimum: {least}",
    )


def measure_command_line(context: Context) -> list[Line]:
    """`status` of a running project, and `--help`."""
    found: dict[str, tuple[float, float] | str] = {
        name: attempt(
            context,
            f"{name}: status",
            _status_ms,
            kind,
        )
        for name, kind in context.tools.items()
    }
    lines = [_line(f"`status` of {_SERVICES} services, whole process", 200.0, found)]
    if "harness" in context.tools:
        shown = attempt(context, "harness: --help", _help_ms)
        lines.append(_line("`--help`, whole process", 120.0, {"harness": shown}))
    return lines


ROWS = (Row(name="command-line", measure=measure_command_line),)
