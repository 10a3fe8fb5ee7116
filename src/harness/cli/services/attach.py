"""`harness attach`: a service's output as it comes, and its standard input."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

from harness.cli.arguments import unit_name
from harness.cli.commands import Command, async_command
from harness.cli.exit_codes import INTERRUPTED, OPERATION_FAILED
from harness.cli.interrupts import TakenInterrupts
from harness.cli.session import Session, pick

if TYPE_CHECKING:
    from anyio.abc import TaskGroup, TaskStatus

    from harness.client import Client

__all__ = ["attach"]

_QUIET_S = 0.5


@click.command(cls=Command, examples=("attach repl", "attach repl < commands.txt"))
@unit_name()
@click.option("--tail", type=click.IntRange(min=0), default=0, help="Show last lines first.")
@click.option("--no-stdin", is_flag=True, help="Only look.")
@async_command
async def attach(session: Session, *, unit: str, tail: int, no_stdin: bool) -> None:
    """Follow a service's output, and write to it.

    What is typed or piped in goes to the service's standard input, if it has one. Ctrl-C detaches;
    the service goes on. When input was piped in and has ended, it ends after half a second without
    output; --no-stdin follows until Ctrl-C. A service that is restarted stays attached; when it
    ends for good, so does this, with the service's exit status.
    """
    async with session.connect() as client:
        project = await session.project(client)
        attachment = _Attachment(session, client, project, unit)
        await attachment.check()
        status = await attachment.run(tail=tail, feeds=not no_stdin)
    raise click.exceptions.Exit(status)


class _Attachment:
    """One service, looked at and written to."""

    def __init__(self, session: Session, client: Client, project: str, unit: str) -> None:
        self._session = session
        self._client = client
        self._project = project
        self._unit = unit
        self._heard = _Heard()
        self._status: int | None = None

    async def check(self) -> None:
        """Refuse a service that does not run and is not about to.

        Raises:
            UnknownService: there is none of that name.
            HandleLost: it has ended, or was stopped.
        """
        row = await self._row()
        if _is_over(row):
            from harness.cli.units import state_cell
            from harness.errors import HandleLost

            state = state_cell(row).text
            again = "task run" if row["kind"] == "task" else "start"
            force = " --force" if state == "completed" else ""
            raise HandleLost(
                service=self._unit,
                executor=row["type"],
                cause=f"it is not running, but {state}",
                verb="attach to",
                hint=f"harness {again} {self._unit}{force}",
            )

    async def run(self, *, tail: int, feeds: bool) -> int:
        """Pass output and input on until the service ends or the user leaves; return the status."""
        import anyio

        async with anyio.create_task_group() as tasks:
            await tasks.start(self._watch_interrupts, tasks)
            async with self._chunks(tail) as chunks:
                tasks.start_soon(self._tell_changes)
                if feeds:
                    tasks.start_soon(self._feed, tasks)
                async for chunk in chunks:
                    self._heard.tell()
                    if lost := chunk.get("skipped"):
                        self._session.out.note(
                            f"note: {lost} bytes of {chunk['stream']} are missing here: the log was"
                            " cut to its cap before they were read"
                        )
                    data = chunk["text"].encode("utf-8", "surrogateescape")
                    self._session.out.write(data, err=chunk["stream"] == "stderr")
            self._status = await self._ended()
            tasks.cancel_scope.cancel()
        return self._status or 0

    @asynccontextmanager
    async def _chunks(self, tail: int) -> AsyncIterator[AsyncIterator[Mapping[str, Any]]]:
        # By place, not by time: whatever comes once this is open is shown, whatever clocks say.
        async with self._client.logs.read(
            project=self._project,
            units=[self._unit],
            tail=tail,
            follow=True,
            unfinished=True,
            while_up=True,
        ) as chunks:
            yield chunks

    async def _row(self) -> Mapping[str, Any]:
        status = await self._client.services.status(project=self._project)
        return pick(status["services"], [self._unit])[0]

    async def _ended(self) -> int:
        """Say how the service ended; return its status."""
        from harness.errors import ServiceNotFound, UnknownService

        try:
            row = await self._row()
        except (ServiceNotFound, UnknownService):
            self._session.out.note(f"harness: {self._unit} has been removed")
            return OPERATION_FAILED
        reason = f": {row['message']}" if row["message"] else ""
        verb = _VERBS.get(row["state"], "ended")
        self._session.out.note(f"harness: {self._unit} has {verb}{reason}")
        code: int | None = row["exit_code"]
        return OPERATION_FAILED if code is None else code

    async def _tell_changes(self) -> None:
        """Say when the service ends and is started again."""
        from harness.cli.facts import progress_fact

        async with self._client.events.subscribe(project=self._project) as events:
            async for event in events:
                data = event["data"]
                if event["unit"] == self._unit and data.get("new") in ("backoff", "running"):
                    self._session.out.note(f"note: {progress_fact(event)}")

    # ── input ────────────────────────────────────────────────────────────────────────────────────

    async def _feed(self, tasks: TaskGroup) -> None:
        from harness.cli.streams import has_piped_stdin, read_stdin
        from harness.errors import (
            NotSupported,
            OperationFailed,
            ServiceNotFound,
            UnknownService,
            WaitTimeout,
        )

        sent = False
        try:
            # Nothing, to learn at once whether it takes any.
            await self._write(b"")
            async for piece in read_stdin():
                await self._write(piece)
                sent = True
        except NotSupported as error:
            self._session.out.note(f"note: output only: {error}")
            if error.hint:
                self._session.out.note(f"hint: {error.hint}")
            return
        except (OperationFailed, WaitTimeout, ServiceNotFound, UnknownService):
            # It has ended: that is told where its output ends.
            return
        except OSError:
            # There is no input, or it was a terminal that is gone.
            return
        if not has_piped_stdin():
            self._session.out.note("note: the service does not see the end of input; Ctrl-C leaves")
        elif sent:
            await self._heard.quiet()
            tasks.cancel_scope.cancel()

    async def _write(self, piece: bytes) -> None:
        """Write to the service, and wait for its next run while there is none.

        Raises:
            OperationFailed: there will be none.
        """
        from harness.errors import HandleLost, OperationFailed

        while True:
            try:
                await self._client.services.write(
                    project=self._project, unit=self._unit, data=piece
                )
            except HandleLost:
                await self._client.services.wait(
                    project=self._project, units=[self._unit], target="started"
                )
                # A task that is done counts as started.
                if _is_over(await self._row()):
                    raise OperationFailed(f"cannot write to {self._unit}: it has ended") from None
            else:
                return

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────

    async def _watch_interrupts(self, tasks: TaskGroup, *, task_status: TaskStatus[None]) -> None:
        with TakenInterrupts() as interrupts:
            task_status.started()
            async for _ in interrupts:
                self._session.out.note(f"harness: detached; {self._unit} goes on")
                self._status = INTERRUPTED
                tasks.cancel_scope.cancel()


_VERBS = {"stopped": "been stopped", "failed": "failed"}


def _is_over(row: Mapping[str, Any]) -> bool:
    """Tell whether a service has ended, and nothing is to start it again."""
    state = row["state"]
    return state in ("exited", "failed") or (state == "stopped" and row["goal"] == "down")


class _Heard:
    """Knows when output came last."""

    def __init__(self) -> None:
        import anyio

        self._again = anyio.Event()

    def tell(self) -> None:
        """Note that output came."""
        import anyio

        self._again.set()
        self._again = anyio.Event()

    async def quiet(self) -> None:
        """Return once nothing has come for a moment."""
        import anyio

        while True:
            with anyio.move_on_after(_QUIET_S) as scope:
                await self._again.wait()
            if scope.cancelled_caught:
                return
