"""Many services at once: until the last one runs, and until the last one is gone."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.processes import is_alive, marked, wait_until
from bench.tools import Bare, Compose, Harness, Tool, ToolFailed

from .base import Context, Line, Row, Value, attempt, best_peer, median, repeated, sleepers

__all__ = ["ROWS"]

_PEERS = ("supervisord", "circus", "pm2", "compose")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """Seconds from the command to the last service's stamp, and from the stop to nothing left."""

    up_s: float
    stop_s: float
    left: int


def _cycle(kind: type[Tool], count: int, *, warm: bool = False) -> Cycle:
    """Start and stop `count` services once."""
    with kind() as tool:
        tool.write(sleepers(tool, count))
        if warm and isinstance(tool, Harness):
            tool.start_daemon()
        began = time.perf_counter()
        tool.up()
        stamps = tool.started(count)
        returned = tool.finish_up()
        # The harness promises that `up` returns when all run: the later moment counts.
        last = max(stamps[-1].at, returned if isinstance(tool, Harness) else 0.0)
        pids = tool.service_pids(stamps)
        _settle(tool)
        stopping = time.perf_counter()
        tool.stop()
        if not wait_until(lambda: not any(map(is_alive, pids)), timeout_s=60.0):
            raise ToolFailed("services were left 60 s after the stop")
        stopped = time.perf_counter()
        manager = {tool.manager_pid()} if isinstance(tool, Harness) else set()
        wait_until(lambda: not set(marked(tool.mark)) - manager, timeout_s=2.0)
        left = len(set(marked(tool.mark)) - manager)
    return Cycle(up_s=last - began, stop_s=stopped - stopping, left=left)


def _settle(tool: Tool) -> None:
    """Wait until the manager has noticed what it started, so that its stop stops all."""
    argv = tool.status_argv()
    if argv is None or isinstance(tool, Harness):
        return
    wait_until(lambda: _answers(tool, argv), timeout_s=30.0, every_s=0.2)


def _answers(tool: Tool, argv: list[str]) -> bool:
    try:
        text = tool.command(*argv)
    except ToolFailed:
        # supervisorctl ends with 3 while programs are starting.
        return False
    return b"STARTING" not in text


def _warm_all(count: int, repeats: int) -> float:
    return median([c.up_s for c in repeated(repeats, _cycle, Harness, count, warm=True)])


def _bare_loop(count: int) -> float:
    """Spawn the same commands in a loop, each with its output in a file."""
    with Bare() as tool:
        tool.write(sleepers(tool, count))
        began = time.perf_counter()
        tool.up()
        return tool.started(count)[-1].at - began


def _cycles(context: Context) -> dict[str, list[Cycle] | str]:
    """Measure all tools once for both rows."""
    found = context.memo.get("cycles")
    if not isinstance(found, dict):
        found = {
            name: attempt(
                context,
                f"{name}: {context.count} services up and down",
                repeated,
                1 if kind is Compose else context.repeats,
                _cycle,
                kind,
                context.count,
            )
            for name, kind in context.tools.items()
        }
        context.memo["cycles"] = found
    return found


def measure_up(context: Context) -> list[Line]:
    """All services at once, from nothing and with the daemon running."""
    values: dict[str, Value] = {
        name: cycles if isinstance(cycles, str) else median([cycle.up_s for cycle in cycles])
        for name, cycles in _cycles(context).items()
    }
    bare = median(repeated(context.repeats, _bare_loop, context.count))
    mine, best = values.get("harness"), best_peer(values, _PEERS)
    count = context.count
    lines = [
        Line(
            what=f"{count} services from nothing to all running, manager's start included",
            unit="s",
            target="less than every peer",
            values={**values, "bare loop": bare},
            met=mine < best if isinstance(mine, float) and best is not None else None,
            ratio=mine / best if isinstance(mine, float) and best is not None else None,
            ratio_to="fastest peer",
        )
    ]
    if "harness" in context.tools:
        warm = attempt(
            context,
            f"harness: {count} services, daemon running",
            _warm_all,
            count,
            context.repeats,
        )
        ratio = warm / bare if isinstance(warm, float) else None
        lines.append(
            Line(
                what=f"`up` of {count} services with the daemon running, to all running",
                unit="s",
                target="at most 4 times a bare loop (goal 2.5)",
                values={"harness": warm, "bare loop": bare},
                met=ratio <= 4.0 if ratio is not None else None,
                ratio=ratio,
                ratio_to="bare loop",
            )
        )
    return lines


def measure_stop(context: Context) -> list[Line]:
    """The same services, stopped."""
    cycles = _cycles(context)
    values: dict[str, Value] = {
        name: found if isinstance(found, str) else median([cycle.stop_s for cycle in found])
        for name, found in cycles.items()
    }
    left = {
        name: max(cycle.left for cycle in found)
        for name, found in cycles.items()
        if not isinstance(found, str)
    }
    mine, best = values.get("harness"), best_peer(values, _PEERS)
    surplus = ", ".join(f"{name} {number}" for name, number in left.items() if number)
    return [
        Line(
            what=f"stop of {context.count} services that end at TERM, until none is left",
            unit="s",
            target="at most 1 s, nothing left",
            values=values,
            met=mine <= 1.0 and left["harness"] == 0 if isinstance(mine, float) else None,
            ratio=mine / best if isinstance(mine, float) and best is not None else None,
            ratio_to="fastest peer",
            note=f"processes left: {surplus}" if surplus else "no tool left a process",
        )
    ]


ROWS = (
    Row(name="up", measure=measure_up, limit_s=600),
    Row(name="stop", measure=measure_stop, limit_s=600),
)
