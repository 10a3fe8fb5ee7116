"""Processes, looked at and ended from outside, without a word to the product that started them.

What a test started is found by the directory it worked in: a daemon names its state directory, a
holder its run, and a service works below it or writes to a log there.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["carriers", "environ", "is_alive", "kill", "living", "sweep", "users", "words"]

_END_S = 10.0
_EXEC_S = 0.02
_KERNEL = (0, 2)  # parents of processes that never have an environment


def living() -> Iterator[int]:
    """Yield the pid of every process that has not ended."""
    return (pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if is_alive(pid))


def is_alive(pid: int) -> bool:
    """Tell whether the process exists and has not ended."""
    return _stat(pid)[:1] not in ([], ["Z"], ["X"])


def words(pid: int) -> list[bytes]:
    """Return the command line of a process; empty when it is gone."""
    return _read(pid, "cmdline").rstrip(b"\0").split(b"\0")


def environ(pid: int) -> list[bytes]:
    """Return the `NAME=value` that a process was started with; empty when it is gone.

    A process that is between two programs shows none for a moment, and is read again.
    """
    until = time.monotonic() + _EXEC_S
    while not (text := _read(pid, "environ")) and time.monotonic() < until:
        if not is_alive(pid) or _parent(pid) in _KERNEL:
            break
        os.sched_yield()
    return text.split(b"\0")


def carriers(prefix: str) -> Iterator[tuple[int, str]]:
    """Yield pid and variable of every living process with a variable that begins like this."""
    for pid in living():
        for variable in environ(pid):
            if variable.startswith(prefix.encode()):
                yield pid, variable.decode()


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a deadly signal to one process and return once it has ended."""
    with contextlib.suppress(ProcessLookupError), _opened(pid) as descriptor:
        signal.pidfd_send_signal(descriptor, number)
        ended, _, _ = select.select((descriptor,), (), (), _END_S)
        assert ended, f"{pid} did not end"


def users(directory: Path) -> list[int]:
    """Return who uses a directory or anything below it.

    That is who names it in a command line or a variable, works there, or has a file of it open;
    never this process or one that it descends from.
    """
    family = set(_family())
    return [pid for pid in living() if pid not in family and _uses(pid, directory)]


def sweep(directory: Path) -> list[str]:
    """End every user of a directory, and return their command lines.

    Daemons go first, because they would start services again. A person's own shell in the
    directory is left alone: nothing that the product starts has a terminal.
    """
    swept = []
    while found := [pid for pid in users(directory) if not _is_of_a_person(pid)]:
        daemons = [pid for pid in found if b"harness.daemon" in words(pid)]
        for pid in daemons or found:
            command = b" ".join(words(pid)).decode(errors="replace")
            with contextlib.suppress(ProcessLookupError), _opened(pid) as descriptor:
                # Looked at again: the number may be somebody else's by now.
                if _uses(pid, directory):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                    select.select((descriptor,), (), (), _END_S)
                    swept.append(command)
    return swept


def _uses(pid: int, directory: Path) -> bool:
    name = os.fsencode(directory)
    values = [variable.partition(b"=")[2] for variable in environ(pid)]
    return any(
        text == name or text.startswith(name + b"/") for text in (*words(pid), *values, *_open(pid))
    )


def _open(pid: int) -> Iterator[bytes]:
    """Yield the paths of the working directory and of all open files."""
    with contextlib.suppress(OSError):
        for entry in (f"/proc/{pid}/cwd", *os.scandir(f"/proc/{pid}/fd")):
            with contextlib.suppress(FileNotFoundError):
                yield os.fsencode(os.readlink(entry))


def _family() -> Iterator[int]:
    """Yield this process and its ancestors."""
    pid = os.getpid()
    while pid:
        yield pid
        pid = _parent(pid)


def _is_of_a_person(pid: int) -> bool:
    """Tell whether a process has a terminal and is none of this process's own descendants."""
    terminal = (_stat(pid) or [""] * 5)[4]
    while pid not in (0, os.getpid()):
        pid = _parent(pid)
    return terminal not in ("", "0") and pid == 0


def _parent(pid: int) -> int:
    return int((_stat(pid) or ["", "0"])[1])


@contextlib.contextmanager
def _opened(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _stat(pid: int) -> list[str]:
    """Return the fields of a process's state line from the third on; empty when it is gone."""
    return _read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
