"""How an operation looks while it runs: a table that is repainted on a terminal, else lines.

The table is painted from the daemon's own answers: status, asked for again only after an event
said that something changed, and why for what waits. Lines are events; in a silence they also say
what is waited for.
"""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import click

from harness.explanations import waiting_line

from .facts import action_event, failed_hook, outputs_text, progress_fact
from .interrupts import HiddenCursor
from .moments import age, elapsed_s
from .tables import Cell, columns
from .units import addresses, progress_word

if TYPE_CHECKING:
    from rich.table import Table

    from harness.client import Client

    from .output import Output

__all__ = ["Board", "picture", "show_progress", "unit_table"]

_REPAINT_S = 0.1
# Failed tries of a check are no events, so a long wait is explained anew now and then.
_EXPLAIN_AFTER_S = 0.3
_EXPLAIN_EVERY_S = 1.0
_MOST_EXPLAINED = 20
_EXPLAINED = ("waiting", "backoff", "starting")
_AWAITED = (*_EXPLAINED, "running", "stopping")
_SILENCE_S = 2.0
_REMIND_EVERY_S = 10.0


class Board:
    """What is known about an operation and its units.

    Attributes:
        units: the project's units in file order, as of the last refresh.
        over: the operation's end was told.
    """

    def __init__(self, operation: Mapping[str, Any]) -> None:
        self.id: str = operation["id"]
        self.project: str = operation["project"]
        self.after: int = operation["after"]
        self.units: list[Mapping[str, Any]] = []
        self.over = False
        self._names: frozenset[str] = frozenset()
        self._changed_at: dict[str, str] = {}
        self._began_at: str | None = None
        self._began_s = 0.0
        self._reasons: dict[str, str] = {}
        self._told: dict[str, str] = {}

    def take(self, event: Mapping[str, Any]) -> None:
        """Learn from an event."""
        kind, unit = event["kind"], event["unit"]
        if self._began_at is None:
            self._began_at = event["at"]
            # By a clock that nobody sets, less what had passed before the event got here.
            self._began_s = time.monotonic() - max(0.0, elapsed_s(self._began_at))
        if kind == "operation-started" and event["data"].get("id") == self.id:
            self._names = frozenset(event["data"].get("units") or ())
        elif kind == "operation-finished" and event["data"].get("id") == self.id:
            self.over = True
        elif unit is not None and kind != "probe-finished":
            self._changed_at[unit] = event["at"]
            self._take_told(unit, kind, event["data"])

    def _take_told(self, unit: str, kind: str, data: Mapping[str, Any]) -> None:
        """Keep what a setup or a task says of how far it is, until the unit is something else."""
        if kind == "unit-state-changed":
            self._told.pop(unit, None)
        elif kind == "action-event" and data["name"] == "progress":
            self._told[unit] = action_event("progress", data["data"])

    async def refresh(self, client: Client) -> None:
        """Ask how all units are."""
        self.units = list((await client.services.status(project=self.project))["services"])

    async def explain(self, client: Client) -> None:
        """Ask why those that have waited for a moment wait."""
        self._reasons = {}
        for unit in self.touched():
            if len(self._reasons) == _MOST_EXPLAINED:
                break
            if progress_word(unit).text in _EXPLAINED:
                explanation = await client.services.why(project=self.project, unit=unit["name"])
                self._reasons[unit["name"]] = waiting_line(explanation)

    def touched(self) -> list[Mapping[str, Any]]:
        """Return the units of the operation, in file order."""
        return [unit for unit in self.units if not self._names or unit["name"] in self._names]

    def was_touched(self, unit: Mapping[str, Any]) -> bool:
        """Tell whether something happened to a unit since the operation began."""
        return unit["name"] in self._changed_at

    def waited_s(self) -> float:
        """Return the seconds since the operation began."""
        return time.monotonic() - self._began_s if self._began_at else 0.0

    def row(self, unit: Mapping[str, Any]) -> list[str | Cell | None]:
        """Return name, word, time and remark of a unit."""
        word = progress_word(unit)
        settled = word.text in ("ready", "done", "failed", "stopped")
        changed_at = self._changed_at.get(unit["name"])
        if settled:
            began = self._began_at
            time = age(elapsed_s(began, until=changed_at)) if began and changed_at else None
        else:
            time = age(self.waited_s())
        return [unit["name"], word, time, self._remark(unit, word.text)]

    def reminders(self) -> list[str]:
        """Return a line for each unit that is still awaited: what it waits for."""
        lines = []
        for unit in self.touched():
            word = progress_word(unit).text
            if word in _AWAITED:
                remark = self._remark(unit, word)
                line = f"{unit['name']}: {word} ({age(self.waited_s())})"
                lines.append(f"{line}: {remark}" if remark else line)
        return lines

    def _remark(self, unit: Mapping[str, Any], word: str) -> str:
        if word == "done":
            return outputs_text(unit["outputs"])
        if word == "ready":
            return addresses(unit, names=len(unit["endpoints"]) > 1)
        if unit["name"] in self._told:
            return self._told[unit["name"]]
        if word not in _EXPLAINED:  # a reason from when it was waiting holds no more
            return unit["message"] or ""
        return self._reasons.get(unit["name"]) or unit["message"] or ""


def unit_table(output: Output, board: Board) -> list[str]:
    """Return the lines of the table of the operation's units."""
    rows = [board.row(unit) for unit in board.touched()]
    return [f" {line}" for line in columns(output, rows)]


@asynccontextmanager
async def show_progress(
    output: Output, client: Client, board: Board
) -> AsyncIterator[Callable[[Mapping[str, Any]], None]]:
    """Show progress on stderr while the context is open; yields what to call with every event."""
    if output.quiet:
        yield _nothing
    elif sys.stderr.isatty() and not output.verbose:
        async with _live(output, client, board) as show:
            yield show
    else:
        async with _lines(output, client, board) as show:
            yield show


def _nothing(_: Mapping[str, Any]) -> None:
    """Show nothing."""


@asynccontextmanager
async def _lines(
    output: Output, client: Client, board: Board
) -> AsyncIterator[Callable[[Mapping[str, Any]], None]]:
    """Say what happens; after a first silence, and then every few seconds, what is awaited."""
    said_at, over = anyio.current_time(), anyio.Event()

    def show(event: Mapping[str, Any]) -> None:
        nonlocal said_at
        line = progress_fact(event, verbose=output.verbose)
        if line is not None:
            said_at = anyio.current_time()
            click.echo("\n".join(failed_hook(event) or [line]), err=True)

    async def remind() -> None:
        from harness.errors import UnknownService

        while (left_s := said_at + _SILENCE_S - anyio.current_time()) > 0:
            if await _came(over, within_s=left_s):
                return
        while not over.is_set():
            with suppress(LookupError, UnknownService):  # as for the table
                await board.refresh(client)
                await board.explain(client)
            if not board.over:
                click.echo("".join(f"{line}\n" for line in board.reminders()), err=True, nl=False)
            await _came(over, within_s=_REMIND_EVERY_S)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(remind)
        yield show
        over.set()  # not cancelled: as for the table


async def _came(event: anyio.Event, *, within_s: float) -> bool:
    with anyio.move_on_after(within_s):
        await event.wait()
    return event.is_set()


@asynccontextmanager
async def _live(
    output: Output, client: Client, board: Board
) -> AsyncIterator[Callable[[Mapping[str, Any]], None]]:
    from rich.console import Console
    from rich.live import Live

    changed, over = anyio.Event(), anyio.Event()

    def show(event: Mapping[str, Any]) -> None:
        changed.set()
        # Of all that happens it is what no state and no log of a service tells.
        for line in failed_hook(event):
            live.console.print(line, markup=False, highlight=False, soft_wrap=True)

    async def repaint(live: Live) -> None:
        from harness.errors import UnknownService

        nonlocal changed
        explain_at_s = _EXPLAIN_AFTER_S
        while not over.is_set():
            with suppress(
                LookupError, UnknownService
            ):  # `down --volumes` forgets units and the project
                if changed.is_set():
                    changed = anyio.Event()
                    await board.refresh(client)
                if board.waited_s() >= explain_at_s:
                    explain_at_s = board.waited_s() + _EXPLAIN_EVERY_S
                    await board.explain(client)
            live.update(picture(board), refresh=True)
            await _came(over, within_s=_REPAINT_S)

    console = Console(stderr=True, no_color=not output.colored(err=True))
    HiddenCursor.happened = True
    with Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False) as live:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(repaint, live)
            changed.set()
            yield show
            # Told, not cancelled: a question cut short would make the connection useless.
            over.set()


def picture(board: Board) -> Table:
    """Return the table of an operation as it is painted on a terminal."""
    from rich.table import Table
    from rich.text import Text

    colors = {"good": "green", "bad": "red", "busy": "yellow", "dim": "dim"}
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=True)
    for _ in range(3):
        table.add_column(no_wrap=True)
    # Only the last column gives way where the terminal is narrow: its text is cut, not wrapped.
    table.add_column()
    for unit in board.touched():
        cells = [cell if isinstance(cell, Cell) else Cell(cell or "") for cell in board.row(unit)]
        table.add_row(
            *(
                Text(
                    cell.text,
                    style=colors.get(cell.style or "", ""),
                    no_wrap=True,
                    overflow="ellipsis",
                )
                for cell in cells
            )
        )
    return table
