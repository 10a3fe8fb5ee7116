"""What a row is made of: what it measures, every tool's value, and whether the target is met."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from bench.install import HERE
from bench.tools import Service, Tool, ToolFailed

__all__ = [
    "PROGRAMS",
    "Context",
    "Line",
    "Row",
    "Value",
    "attempt",
    "best_peer",
    "median",
    "repeated",
    "sleepers",
]

PROGRAMS = HERE / "programs"

Value = float | str
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table.

    Attributes:
        what: what was measured.
        unit: of all its numbers.
        target: what the harness must reach, in words; empty where it is only compared.
        values: column → number, or words where there is none.
        met: whether the harness reached the target; None where there is none, or no number.
        ratio: harness divided by what `ratio_to` names; None where that makes no sense.
        ratio_to: what the ratio is taken to.
        note: what else there is to know.
    """

    what: str
    unit: str
    values: Mapping[str, Value]
    target: str = ""
    met: bool | None = None
    ratio: float | None = None
    ratio_to: str = ""
    note: str = ""


@dataclass(slots=True, kw_only=True)
class Context:
    """What every row gets.

    Attributes:
        tools: the tools that are there, the harness first.
        count: how many services "many" are.
        repeats: how often short measurements are made; the median counts.
        memo: results that several rows use.
    """

    tools: Mapping[str, type[Tool]]
    count: int = 200
    repeats: int = 3
    memo: dict[str, object] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Show progress on stderr."""
        print(f"  {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A measurement that can be asked for by name.

    Attributes:
        name: for `--only`.
        measure: makes its lines.
        limit_s: after this many seconds it is given up.
    """

    name: str
    measure: Callable[[Context], list[Line]]
    limit_s: int = 300


def attempt(
    context: Context, what: str, work: Callable[P, T], *args: P.args, **more: P.kwargs
) -> T | str:
    """Do one tool's part; a tool that fails gets its reason as the value."""
    context.say(what)
    try:
        return work(*args, **more)
    except (ToolFailed, OSError, ValueError, KeyError) as error:
        context.say(f"  {what}: {error}")
        # The table has room for the beginning; the rest was said.
        return f"failed: {error}".partition(": /")[0][:60]


def repeated(times: int, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> list[T]:
    """Do the same several times; return all results."""
    return [work(*args, **more) for _ in range(times)]


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def best_peer(values: Mapping[str, Value], peers: Sequence[str]) -> float | None:
    """Return the smallest number among the peers."""
    numbers = [values[peer] for peer in peers if isinstance(values.get(peer), float)]
    return min((number for number in numbers if isinstance(number, float)), default=None)


def sleepers(tool: Tool, count: int, **more: object) -> list[Service]:
    """Return services that stamp and then sleep; `more` are further fields of each."""
    script, fifo = str(PROGRAMS / "service.sh"), str(tool.stamps.path)
    names = [f"s{number:03d}" for number in range(count)]
    return [
        Service(name=name, argv=("/bin/sh", script, name, fifo), **more)  # type: ignore[arg-type]
        for name in names
    ]
