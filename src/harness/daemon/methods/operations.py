"""Long work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio

from harness.daemon.dispatcher import Handler
from harness.errors import WaitTimeout
from harness.protocol import (
    Empty,
    NoParams,
    OperationParams,
    OperationStatus,
    UnitOutcome,
    WaitOperationParams,
    error_to_wire,
)
from harness.supervisor import Operation

if TYPE_CHECKING:
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring

__all__ = ["handlers"]


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `operations.*`."""
    operations = wiring.stacks.operations
    masked = wiring.stacks.masked

    async def list_(_: NoParams, __: Call) -> list[OperationStatus]:
        return [_status(operation, masked) for operation in operations.list()]

    async def get(params: OperationParams, _: Call) -> OperationStatus:
        return _status(operations.operation(params.id), masked)

    async def cancel(params: OperationParams, _: Call) -> Empty:
        operations.cancel(params.id)
        return Empty()

    async def wait(params: WaitOperationParams, _: Call) -> OperationStatus:
        try:
            with anyio.fail_after(params.timeout_s):
                return _status(await operations.wait(params.id), masked)
        except TimeoutError:
            operation = operations.operation(params.id)
            raise WaitTimeout(
                f"cannot wait longer for {operation.verb} of {operation.project}: it has not ended "
                f"within {params.timeout_s:g} s",
                hint="it goes on; wait again, or cancel it",
                details={"id": params.id},
            ) from None

    return {
        "operations.list": list_,
        "operations.get": get,
        "operations.cancel": cancel,
        "operations.wait": wait,
    }


def _status(operation: Operation, masked: Callable[[Any], Any]) -> OperationStatus:
    error: dict[str, Any] | None = None
    if operation.error is not None:
        wire = error_to_wire(operation.error)
        error = {"message": wire["message"], **wire["data"]}
    ended_at = operation.ended_at
    return OperationStatus(
        id=operation.id,
        verb=operation.verb,
        project=operation.project,
        units=tuple(operation.units),
        state=operation.state.value,
        started_at=operation.started_at.isoformat(),
        ended_at=None if ended_at is None else ended_at.isoformat(),
        error=masked(error),
        results=tuple(
            UnitOutcome(unit=result.unit, outcome=result.outcome, message=masked(result.message))
            for result in operation.results
        ),
    )
