"""Reading Linux's /proc: who a process is, and what it carries.

A process is named by its pid *and* its start time: the kernel gives a pid to somebody else soon
after its process is gone, the pair never. Source: proc(5).
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from .quoting import join

__all__ = [
    "ProcessRef",
    "ProcessStat",
    "boot_id",
    "carries",
    "command_line",
    "is_running",
    "own_umask",
    "patient_environ",
    "process_ref",
    "read_environ",
    "read_stat",
]

_EXEC_READS = 200  # a few milliseconds

_STAT_BYTES = 1024
_CHUNK_BYTES = 64 * 1024


class ProcessRef(NamedTuple):
    """Names one process for ever. `start` counts clock ticks since the machine booted."""

    pid: int
    start: int


class ProcessStat(NamedTuple):
    """What one line of /proc/PID/stat says.

    A named tuple, because a scan makes hundreds of them. `ticks` is the processor time of the
    process and of its ended, awaited children in clock ticks; `rss_pages` counts pages in memory.
    """

    pid: int
    state: str
    parent: int
    group: int
    session: int
    ticks: int
    start: int
    rss_pages: int

    @property
    def ref(self) -> ProcessRef:
        """The process's name."""
        return ProcessRef(self.pid, self.start)

    @property
    def is_dead(self) -> bool:
        """Whether it ended, and waits for its parent to notice."""
        return self.state in "ZX"


def read_stat(pid: int) -> ProcessStat | None:
    """Return what the process does now, or None where there is no such process."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, ProcessLookupError):
        return None
    try:
        text = os.read(fd, _STAT_BYTES)
    except ProcessLookupError:
        return None
    finally:
        os.close(fd)
    # The program's name, in parentheses, may itself hold blanks and parentheses.
    fields = text[text.rfind(b")") + 2 :].split()
    return ProcessStat(
        pid=pid,
        state=fields[0].decode(),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        ticks=sum(map(int, fields[11:15])),
        start=int(fields[19]),
        rss_pages=int(fields[21]),
    )


def process_ref(pid: int) -> ProcessRef | None:
    """Return the name of the process that has this pid now, or None."""
    stat = read_stat(pid)
    return stat.ref if stat else None


def is_running(process: ProcessRef) -> bool:
    """Tell whether this very process exists and has not ended."""
    stat = read_stat(process.pid)
    return stat is not None and stat.start == process.start and not stat.is_dead


def read_environ(pid: int) -> bytes | None:
    """Return the environment block of a process: `NAME=value` and NUL, repeated.

    Empty for a process that has none; None where it may not be read or the process is gone.
    """
    return _read_all(f"/proc/{pid}/environ")


def patient_environ(pid: int) -> bytes | None:
    """Return what `read_environ` does, also of a process that is between two programs.

    The kernel shows an empty one there, and the new one's in a moment.
    """
    environ = read_environ(pid)
    for _ in range(_EXEC_READS):
        if environ != b"":
            break
        os.sched_yield()
        environ = read_environ(pid)
    return environ


def carries(pid: int, marker: str) -> bool:
    """Tell whether a process was given this `NAME=value` in its environment."""
    return marker.encode() in (patient_environ(pid) or b"").split(b"\0")


def command_line(pid: int) -> str:
    """Return a process's command line, quoted for a shell; its pid where it has none."""
    words = (_read_all(f"/proc/{pid}/cmdline") or b"").rstrip(b"\0")
    if not words:
        return f"pid {pid}"
    return join(word.decode(errors="replace") for word in words.split(b"\0"))


def own_umask() -> int:
    """Return this process's umask, which no system call tells without changing it."""
    text = _read_all("/proc/self/status") or b""
    found = re.search(rb"^Umask:\s*([0-7]+)$", text, re.MULTILINE)
    return int(found[1], 8) if found else 0o022


def boot_id() -> str:
    """Return the id of the machine's current run, other after every reboot."""
    text = _read_all("/proc/sys/kernel/random/boot_id") or b""
    return text.decode().strip()


def _read_all(path: str) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        chunks = []
        while chunk := os.read(fd, _CHUNK_BYTES):
            chunks.append(chunk)
        return b"".join(chunks)
    except OSError:
        return None
    finally:
        os.close(fd)
