"""Each executor with options for every behaviour that the contract suite tests it on."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from harness.clock import SystemClock
from harness.executors import Executor, StartRequest, builtin_executors
from harness.executors.fake import FakeOptions
from harness.executors.process_options import ProcessOptions
from harness.model import Handle, UnitKind

__all__ = ["ExecutorCase"]

# READY is a named pipe: the shell's line on it says that its traps are set.
_RUN = "echo up >$READY; exec sleep 1000"


@dataclass
class ExecutorCase:
    """One kind of executor under test, and all it has started."""

    kind: str
    base_dir: Path
    started: list[tuple[StartRequest, Handle]] = field(default_factory=list)
    _generations: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def executor(self) -> Executor:
        """Return a new executor that knows nothing of what others started."""
        return builtin_executors(clock=SystemClock())[self.kind]

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
        """Start the unit and return once it does what the options say."""
        request = self.request(options)
        ready = os.open(request.env["READY"], os.O_RDWR | os.O_NONBLOCK)
        try:
            handle = await (executor or self.executor()).start(request)
            self.started.append((request, handle))
            if isinstance(options, ProcessOptions) and "$READY" in str(options.command):
                await anyio.wait_readable(ready)
        finally:
            os.close(ready)
        return handle

    def request_of(self, handle: Handle) -> StartRequest:
        """Return what the handle's run was started with."""
        return next(request for request, started in self.started if started == handle)

    def runs(self) -> object:
        """Options of a unit that runs until it is stopped."""
        return ProcessOptions(command=_RUN, shell=True) if self._is_process else FakeOptions()

    def ends(self, code: int) -> object:
        """Options of a unit that ends by itself soon."""
        if self._is_process:
            return ProcessOptions(command=f"exit {code}", shell=True)
        return FakeOptions(run_for=0.01, exit_code=code)

    def ignores_stop(self) -> object:
        """Options of a unit that ignores the stop signal."""
        if self._is_process:
            return ProcessOptions(command=f"trap '' TERM; {_RUN}", shell=True)
        return FakeOptions(ignores_stop=True)

    def prints(self, *lines: str) -> object:
        """Options of a unit that writes lines and ends."""
        if self._is_process:
            return ProcessOptions(binary="printf", args=("%s\\n", *lines))
        return FakeOptions(output=lines, run_for=0.0)

    def cannot_start(self) -> object:
        """Options of a unit that cannot be started."""
        if self._is_process:
            return ProcessOptions(command="no-such-program-anywhere")
        return FakeOptions(start_error="command not found: no-such-program-anywhere")

    @property
    def _is_process(self) -> bool:
        return self.kind == "process"
