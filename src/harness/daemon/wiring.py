"""What handlers get: the parts of a running daemon, wired by `app.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import anyio
from anyio import to_thread

from harness.clock import Clock
from harness.events import EventBus
from harness.model import StackSpec
from harness.protocol import Endpoint, Source
from harness.storage import Store
from harness.supervisor import Stacks

from .stack_files import load_stack

__all__ = ["Wiring"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The parts of a running daemon.

    Attributes:
        option_types: executor name → type of its options, for reading stacks.
        started_at: when this daemon started.
        began_s: the same in monotonic seconds, which no change of the machine's clock disturbs.
        connections: tells how many clients are connected.
        shutdown: set when the daemon is to end.
    """

    stacks: Stacks
    bus: EventBus
    store: Store
    clock: Clock
    option_types: Mapping[str, type]
    endpoint: Endpoint
    version: str
    started_at: datetime
    began_s: float
    connections: Callable[[], int]
    shutdown: anyio.Event

    async def read_stack(self, source: Source) -> StackSpec:
        """Read a client's stack files, in a thread.

        Raises:
            ConfigError: they cannot be used.
        """
        return await to_thread.run_sync(partial(load_stack, source, self.option_types))
