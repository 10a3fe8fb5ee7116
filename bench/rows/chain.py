"""A chain of units that each wait for the one before: the harness's own time a link."""

from __future__ import annotations

from bench.tools import Harness, Service

from .base import PROGRAMS, Context, Line, Row, attempt, median, repeated

__all__ = ["ROWS"]

_LENGTH = 50


def _chain(*, is_task: bool) -> float:
    """Return the milliseconds between one link's first command and the next one's."""
    with Harness() as tool:
        script = PROGRAMS / ("step.sh" if is_task else "service.sh")
        names = [f"link{number:02d}" for number in range(_LENGTH)]
        tool.write(
            [
                Service(
                    name=name,
                    argv=("/bin/sh", str(script), name, str(tool.stamps.path)),
                    needs=names[number - 1] if number else None,
                    is_task=is_task,
                )
                for number, name in enumerate(names)
            ]
        )
        tool.start_daemon()
        tool.up()
        stamps = tool.started(_LENGTH)
        tool.finish_up()
        return (stamps[-1].at - stamps[0].at) / (_LENGTH - 1) * 1000


def _chain_all(repeats: int, *, is_task: bool) -> float:
    return median(repeated(repeats, _chain, is_task=is_task))


def measure_chain(context: Context) -> list[Line]:
    """Services ready at once, and tasks that end at once."""
    lines = []
    for is_task, noun in ((False, "services, each ready at once"), (True, "tasks")):
        value = attempt(
            context,
            f"harness: chain of {_LENGTH} {noun}",
            _chain_all,
            context.repeats,
            is_task=is_task,
        )
        lines.append(
            Line(
                what=f"chain of {_LENGTH} {noun}: time a link",
                unit="ms",
                target="at most 20 ms",
                values={"harness": value},
                met=value <= 20.0 if isinstance(value, float) else None,
            )
        )
    return lines


ROWS = (Row(name="chain", measure=measure_chain),)
