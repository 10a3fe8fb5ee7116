"""An event that a hundred subscribers hear of, each over a connection of its own."""

from __future__ import annotations

import subprocess  # noqa: TID251 - one program is all the subscribers
import sys

from bench.install import PROJECT
from bench.tools import Harness, ToolFailed

from .base import PROGRAMS, Context, Line, Row, Value, attempt, median, repeated

__all__ = ["ROWS"]

_SUBSCRIBERS = 100
_TIMES = 30
_LIMIT_MS = 50.0
_LONGEST_S = 60


def _hear() -> float:
    """Return the median time, in milliseconds, until the last subscriber had an event."""
    with Harness() as tool:
        tool.env |= {"PYTHONPATH": str(PROJECT), "HARNESS_PLUGINS": "bench.programs.plugin"}
        tool.start_daemon()
        argv = [sys.executable, str(PROGRAMS / "audience.py"), str(tool.folder / "state")]
        argv += [str(_SUBSCRIBERS), str(_TIMES)]
        done = subprocess.run(
            argv, env=tool.env, capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
        if done.returncode != 0:
            raise ToolFailed(done.stderr.strip().splitlines()[-1])
        return float(done.stdout.split()[0])


def measure_audience(context: Context) -> list[Line]:
    """From the moment an action tells something until the last subscriber has it."""
    if "harness" not in context.tools:
        return []
    what = f"an event to the last of {_SUBSCRIBERS} subscribers"
    found = attempt(context, f"harness: {what}", repeated, context.repeats, _hear)
    value: Value = found if isinstance(found, str) else median(found)
    met = value <= _LIMIT_MS if isinstance(value, float) else None
    return [Line(what=what, unit="ms", target="at most 50 ms", values={"harness": value}, met=met)]


ROWS = (Row(name="audience", measure=measure_audience),)
