"""A piece of one stream of one unit, as readers get it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["CHUNK_BYTES", "LINE_BYTES", "STREAMS", "Chunk"]

STREAMS = ("stdout", "stderr")

CHUNK_BYTES = 256 * 1024
"""No chunk's text is longer."""

LINE_BYTES = 1024 * 1024
"""How much of one line a pattern gets to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    r"""Whole lines of one stream, joined; or a piece of a line that is too long or unfinished.

    Without text where bytes were dropped and no line after them is wanted so far.

    Attributes:
        unit: who wrote it.
        stream: `stdout` or `stderr`.
        at: when the last byte was written, as well as it is known; aware UTC. Within a stream it
            goes back only where the machine's clock did.
        text: the bytes as written, at most 256 KiB; a piece does not end with a newline.
        end: the stream's offset after the text: where to resume.
        skipped: bytes before the text that were dropped from disk before this reader got to them.
    """

    unit: str
    stream: str
    at: datetime
    text: bytes
    end: int
    skipped: int = 0
