"""What the owner of the watcher is told about logs: facts, never exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["CapRefused", "LogNotice", "LogsDropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsDropped:
    """The oldest output of a stream was given back to the disk.

    Attributes:
        directory: of the unit's log; tells units of the same name apart.
        unit: whose output.
        stream: `stdout` or `stderr`.
        size_bytes: how many bytes were dropped.
        cause: `cap` (over its own limit) or `disk-low` (the file system is nearly full).
    """

    directory: Path
    unit: str
    stream: str
    size_bytes: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapRefused:
    """The file system cannot give space back, so this stream grows without limit; told once.

    Attributes:
        directory: of the unit's log; tells units of the same name apart.
        unit: whose output.
        stream: `stdout` or `stderr`.
        cause: the system's reason.
    """

    directory: Path
    unit: str
    stream: str
    cause: str


LogNotice = LogsDropped | CapRefused
