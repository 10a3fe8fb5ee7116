"""Stands for an executor that a plugin brought once and none brings now: it touches nothing."""

from __future__ import annotations

from pathlib import Path

from harness.errors import HandleLost, StartFailed, StopFailed
from harness.model import ExitStatus, Handle, StoredOptions

from .base import Capabilities, Executor, Recovery, StartRequest, StopReport

__all__ = ["AbsentExecutor", "ExecutorSet"]

_HINT = "install the plugin again, then harness daemon restart"


class AbsentExecutor(Executor):
    """Refuses whatever it is asked for; what runs goes on, and is found when the plugin is back."""

    options = StoredOptions
    # Nothing is wished for any more that could be refused; what is asked is, one by one.
    capabilities = Capabilities()

    def __init__(self, name: str) -> None:
        self.type_name = name

    @property
    def cause(self) -> str:
        """Why nothing can be done."""
        return f'no plugin brings the executor "{self.type_name}"'

    async def start(self, request: StartRequest) -> Handle:
        """Refuse."""
        raise StartFailed(
            service=request.unit, executor=self.type_name, cause=self.cause, hint=_HINT
        )

    async def recover(self, *, unit: str, run_dir: Path, handle: Handle | None) -> Recovery:
        """Refuse: whether it runs is not known here."""
        raise HandleLost(service=unit, executor=self.type_name, cause=self.cause, hint=_HINT)

    async def wait(self, handle: Handle) -> ExitStatus:
        """Refuse."""
        raise self._lost(handle)

    async def stop(self, handle: Handle, *, stop_signal: str, timeout_s: float) -> StopReport:
        """Refuse: a unit that was not seen to end counts as one that may run."""
        raise StopFailed(
            service=_unit(handle), executor=self.type_name, cause=self.cause, hint=_HINT
        )

    async def sweep(self, run_dir: Path) -> tuple[str, ...]:
        """Refuse: nobody here knows what to look for."""
        raise StopFailed(
            service=run_dir.parent.name, executor=self.type_name, cause=self.cause, hint=_HINT
        )

    def _lost(self, handle: Handle) -> HandleLost:
        return HandleLost(
            service=_unit(handle), executor=self.type_name, cause=self.cause, hint=_HINT
        )


class ExecutorSet(dict[str, Executor]):
    """Executors by the name stack files use; one that is not there is an `AbsentExecutor`.

    Which ones are there, a loop over it tells.
    """

    def __missing__(self, name: str) -> Executor:
        return AbsentExecutor(name)


def _unit(handle: Handle) -> str:
    return str(handle.data.get("unit", "?"))
