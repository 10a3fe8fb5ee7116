"""An action that does nothing: one after another, and as many as go, from one client and eight."""

from __future__ import annotations

import subprocess  # noqa: TID251 - talks to several programs at once
import sys

from bench.install import PROJECT
from bench.tools import Harness, ToolFailed

from .base import PROGRAMS, Context, Line, Row, Value, attempt, median, repeated

__all__ = ["ROWS"]

_SECONDS = 2.0
_IN_FLIGHT = 16


def _calls(clients: int, in_flight: int) -> tuple[float, float]:
    """Return runs a second of all clients together, and the median time of one in milliseconds."""
    with Harness() as tool:
        tool.env |= {"PYTHONPATH": str(PROJECT), "HARNESS_PLUGINS": "bench.programs.plugin"}
        tool.start_daemon()
        argv = [sys.executable, str(PROGRAMS / "caller.py"), str(tool.folder / "state")]
        callers = [
            subprocess.Popen(
                [*argv, str(_SECONDS), str(in_flight)],
                env=tool.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(clients)
        ]
        try:
            return _together(callers)
        finally:
            for caller in callers:
                caller.kill()
                caller.communicate()


def _together(callers: list[subprocess.Popen[str]]) -> tuple[float, float]:
    for caller in callers:
        if caller.stdout is None or caller.stdout.readline() != "ready\n":
            raise ToolFailed("a client could not run the action")
    for caller in callers:
        if caller.stdin is not None:
            caller.stdin.write("go\n")
            caller.stdin.flush()
    found = [caller.stdout.readline().split() for caller in callers if caller.stdout is not None]
    runs = sum(int(count) for count, _ in found)
    return runs / _SECONDS, median([float(took_ms) for _, took_ms in found])


def _line(
    context: Context, what: str, unit: str, target: str, limit: float, clients: int, in_flight: int
) -> Line:
    found = attempt(
        context, f"harness: {what}", repeated, context.repeats, _calls, clients, in_flight
    )
    is_rate = unit == "1/s"
    value: Value = (
        found if isinstance(found, str) else median([pair[0 if is_rate else 1] for pair in found])
    )
    met = None
    if isinstance(value, float):
        met = value >= limit if is_rate else value <= limit
    return Line(what=what, unit=unit, target=target, values={"harness": value}, met=met)


def measure_actions(context: Context) -> list[Line]:
    """Round trip and throughput on the unix socket."""
    if "harness" not in context.tools:
        return []
    return [
        _line(context, "an action that does nothing, one after another", "ms", "at most 3 ms",
              3.0, 1, 1),
        _line(context, f"the same, one client with {_IN_FLIGHT} in flight", "1/s",
              "at least 1,500", 1500.0, 1, _IN_FLIGHT),
        _line(context, "the same, eight clients", "1/s", "at least 3,000", 3000.0, 8, _IN_FLIGHT),
    ]  # fmt: skip


ROWS = (Row(name="actions", measure=measure_actions),)
