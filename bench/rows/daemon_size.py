"""What the manager itself needs: memory, for each service more, and processor time when idle."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from bench.processes import cpu_seconds, marked, memory, pause, wait_until
from bench.tools import Harness, Tool

from .base import Context, Line, Row, Value, attempt, sleepers

__all__ = ["ROWS"]

_WINDOW_S = 30.0
_SETTLE_S = 3.0
_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Bytes of the manager, and of processes that are neither manager nor service."""

    rss: int
    pss: int
    others: int
    others_pss: int


def _size(kind: type[Tool], count: int) -> Size:
    with kind() as tool:
        tool.write(sleepers(tool, count))
        tool.up()
        stamps = tool.started(count, timeout_s=90.0)
        tool.finish_up()
        pause(_SETTLE_S)
        manager = tool.manager_pid()
        rss, pss = memory(manager)
        others = set(marked(tool.mark)) - {manager} - {stamp.pid for stamp in stamps}
        return Size(
            rss=rss,
            pss=pss,
            others=len(others),
            others_pss=sum(memory(pid)[1] for pid in others),
        )


def _sizes(kind: type[Tool], count: int) -> tuple[Size, Size]:
    return _size(kind, count), _size(kind, 2 * count)


def measure_memory(context: Context) -> list[Line]:
    """The manager with many services, and with twice as many."""
    count = context.count
    sizes = {
        name: attempt(
            context,
            f"{name}: memory with {count} and {2 * count} services",
            _sizes,
            kind,
            count,
        )
        for name, kind in context.tools.items()
        if name != "compose"
    }
    resident: dict[str, Value] = {}
    each: dict[str, Value] = {}
    notes = []
    for name, pair in sizes.items():
        if isinstance(pair, str):
            resident[name] = each[name] = pair
            continue
        few, many = pair
        resident[name] = few.rss / _MIB
        each[name] = (many.rss - few.rss) / count / 1024
        notes.append(f"{name} PSS {few.pss / _MIB:.0f}")
        if few.others:
            notes.append(f"{few.others} helper processes, PSS {few.others_pss / _MIB:.1f}")
    mine, more = resident.get("harness"), each.get("harness")
    return [
        Line(
            what=f"memory of the manager with {count} services (RSS)",
            unit="MiB",
            target="at most 90 MiB",
            values=resident,
            met=mine <= 90.0 if isinstance(mine, float) else None,
            note=", ".join(notes),
        ),
        Line(
            what=f"memory for each service more, from {count} to {2 * count}",
            unit="KiB",
            target="at most 60 KiB",
            values=each,
            met=more <= 60.0 if isinstance(more, float) else None,
        ),
    ]


def _idle_percent(kind: type[Tool], count: int) -> float:
    """Return the share of one core that the manager and its checks use, in percent."""
    # Nobody accepts: the kernel completes the connections, so the other side costs nothing.
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener, kind() as tool:
        tool.write(sleepers(tool, count, check_port=listener.getsockname()[1]))
        tool.up()
        tool.started(count, timeout_s=90.0)
        tool.finish_up()
        if isinstance(tool, Harness):
            wait_until(
                lambda: all(unit["health"] == "healthy" for unit in tool.status()),
                timeout_s=30.0,
                every_s=0.5,
            )
        # The checks slow down to their interval within the first ones.
        pause(15.0 if isinstance(tool, Harness) else _SETTLE_S)
        manager = tool.manager_pid()
        before = cpu_seconds(manager)
        pause(_WINDOW_S)
        return (cpu_seconds(manager) - before) / _WINDOW_S * 100


def measure_idle(context: Context) -> list[Line]:
    """The manager over a window in which nothing happens."""
    count = context.count
    values: dict[str, Value] = {
        name: attempt(
            context,
            f"{name}: idle for {_WINDOW_S:.0f} s",
            _idle_percent,
            kind,
            count,
        )
        for name, kind in context.tools.items()
        if name != "compose"
    }
    mine = values.get("harness")
    return [
        Line(
            what=f"idle manager, {count} services; the harness checks each every 10 s, "
            "the others have no checks",
            unit="% of a core",
            target="at most 3 %",
            values=values,
            met=mine <= 3.0 if isinstance(mine, float) else None,
        )
    ]


ROWS = (
    Row(name="memory", measure=measure_memory, limit_s=400),
    Row(name="idle", measure=measure_idle, limit_s=400),
)
