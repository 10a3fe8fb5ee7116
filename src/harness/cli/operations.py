"""Long work, followed to its end: events drive the display, the operation says when it is over.

Ctrl-C asks the daemon to cancel and waits for that; a second one leaves the daemon to it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any

import anyio
import click
from anyio.abc import TaskStatus

from harness.client import as_it_is_now
from harness.errors import HarnessError

from .errors import ErrorReport, fail
from .exit_codes import INTERRUPTED
from .interrupts import TakenInterrupts
from .progress import Board, show_progress, unit_table
from .units import state_cell

if TYPE_CHECKING:
    from harness.client import Client

    from .output import Output
    from .session import Session

__all__ = ["Progress", "Show", "finish"]

Show = Callable[[Mapping[str, Any]], None]
"""Is called with every event."""
Progress = Callable[["Output", "Client", Board], AbstractAsyncContextManager[Show]]
Answer = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Is called with the ended operation."""

_LAST_EVENTS_S = 2.0
_LINE = 160  # characters of a line of output beside an error
_LEFT = "harness: left; {} (harness status shows how far it is)"


async def finish(
    session: Session,
    client: Client,
    starting: Awaitable[Mapping[str, Any]],
    *,
    wait: bool = True,
    show_units: bool = False,
    progress: Progress = show_progress,
    answer: Answer | None = None,
) -> None:
    """See an operation through: print how it goes, then its answer; end the run if it failed.

    Args:
        session: the run.
        client: to ask with.
        starting: the call that starts it; it returns a reference: id, project, after.
        wait: False prints the id and leaves it running.
        show_units: the answer is a table of the units it touched.
        progress: shows how it goes.
        answer: prints what became of it; None: the operation itself.
    """
    try:
        if wait:
            following = _Following(session, client, progress)
            await _see_through(session, client, starting, following, show_units, answer)
        else:
            await _start_only(session, starting)
    finally:
        if iscoroutine(starting):
            # An interrupt may come before it was called at all.
            starting.close()


async def _start_only(session: Session, starting: Awaitable[Mapping[str, Any]]) -> None:
    try:
        operation = await starting
    except anyio.get_cancelled_exc_class():
        session.out.note(_LEFT.format("what was asked for may go on"))
        raise
    if session.out.json:
        session.out.document(operation)
    else:
        session.out.lines([operation["id"]])


async def _see_through(
    session: Session,
    client: Client,
    starting: Awaitable[Mapping[str, Any]],
    following: _Following,
    show_units: bool,
    answer: Answer | None,
) -> None:
    ended = await following.run(starting)
    board = following.board
    if ended is None or board is None:
        what = f"{board.id} is being cancelled" if board else "what was asked for may go on"
        session.out.note(_LEFT.format(what))
        raise click.exceptions.Exit(INTERRUPTED)
    if answer is not None:
        await answer(ended)
        if following.interrupted and ended["state"] != "done":
            raise click.exceptions.Exit(INTERRUPTED)
        await _check(session, client, ended)
        return
    if show_units:
        await board.refresh(client)
        ended = as_it_is_now(ended, board.units)
    if session.out.json:
        session.out.document(ended)
    elif (
        show_units
        and not session.out.quiet
        and (ended["state"] == "done" or not following.interrupted)
    ):
        session.out.lines(unit_table(session.out, board))
    if following.interrupted and ended["state"] != "done":
        await _say_what_runs(session, client, board, verb=ended["verb"])
        raise click.exceptions.Exit(INTERRUPTED)
    await _check(session, client, ended)


class _Following:
    """One operation being watched."""

    def __init__(self, session: Session, client: Client, progress: Progress) -> None:
        self._session = session
        self._client = client
        self._progress = progress
        self.board: Board | None = None
        self._begun = anyio.Event()
        self._ended: Mapping[str, Any] | None = None
        self._told = anyio.Event()
        self.interrupted = False

    async def run(self, starting: Awaitable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """Return the ended operation, or None when the user left before that."""
        async with anyio.create_task_group() as tasks:
            await tasks.start(self._watch_interrupts, tasks.cancel_scope)
            # An interrupt from here on is seen, whether the daemon has answered or not.
            board = self.board = Board(await starting)
            self._begun.set()
            tasks.start_soon(self._watch_events, board)
            ended = await self._client.operations.wait(id=board.id)
            with anyio.move_on_after(_LAST_EVENTS_S):
                await self._told.wait()
            self._ended = ended
            tasks.cancel_scope.cancel()
        return self._ended

    async def _watch_events(self, board: Board) -> None:
        try:
            async with (
                self._client.events.subscribe(after=board.after, project=board.project) as events,
                self._progress(self._session.out, self._client, board) as show,
            ):
                async for event in events:
                    board.take(event)
                    show(event)
                    if board.over:
                        break
        finally:
            self._told.set()

    async def _watch_interrupts(
        self, scope: anyio.CancelScope, *, task_status: TaskStatus[None]
    ) -> None:
        with TakenInterrupts() as interrupts:
            async with anyio.create_task_group() as tasks:
                task_status.started()
                async for _ in interrupts:
                    if self.interrupted:
                        scope.cancel()
                        return
                    self.interrupted = True
                    tasks.start_soon(self._cancel)

    async def _cancel(self) -> None:
        """Cancel the operation once its name is known."""
        self._session.out.note("harness: cancelling; interrupt again not to wait for it")
        await self._begun.wait()
        if self.board is not None:
            await self._client.operations.cancel(id=self.board.id)


async def _say_what_runs(session: Session, client: Client, board: Board, *, verb: str) -> None:
    """Tell what an interrupted operation leaves behind."""
    with suppress(LookupError):
        await board.refresh(client)
    running = [unit for unit in board.units if unit["state"] in ("running", "starting")]
    stopping = [unit for unit in board.units if unit["state"] == "stopping"]
    stopped = [
        unit["name"]
        for unit in board.units
        if board.was_touched(unit) and state_cell(unit).text in ("stopped", "failed", "pending")
    ]
    parts = []
    if running or not stopping:
        verbs = "service keeps" if len(running) == 1 else "services keep"
        parts.append(f"{len(running)} {verbs} running")
    if stopping:
        parts.append(f"still stopping: {', '.join(map(_with_pid, stopping))}")
    if stopped:
        what = "stopped" if verb in ("down", "stop") else "stopped what was not ready"
        parts.append(f"{what}: {', '.join(stopped)}")
    advice = "   (harness down takes all down)" if running else ""
    session.out.note(f"harness: interrupted; {'; '.join(parts)}{advice}")


async def _last_output(
    client: Client, operation: Mapping[str, Any], error: ErrorReport
) -> list[str]:
    """Return what the first unit that failed has said last: often that is why."""
    for unit in error.details.get("failed", ())[:1]:
        with suppress(HarnessError):  # it may be gone, and the daemon, too
            explanation = await client.services.why(project=operation["project"], unit=unit)
            if explanation["last_output"]:
                lines = (f"    {_cut(line)}" for line in explanation["last_output"])
                return [f'  last output of "{unit}":', *lines]
    return []


def _cut(line: str) -> str:
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"


def _with_pid(unit: Mapping[str, Any]) -> str:
    return f"{unit['name']} (pid {unit['pid']})" if unit["pid"] else str(unit["name"])


async def _check(session: Session, client: Client, operation: Mapping[str, Any]) -> None:
    if operation["state"] == "done":
        return
    if operation["error"]:
        report = ErrorReport.of_answer(operation["error"])
        fail(session, replace(report, shown=await _last_output(client, operation, report)))
    bad = [result for result in operation["results"] if result["message"]]
    message = "; ".join(f"{result['unit']}: {result['message']}" for result in bad)
    fail(
        session,
        ErrorReport(
            kind="operation-failed",
            message=f"cannot {operation['verb']} {operation['project']}: "
            f"{message or 'it was ' + operation['state']}",
        ),
    )
