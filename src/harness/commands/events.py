"""What an attached process tells: it started, it wrote, it ended; in this order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harness.model import ExitStatus

__all__ = ["CommandEvent", "Exited", "Output", "Started", "StreamName"]


class StreamName(StrEnum):
    """Which of its two outputs a process wrote to."""

    STDOUT = "stdout"
    STDERR = "stderr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The process exists; exactly one, the first event."""

    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Bytes as they were written, cut anywhere."""

    stream: StreamName
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exited:
    """The process ended and all its output came before; exactly one, the last event."""

    status: ExitStatus


CommandEvent = Started | Output | Exited
