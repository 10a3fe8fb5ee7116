"""A unit for health tests: its command answers as told, its output is what the test writes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

import anyio

from harness.errors import HarnessError
from harness.health import HealthChanged, Observation, ProbeFinished, StageReached
from harness.model import ExitStatus

__all__ = ["Recorder", "ScriptedUnit"]


class ScriptedUnit:
    """Implements `ProbeContext`.

    Attributes:
        code: exit status of the next command, an error to raise, or None to hang.
        output: what the command prints.
        during: called while the command runs.
        called_at: the time of each command.
        cancelled: how many commands were cancelled.
    """

    def __init__(self, *, time: Callable[[], float] = lambda: 0.0) -> None:
        self._time = time
        self.code: int | HarnessError | None = 0
        self.output = ""
        self.during: Callable[[], object] = lambda: None
        self.called_at: list[float] = []
        self.cancelled = 0
        self.closed = 0
        self._lines: list[tuple[str, str]] = []
        self._ended = False
        self._changed = anyio.Event()
        self.log_error: HarnessError | None = None

    async def run_command(
        self, argv: tuple[str, ...], *, timeout_s: float
    ) -> tuple[ExitStatus, str]:
        self.called_at.append(round(self._time(), 6))
        self.during()
        if isinstance(self.code, HarnessError):
            raise self.code
        if self.code is None:
            try:
                await anyio.sleep_forever()
            finally:
                self.cancelled += 1
            raise AssertionError("slept for ever")
        return ExitStatus.from_returncode(self.code), self.output

    def write(self, line: str, stream: str = "stdout") -> None:
        self._lines.append((stream, line))
        self._notify()

    def end(self) -> None:
        self._ended = True
        self._notify()

    async def log_lines(self) -> AsyncGenerator[tuple[str, str], None]:
        if self.log_error is not None:
            raise self.log_error
        position = 0
        try:
            while True:
                while position < len(self._lines):
                    yield self._lines[position]
                    position += 1
                if self._ended:
                    return
                await self._changed.wait()
        finally:
            self.closed += 1

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class Recorder:
    """An observer that keeps every fact and lets a test wait for one."""

    def __init__(self) -> None:
        self.facts: list[Observation] = []
        self._changed = anyio.Event()

    def __call__(self, fact: Observation) -> None:
        self.facts.append(fact)
        self._changed.set()
        self._changed = anyio.Event()

    @property
    def changes(self) -> list[str]:
        return [f"{f.old}→{f.new}" for f in self.facts if isinstance(f, HealthChanged)]

    @property
    def stages(self) -> list[str]:
        return [f.stage for f in self.facts if isinstance(f, StageReached)]

    @property
    def tries(self) -> list[ProbeFinished]:
        return [f for f in self.facts if isinstance(f, ProbeFinished)]

    async def until(self, condition: Callable[[Recorder], object]) -> None:
        with anyio.fail_after(5):
            while not condition(self):
                await self._changed.wait()
