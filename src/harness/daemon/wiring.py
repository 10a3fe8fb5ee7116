"""What handlers get: the parts of a running daemon, wired by `app.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import anyio

from harness.clock import Clock
from harness.events import EventBus
from harness.protocol import Endpoint
from harness.storage import Store
from harness.supervisor import Stacks

from .access import Access
from .extensions import Extensions
from .stack_reader import StackReader

__all__ = ["Wiring"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The parts of a running daemon.

    Attributes:
        reader: reads clients' stack files.
        extensions: what plugins bring.
        access: who may come in from elsewhere.
        started_at: when this daemon started.
        began_s: the same in monotonic seconds, which no change of the machine's clock disturbs.
        connections: tells how many clients are connected.
        shutdown: set when the daemon is to end.
    """

    stacks: Stacks
    bus: EventBus
    store: Store
    clock: Clock
    reader: StackReader
    extensions: Extensions
    access: Access
    endpoint: Endpoint
    version: str
    started_at: datetime
    began_s: float
    connections: Callable[[], int]
    shutdown: anyio.Event
