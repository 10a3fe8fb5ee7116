"""A plugin for tests: an executor, and health checks that do as they are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import anyio

from harness.config import Duration
from harness.executors import Executor, StartRequest
from harness.executors.process import ProcessExecutor
from harness.executors.process_options import ProcessOptions
from harness.health import HealthCheck, Outcome, ProbeContext
from harness.model import Handle
from harness.plugins import hookimpl


@dataclass(frozen=True, slots=True, kw_only=True)
class SleeperOptions:
    """How long."""

    for_: Duration = 1000.0
    """How long it sleeps."""

    words: tuple[str, ...] = ()
    """What it says first."""


class Sleeper(ProcessExecutor):
    """Sleeps."""

    name = "sleeper"
    options = SleeperOptions

    async def start(self, request: StartRequest) -> Handle:
        """Say something, then sleep."""
        options: SleeperOptions = request.options
        line = f"echo {' '.join(options.words)}; exec sleep {options.for_}"
        inner = ProcessOptions(command=line, shell=True)
        handle = await super().start(replace(request, options=inner))
        return replace(handle, executor=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOptions:
    """What to answer."""

    answer: str = "pass"
    """pass, fail, raise, refuse or hang."""

    count: int = 0
    """A number."""

    more: Mapping[str, str] = field(default_factory=dict)
    """More of it."""


class Told(HealthCheck):
    """Does as it is told."""

    name = "told"
    options = ToldOptions

    async def check(self, options: ToldOptions, context: ProbeContext) -> Outcome:
        """Answer."""
        if options.answer == "raise":
            raise RuntimeError("out\nof order")
        if options.answer == "refuse":
            raise ConnectionRefusedError(111, "refused")
        if options.answer == "hang":
            await anyio.sleep_forever()
        return options.answer == "pass", f"told to {options.answer}\n{options.count}"


@hookimpl
def harness_executors() -> list[type[Executor]]:
    """Bring the sleeper."""
    return [Sleeper]


@hookimpl
def harness_health_checks() -> list[type[HealthCheck]]:
    """Bring the check."""
    return [Told]
