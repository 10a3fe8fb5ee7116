"""The executor of type `external`: services somebody else runs, known by their endpoints alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import anyio

from harness.model import ExitStatus, Handle

from .base import Capabilities, Executor, Recovery, StartRequest, StopReport

__all__ = ["ExternalExecutor", "ExternalOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalOptions:
    """Where the service is."""

    host: str = "127.0.0.1"
    """Name or address of the machine that its ports are on."""


class ExternalExecutor(Executor):
    """Attaches to what runs elsewhere: starts nothing, ends nothing, and never sees an end."""

    name: ClassVar[str] = "external"
    options: ClassVar[type] = ExternalOptions
    capabilities: ClassVar[Capabilities] = Capabilities(starts=False, tasks=False, recovers=True)

    def __init__(self) -> None:
        self._detached: dict[str, anyio.Event] = {}

    async def start(self, request: StartRequest) -> Handle:
        """Attach, which always succeeds: health checks tell whether the service is there."""
        # A project that was removed and comes again has the directories of its first runs again.
        self._detached.pop(str(request.run_dir), None)
        return Handle(
            executor=self.name, data={"unit": request.unit, "run_dir": str(request.run_dir)}
        )

    async def recover(self, *, unit: str, run_dir: Path, handle: Handle | None) -> Recovery:
        """Attach again."""
        if handle is None:
            handle = Handle(executor=self.name, data={"unit": unit, "run_dir": str(run_dir)})
        return Recovery(handle=handle)

    async def wait(self, handle: Handle) -> ExitStatus:
        """Return once it was detached by `stop`."""
        await self._event(handle).wait()
        return ExitStatus(code=0)

    async def stop(self, handle: Handle, *, stop_signal: str, timeout_s: float) -> StopReport:
        """Detach; the service itself goes on."""
        self._event(handle).set()
        return StopReport(exit=ExitStatus(code=0))

    def _event(self, handle: Handle) -> anyio.Event:
        return self._detached.setdefault(str(handle.data["run_dir"]), anyio.Event())
