"""What services write: read, followed, timestamped and capped, without standing in its way.

A service appends to `stdout.log` and `stderr.log` itself; this folder only ever looks at those
files and gives their oldest bytes back to the disk. It knows nothing of processes, projects or
clients.
"""

from .chunk import STREAMS, Chunk
from .kernel import Inotify
from .notice import CapRefused, LogNotice, LogsDropped
from .reader import LineReader, LogReader, merge
from .unit_log import UnitLog
from .watcher import Watcher

__all__ = [
    "STREAMS",
    "CapRefused",
    "Chunk",
    "Inotify",
    "LineReader",
    "LogNotice",
    "LogReader",
    "LogsDropped",
    "UnitLog",
    "Watcher",
    "merge",
]
