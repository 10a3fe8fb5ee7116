"""A unit's log that a test writes to, and whose marks it sets at times of its choice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from harness.logs import STREAMS, Chunk, UnitLog
from harness.logs.keeper import StreamKeeper
from tests.fakes.clock import FakeClock

__all__ = ["Scene", "collected", "text_of"]


class Scene:
    """One log, its keepers and its clock; `write` appends as a service would."""

    def __init__(self, directory: Path, *, unit: str = "db", max_bytes: int = 1 << 30) -> None:
        self.clock = FakeClock()
        self.log = UnitLog(directory, unit=unit, max_bytes=max_bytes, clock=self.clock)
        self.keepers = {
            name: StreamKeeper(self.log.streams[name], max_bytes=max_bytes) for name in STREAMS
        }
        for keeper in self.keepers.values():
            assert keeper.observe() == (True, None)

    def write(self, data: bytes, stream: str = "stdout", *, after_s: float = 0.0) -> None:
        """Let time pass, append, and mark the growth."""
        self.clock.advance(after_s)
        self.append(data, stream)
        self.keepers[stream].observe()

    def append(self, data: bytes, stream: str = "stdout") -> None:
        """Append without anybody looking."""
        with self.log.streams[stream].path.open("ab") as file:
            file.write(data)


async def collected(chunks: AsyncIterator[Chunk]) -> list[Chunk]:
    """Read to the end."""
    return [chunk async for chunk in chunks]


async def text_of(chunks: AsyncIterator[Chunk]) -> bytes:
    """Read to the end and join."""
    return b"".join([chunk.text async for chunk in chunks])
