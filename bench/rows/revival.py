"""A service is killed: how long until it runs again."""

from __future__ import annotations

import os
import random
import signal
import time

from bench.processes import pause
from bench.tools import Tool, ToolFailed

from .base import Context, Line, Row, Value, attempt, best_peer, median, sleepers

__all__ = ["ROWS"]

_KILLS = 15
_SETTLE_S = 2.0


def _revival_ms(kind: type[Tool]) -> float:
    """Kill each of some services once; return the median until its next stamp."""
    # The pauses are random so that no tool's rhythm falls in step with the kills, but repeatable.
    pauses = random.Random(1)
    with kind() as tool:
        services = sleepers(tool, _KILLS, restart=True)
        tool.write(services)
        tool.up()
        running = {stamp.name: stamp for stamp in tool.started(_KILLS)}
        tool.finish_up()
        # Tools with a notion of "it stayed up" get the time for it, or they would back off.
        pause(_SETTLE_S)
        took = []
        for name, stamp in running.items():
            tool.stamps.clear()
            killed = time.perf_counter()
            os.kill(stamp.pid, signal.SIGKILL)
            again = tool.stamps.wait_for([name], timeout_s=15.0)
            if not again:
                raise ToolFailed(f"{name} did not run again within 15 s")
            took.append((again[name].at - killed) * 1000)
            pause(pauses.uniform(0.05, 0.35))
    return median(took)


def measure_revival(context: Context) -> list[Line]:
    """Every tool that starts services again."""
    values: dict[str, Value] = {
        name: attempt(
            context,
            f"{name}: {_KILLS} kills",
            _revival_ms,
            kind,
        )
        for name, kind in context.tools.items()
        if name != "compose"
    }
    mine = values.get("harness")
    best = best_peer(values, ("supervisord", "circus", "pm2"))
    return [
        Line(
            what=f"a killed service noticed and running again, no back-off, median of {_KILLS}",
            unit="ms",
            target="at most 10 ms",
            values=values,
            met=mine <= 10.0 if isinstance(mine, float) else None,
            ratio=mine / best if isinstance(mine, float) and best is not None else None,
            ratio_to="fastest peer",
        )
    ]


ROWS = (Row(name="revival", measure=measure_revival),)
