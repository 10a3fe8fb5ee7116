"""The manager is killed with -9 and started again: what becomes of its services."""

from __future__ import annotations

import os
import signal
import time

from bench.processes import is_alive, marked, pause, wait_until
from bench.tools import Harness, Tool, ToolFailed

from .base import Context, Line, Row, Value, attempt, median, repeated, sleepers

__all__ = ["ROWS"]


def _adopt(count: int) -> float:
    """Return the seconds from the new daemon's start to all services adopted.

    Raises:
        ToolFailed: a service was lost, or started a second time.
    """
    with Harness() as tool:
        tool.write(sleepers(tool, count))
        tool.up()
        pids = {stamp.name: stamp.pid for stamp in tool.started(count)}
        tool.finish_up()
        daemon = tool.manager_pid()
        os.kill(daemon, signal.SIGKILL)
        wait_until(lambda: not is_alive(daemon), timeout_s=10.0)
        began = time.perf_counter()
        tool.start_daemon()
        took_s = tool.running(pids, timeout_s=30.0) - began
        if tool.stamps.wait(1, timeout_s=1.0):
            raise ToolFailed("a service was started a second time")
        if not all(map(is_alive, pids.values())):
            raise ToolFailed("a service was lost")
        return took_s


def _adopt_all(count: int, repeats: int) -> float:
    return median(repeated(repeats, _adopt, count))


def _orphans(kind: type[Tool], count: int) -> str:
    """Kill a peer's manager, start it again, and count what runs."""
    with kind() as tool:
        tool.write(sleepers(tool, count))
        tool.up()
        first = {stamp.pid for stamp in tool.started(count)}
        tool.finish_up()
        os.kill(tool.manager_pid(), signal.SIGKILL)
        pause(1.0)
        if tool.manager is not None:
            tool.manager.end()
        for name in ("sock", "pm2/rpc.sock", "pm2/pub.sock", "endpoint", "pubsub"):
            (tool.folder / name).unlink(missing_ok=True)
        tool.up()
        second = {stamp.pid for stamp in tool.stamps.wait(count, timeout_s=20.0)}
        pause(1.0)
        alive = set(marked(tool.mark))
        orphans, new = len(first & alive), len(second & alive)
    if new == 0 and orphans == count:
        return "adopted"
    return f"{orphans} orphans, {new} started anew"


def measure_adoption(context: Context) -> list[Line]:
    """The harness adopts; peers leave orphans, or lose their services."""
    count = context.count
    values: dict[str, Value] = {}
    for name, kind in context.tools.items():
        if kind is Harness:
            values[name] = attempt(
                context,
                f"harness: adoption of {count}",
                _adopt_all,
                count,
                context.repeats,
            )
        elif name != "compose":
            values[name] = attempt(
                context,
                f"{name}: kill -9",
                _orphans,
                kind,
                count,
            )
    mine = values.get("harness")
    return [
        Line(
            what=f"{count} services running again under control after kill -9 of the manager",
            unit="s",
            target="at most 2 s, none lost, none doubled",
            values=values,
            met=mine <= 2.0 if isinstance(mine, float) else None,
        )
    ]


ROWS = (Row(name="adoption", measure=measure_adoption),)
