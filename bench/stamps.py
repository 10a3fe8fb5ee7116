"""When each service ran: it writes its name and pid into a FIFO, read here without polling."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Stamp", "Stamps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One line from a service: who, and when it was read (perf_counter seconds)."""

    name: str
    pid: int
    text: str
    at: float


class Stamps:
    """The reading end of the FIFO; open as long as services may write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        # Open for both, so that it never reaches its end between two writers.
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._rest = b""
        self._ready: list[Stamp] = []

    def close(self) -> None:
        """Close the FIFO."""
        os.close(self._fd)

    def clear(self) -> None:
        """Forget what was written until now."""
        self._read(0.0)
        self._ready.clear()

    def wait(self, count: int, *, timeout_s: float) -> list[Stamp]:
        """Return the next `count` stamps, or fewer when the time is over."""
        deadline = time.perf_counter() + timeout_s
        while len(self._ready) < count and time.perf_counter() < deadline:
            self._read(deadline - time.perf_counter())
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken

    def wait_for(self, names: Iterable[str], *, timeout_s: float) -> dict[str, Stamp]:
        """Return the first stamp of each name, or of fewer when the time is over."""
        missing = set(names)
        found: dict[str, Stamp] = {}
        deadline = time.perf_counter() + timeout_s
        while missing and time.perf_counter() < deadline:
            for stamp in self.wait(1, timeout_s=deadline - time.perf_counter()):
                if stamp.name in missing:
                    missing.discard(stamp.name)
                    found[stamp.name] = stamp
        return found

    def _read(self, timeout_s: float) -> None:
        if not select.select([self._fd], [], [], max(0.0, timeout_s))[0]:
            return
        *lines, self._rest = (self._rest + os.read(self._fd, 65536)).split(b"\n")
        now = time.perf_counter()
        for line in lines:
            name, pid, *text = line.decode().split(" ", 2)
            self._ready.append(Stamp(name=name, pid=int(pid), text="".join(text), at=now))
