"""What the units of one project share: where to store, publish and run, and a queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter
from anyio.abc import TaskGroup

from harness.clock import Clock
from harness.events import EventBus
from harness.executors import Executor
from harness.health import CheckRunner
from harness.logs import Watcher
from harness.model import EventKind, StackSpec
from harness.storage import Store

from .masking import masked
from .ports import PortBook
from .setup import SetupFinder

__all__ = ["Context", "TriggerQueue"]


class TriggerQueue:
    """Runs triggers one after the other, also those that a trigger causes.

    A transition tells its dependents, whose transitions tell theirs: without the queue a long
    chain of units would be a deep recursion, and a unit could change in the middle of another
    one's change.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._running = False

    def post(self, call: Callable[[], None]) -> None:
        """Run `call` now, or after what is running now."""
        self._waiting.append(call)
        if self._running:
            return
        self._running = True
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:
            self._running = False


@dataclass(slots=True, kw_only=True)
class Context:
    """Shared by all units of one project.

    Attributes:
        spec: the stack as last applied.
        client_env: environment of the client that applied it; never shown.
        directory: the project's own directory, 0700.
        random: returns a number from 0 to 1.
        secrets: texts that no event may hold.
        tasks: where effects run; it lives as long as the daemon.
        setups: finds how services that have a type are set up; None: nobody knows.
        starts: limits how many units start at the same moment; None is no limit.
    """

    spec: StackSpec
    client_env: Mapping[str, str]
    directory: Path
    store: Store
    bus: EventBus
    clock: Clock
    executors: Mapping[str, Executor]
    watcher: Watcher
    checks: CheckRunner
    ports: PortBook
    random: Callable[[], float]
    tasks: TaskGroup
    setups: SetupFinder | None = None
    starts: CapacityLimiter | None = None
    secrets: set[str] = field(default_factory=set)
    queue: TriggerQueue = field(default_factory=TriggerQueue)

    @property
    def project(self) -> str:
        """The project's name."""
        return self.spec.name

    def publish(self, kind: EventKind, unit: str | None = None, **data: Any) -> None:
        """Publish a fact about this project, with secrets masked."""
        self.bus.publish(kind, project=self.project, unit=unit, data=masked(data, self.secrets))
