"""One executor under test, and all that it has started."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from harness.executors import Executor, StartRequest
from harness.model import Handle, UnitKind

__all__ = ["READY", "ExecutorCase"]

READY = "$READY"
"""Name of a pipe, as a shell says it; a line on it says that a unit does what it is to do."""

_READY_S = 10.0


@dataclass
class ExecutorCase:
    """Starts units in a directory, and remembers them.

    Attributes:
        executor: returns a new executor that knows nothing of what others started.
        base_dir: an empty directory.
        started: what was asked for, and what came of it, in order.
    """

    executor: Callable[[], Executor]
    base_dir: Path
    started: list[tuple[StartRequest, Handle]] = field(default_factory=list)
    _generations: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def request(self, options: object, unit: str = "db") -> StartRequest:
        """Return a request for the next run of the unit."""
        generation = next(self._generations)
        run_dir = self.base_dir / unit / str(generation)
        run_dir.mkdir(mode=0o700, parents=True)
        log_dir = self.base_dir / unit / "log"
        log_dir.mkdir(exist_ok=True)
        ready = self.base_dir / f"ready-{generation}"
        os.mkfifo(ready)
        return StartRequest(
            project="contract",
            unit=unit,
            kind=UnitKind.SERVICE,
            generation=generation,
            token=os.urandom(8).hex(),
            run_dir=run_dir,
            log_dir=log_dir,
            base_dir=self.base_dir,
            options=options,
            env={"PATH": os.environ["PATH"], "READY": str(ready)},
        )

    async def start(self, options: object, executor: Executor | None = None) -> Handle:
        """Start the unit and return once it does what the options say.

        Raises:
            TimeoutError: it was started, and did not say in time that it does.
        """
        request = self.request(options)
        ready = os.open(request.env["READY"], os.O_RDWR | os.O_NONBLOCK)
        try:
            handle = await (executor or self.executor()).start(request)
            self.started.append((request, handle))
            if READY in repr(options):
                with anyio.fail_after(_READY_S):
                    await anyio.wait_readable(ready)
        finally:
            os.close(ready)
        return handle

    def request_of(self, handle: Handle) -> StartRequest:
        """Return what the handle's run was started with."""
        return next(request for request, started in self.started if started == handle)
