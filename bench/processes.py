"""Starting, finding, measuring and ending processes; the one place that does.

Every process of the benchmark carries a marker in its environment, so that whatever a tool leaves
behind is found and ended by its pid.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess  # noqa: TID251 (a benchmark measures from outside, without the product's own code)
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "MARKERS",
    "Finished",
    "Launched",
    "cpu_seconds",
    "end_all",
    "is_alive",
    "launch",
    "marked",
    "memory",
    "pause",
    "run",
    "undisturbed",
    "wait_until",
]

MARKERS = ("HARNESS_BENCH_MARK", "BENCH_MARK")
"""Two names: a daemon inherits the first, a service the second."""

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a command ended, what it printed, and the seconds it took."""

    status: int
    stdout: bytes
    stderr: bytes
    took_s: float


class Launched:
    """A process that goes on; end it with `end`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def is_alive(self) -> bool:
        """Tell whether it runs still, and reap it when not."""
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """Its exit status as Python has it, or None while it runs."""
        return self._process.returncode

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; tell whether it came in time."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self, number: int = signal.SIGKILL) -> None:
        """Signal it and reap it."""
        if self.is_alive():
            self._process.send_signal(number)
        self.wait(10.0)


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    timeout_s: float = 60.0,
) -> Finished:
    """Run a command to its end."""
    began = time.perf_counter()
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        # The shell's word for it (timeout(1)), so that callers have one way to see failure.
        return Finished(
            status=124,
            stdout=late.stdout or b"",
            stderr=f"not done after {timeout_s:.0f} s".encode(),
            took_s=timeout_s,
        )
    took_s = time.perf_counter() - began
    return Finished(status=done.returncode, stdout=done.stdout, stderr=done.stderr, took_s=took_s)


def launch(
    argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, output: Path
) -> Launched:
    """Start a command in a session of its own, its output into a file."""
    with output.open("ab") as sink:
        return Launched(
            subprocess.Popen(
                [str(part) for part in argv],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back the signals that end a row or the run until the block is done."""
    held = {signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def pause(seconds: float) -> None:
    """Do nothing for a while; for windows of measuring, never to wait for something."""
    time.sleep(seconds)  # noqa: TID251 (a window of measuring is a length of time)


def wait_until(holds: object, *, timeout_s: float, every_s: float = 0.005) -> bool:
    """Ask a callable until it says yes; tell whether it did in time."""
    if not callable(holds):
        raise TypeError("wait_until needs a callable")
    deadline = time.perf_counter() + timeout_s
    while not holds():
        if time.perf_counter() > deadline:
            return False
        pause(every_s)
    return True


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is no zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in ("Z", "X")


def marked(mark: str) -> Iterator[int]:
    """Yield the pids of the living processes that carry the marker."""
    wanted = {f"{name}={mark}".encode() for name in MARKERS}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            environment = (entry / "environ").read_bytes().split(b"\0")
            if not wanted.isdisjoint(environment) and is_alive(int(entry.name)):
                yield int(entry.name)


def end_all(mark: str) -> int:
    """End everything that carries the marker, by pid; return how many processes that were."""
    ended: set[int] = set()
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL, signal.SIGKILL):
        left = set(marked(mark))
        ended |= left
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if not left or wait_until(lambda: not any(marked(mark)), timeout_s=2.0, every_s=0.05):
            break
    return len(ended)


def memory(pid: int) -> tuple[int, int]:
    """Return resident and proportional set size of a process in bytes; zeros when it is gone."""
    sizes = {"Rss:": 0, "Pss:": 0}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, *rest = line.split()
            if name in sizes:
                sizes[name] = int(rest[0]) * 1024
    return sizes["Rss:"], sizes["Pss:"]


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS
