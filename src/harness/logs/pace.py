"""How fast a stream grows, and so how soon it must be looked at to stay near its cap.

Pure arithmetic: sizes and moments come in, a wait goes out.
"""

from __future__ import annotations

__all__ = ["LONGEST_WAIT_S", "SHORTEST_WAIT_S", "Pace"]

SHORTEST_WAIT_S = 0.004
LONGEST_WAIT_S = 0.05
_SHORTEST_STEP_S = 0.002


class Pace:
    """The growth of one stream, as seen at the moments somebody looked.

    Attributes:
        bytes_per_s: how fast it grows; follows an increase at once, and a decrease by halves, so a
            pause between two bursts is not taken for the end of them.
    """

    __slots__ = ("_at", "_size", "bytes_per_s")

    def __init__(self) -> None:
        self.bytes_per_s = 0.0
        self._at: float | None = None
        self._size = 0

    def note(self, at: float, size: int) -> None:
        """Take a size in bytes, and the monotonic moment it was read."""
        if self._at is not None:
            if at - self._at < _SHORTEST_STEP_S:
                return  # nothing is known by so short a time, least of all that growth has ended
            rate = max(0, size - self._size) / (at - self._at)
            self.bytes_per_s = max(rate, self.bytes_per_s / 2)
        self._at, self._size = at, size

    def forget(self) -> None:
        """Start over: the stream is quiet, and what it did before says nothing about later."""
        self.bytes_per_s, self._at = 0.0, None

    def wait_s(self, room_bytes: int) -> float:
        """Return how soon to look again, in seconds, so that it grows by no more than the room."""
        if not self.bytes_per_s or self.bytes_per_s * LONGEST_WAIT_S <= room_bytes:
            return LONGEST_WAIT_S
        return max(SHORTEST_WAIT_S, room_bytes / self.bytes_per_s)
