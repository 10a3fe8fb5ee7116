"""Writing to a running unit's standard input, and telling apart why that cannot be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from harness.errors import HandleLost, NotSupported
from harness.executors import Executor
from harness.model import Handle, ServiceState

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["write_input"]

_NOTICED_WITHIN_S = 2.0


async def write_input(unit: Unit, executor: Executor, handle: Handle, data: bytes) -> None:
    """Write to a unit that runs by this handle, waiting while it reads none.

    Raises:
        NotSupported: its executor or it has no input, or it has closed it.
        HandleLost: it has ended.
    """
    if not executor.capabilities.stdin:
        raise NotSupported(service=unit.name, executor=executor.name, capability="stdin")
    try:
        await executor.write_stdin(handle, data)
    except NotSupported as error:
        raise NotSupported(
            service=unit.name,
            executor=executor.name,
            capability="stdin",
            cause="it was started without an input",
            hint=f"write `stdin: true` to {unit.name} in the stack file, and `harness up` again",
        ) from error
    except HandleLost as error:
        # Its end is noticed in a moment, unless it runs on without an input.
        with anyio.move_on_after(_NOTICED_WITHIN_S):
            await unit.until(lambda unit: not _runs_by(unit, handle))
        if not _runs_by(unit, handle):
            raise
        raise NotSupported(
            service=unit.name,
            executor=executor.name,
            capability="stdin",
            cause="it has closed its input",
        ) from error


def _runs_by(unit: Unit, handle: Handle) -> bool:
    return unit.record.handle is handle and unit.state is ServiceState.RUNNING
