"""Long work: who asked for what, how far it is, how it ended.

It outlives the client that began it.
"""

from __future__ import annotations

import logging
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import anyio
from anyio.abc import TaskGroup

from harness.clock import Clock
from harness.errors import HarnessError, OperationFailed, OperationNotFound
from harness.events import EventBus
from harness.model import EventKind

__all__ = ["Operation", "OperationState", "Operations", "UnitResult", "Work"]

logger = logging.getLogger(__name__)

_KEPT = 200
_SHOWN_FAILURES = 10


class OperationState(StrEnum):
    """How far an operation is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitResult:
    """What an operation reached for one unit.

    Attributes:
        outcome: ready, completed, skipped, stopped, kept, failed or cancelled.
        message: why, where it did not go as asked.
    """

    unit: str
    outcome: str
    message: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Operation:
    """One piece of long work.

    Attributes:
        after: number of the newest event when it began; following events from there misses nothing.
        error: why it failed, or None.
        kept: units that it leaves as they are; not even its end changes them.
    """

    id: str
    verb: str
    project: str
    units: tuple[str, ...]
    started_at: datetime
    after: int
    state: OperationState = OperationState.RUNNING
    ended_at: datetime | None = None
    error: HarnessError | None = None
    results: tuple[UnitResult, ...] = ()
    kept: frozenset[str] = frozenset()
    ended: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


Work = Callable[[Operation], Awaitable[Sequence[UnitResult]]]


class Operations:
    """Runs operations and remembers the newest ones.

    Args:
        masked: replaces secrets in JSON values.
    """

    def __init__(
        self,
        *,
        tasks: TaskGroup,
        clock: Clock,
        bus: EventBus,
        masked: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self._tasks = tasks
        self._masked = masked
        self._clock = clock
        self._bus = bus
        self._known: OrderedDict[str, Operation] = OrderedDict()

    def begin(
        self,
        verb: str,
        *,
        project: str,
        units: Sequence[str],
        work: Work,
        undo: Work | None = None,
    ) -> Operation:
        """Begin an operation and return at once.

        `work` returns results; when one of them says failed the operation has failed. It may raise
        any HarnessError. After a user cancelled it `undo` runs, and its results are the
        operation's; not at the end of the daemon, whose successor goes on with the work.
        """
        operation = Operation(
            id=secrets.token_hex(6),
            verb=verb,
            project=project,
            units=tuple(units),
            started_at=self._clock.now(),
            after=self._bus.last_number,
        )
        self._known[operation.id] = operation
        self._trim()
        self._bus.publish(
            EventKind.OPERATION_STARTED,
            project=project,
            data={"id": operation.id, "verb": verb, "units": list(units)},
        )
        self._tasks.start_soon(self._run, operation, work, undo, name=f"{verb} {project}")
        return operation

    def list(self) -> list[Operation]:
        """Return the remembered operations, the oldest first."""
        return list(self._known.values())

    def operation(self, operation_id: str) -> Operation:
        """Return one operation.

        Raises:
            OperationNotFound: no such id, or it was forgotten.
        """
        try:
            return self._known[operation_id]
        except KeyError:
            raise OperationNotFound(
                f'cannot find operation "{operation_id}": it is unknown or was forgotten'
            ) from None

    async def wait(self, operation_id: str) -> Operation:
        """Return the operation once it has ended."""
        operation = self.operation(operation_id)
        await operation.ended.wait()
        return operation

    def cancel(self, operation_id: str) -> Operation:
        """Ask an operation to end; what it has reached stays."""
        operation = self.operation(operation_id)
        operation.scope.cancel()
        return operation

    async def _run(self, operation: Operation, work: Work, undo: Work | None) -> None:
        state = OperationState.CANCELLED
        try:
            with operation.scope:
                operation.results = tuple(await work(operation))
                failed = [r for r in operation.results if r.outcome == "failed"]
                state = OperationState.FAILED if failed else OperationState.DONE
                if failed:
                    operation.error = _failure(operation, failed)
            if operation.scope.cancelled_caught and undo is not None:
                operation.results = tuple(await undo(operation))
        except HarnessError as error:
            state, operation.error = OperationState.FAILED, error
        except Exception as error:
            # The operation's guard: a defect is reported to whoever waits, with the log's help.
            logger.exception("Cannot %s %s", operation.verb, operation.project)
            state = OperationState.FAILED
            operation.error = OperationFailed(
                f"cannot {operation.verb} {operation.project}: a defect in the harness: {error}",
                hint="harness daemon logs shows where",
            )
        finally:
            operation.state = state
            operation.ended_at = self._clock.now()
            operation.ended.set()
            message = None if operation.error is None else self._masked(str(operation.error))
            self._bus.publish(
                EventKind.OPERATION_FINISHED,
                project=operation.project,
                data={
                    "id": operation.id,
                    "verb": operation.verb,
                    "outcome": state.value,
                    "message": message,
                },
            )

    def _trim(self) -> None:
        for operation in tuple(self._known.values()):
            if len(self._known) <= _KEPT:
                return
            if operation.state is not OperationState.RUNNING:
                del self._known[operation.id]


def _failure(operation: Operation, failed: Sequence[UnitResult]) -> OperationFailed:
    lines = [f'"{result.unit}": {result.message}' for result in failed]
    if len(lines) == 1:
        text = lines[0]
    else:
        text = f"{len(lines)} units:\n  " + "\n  ".join(lines[:_SHOWN_FAILURES])
        if len(lines) > _SHOWN_FAILURES:
            text += f"\n  and {len(lines) - _SHOWN_FAILURES} more"
    return OperationFailed(
        f"cannot {operation.verb} {text}",
        hint=f"harness why {failed[0].unit}",
        details={"failed": [result.unit for result in failed]},
    )
