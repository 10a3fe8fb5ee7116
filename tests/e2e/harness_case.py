"""One stack in one directory, with the real program and daemon, looked at from outside.

Whatever a test does, leaving the context ends the daemon and every process of the project.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.processes import carriers, is_alive, kill, sweep, words

__all__ = ["HarnessCase", "Marked", "eventually"]

PROGRAM = str(Path(sys.executable).with_name("harness"))
TIMEOUT_S = 60.0  # not a measure of the product: many tests may share the machine


class Marked(NamedTuple):
    """A process that carries a unit's marker.

    Attributes:
        pid: its process id.
        unit: name of its unit.
        run: generation and token, the same for all processes of one run.
        command: its command line, words joined by blanks.
    """

    pid: int
    unit: str
    run: str
    command: str


class Begun(subprocess.Popen[bytes]):
    """A command under way; a test that fails meanwhile does not wait for its end."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.kill()
        super().__exit__(kind, error, trace)


class HarnessCase:
    """Runs `harness` in a directory of its own, with a state directory of its own."""

    def __init__(self, directory: Path, *, state_dir: Path | None = None) -> None:
        self.directory = directory
        self.state_dir = state_dir or directory / "state"
        # Processes are told apart by the project's name, also from those of other tests.
        self.project = "t" + hashlib.sha256(str(directory).encode()).hexdigest()[:10]
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.env: dict[str, str] = {
            **kept,
            "HARNESS_STATE_DIR": str(self.state_dir),
            "DIR": str(directory),
            "TERM": "dumb",
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._show_log()
        sweep(self.directory)

    def _show_log(self) -> None:
        """Let pytest show the newest part of the daemon's log beside a failure."""
        with contextlib.suppress(OSError):
            text = (self.state_dir / "daemon.log").read_text(errors="replace")
            sys.stderr.write("\n".join(["daemon.log:", *text.splitlines()[-60:], ""]))

    # ── the stack ────────────────────────────────────────────────────────────────────────────────

    def write(self, text: str) -> None:
        """Write the stack file; the project's name is put in front."""
        (self.directory / "harness.yaml").write_text(f"name: {self.project}\n{text}")

    def script(self, name: str, text: str) -> Path:
        """Write a program that a service runs."""
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def lines(self, name: str) -> list[str]:
        """Return the lines of a file that services write; none if it is not there."""
        path = self.directory / name
        return path.read_text().splitlines() if path.exists() else []

    # ── commands ─────────────────────────────────────────────────────────────────────────────────

    def __call__(
        self, *arguments: str, timeout_s: float = TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; output that is not UTF-8 is surrogate-escaped."""
        with self.begun(*arguments) as process:
            try:
                stdout, stderr = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess(
            arguments,
            process.returncode,
            stdout.decode("utf-8", "surrogateescape"),
            stderr.decode("utf-8", "surrogateescape"),
        )

    def ok(self, *arguments: str, timeout_s: float = TIMEOUT_S) -> str:
        """Run a command that must succeed; return what it printed."""
        done = self(*arguments, timeout_s=timeout_s)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def begun(self, *arguments: str) -> Begun:
        """Begin a command, in a process group of its own as a shell does."""
        return Begun(
            [PROGRAM, *arguments],
            cwd=self.directory,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )

    def status(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """Return what `status --json` says: unit → its row."""
        done = self("status", "--json", *arguments)
        assert done.returncode in (0, 3), f"{done.returncode}\n{done.stdout}{done.stderr}"
        return {unit["name"]: unit for unit in json.loads(done.stdout)["services"]}

    def unit(self, name: str) -> dict[str, Any]:
        """Return a unit's row of `status --json`."""
        return self.status()[name]

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the project's stored events in order, of one kind if it is given."""
        lines = self.ok("events", "--since", "0", "--json").splitlines()
        found = [json.loads(line) for line in lines]
        return [event for event in found if kind in (None, event["kind"])]

    def logs(self, *arguments: str) -> bytes:
        """Return the output of services, byte for byte."""
        text = self.ok("logs", "--no-prefix", "--tail", "all", *arguments)
        return text.encode("utf-8", "surrogateescape")

    # ── the daemon ───────────────────────────────────────────────────────────────────────────────

    def daemon_pid(self) -> int | None:
        """Return the pid of the daemon that runs, if one does; starts none."""
        try:
            pid = int((self.state_dir / "daemon.pid").read_text())
        except (OSError, ValueError):
            return None
        is_ours = {str(self.state_dir).encode(), b"harness.daemon"} <= set(words(pid))
        return pid if is_ours and is_alive(pid) else None

    def kill_daemon(self) -> bool:
        """End the daemon as a crash does, and wait until it is gone; tell whether one ran."""
        pid = self.daemon_pid()
        if pid is not None:
            kill(pid)
        return pid is not None

    def daemon_rss_bytes(self) -> int:
        """Return how much memory the daemon uses."""
        text = Path(f"/proc/{self.daemon_pid()}/status").read_text()
        line = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    # ── processes ────────────────────────────────────────────────────────────────────────────────

    def processes(self, unit: str | None = None) -> list[Marked]:
        """Return the living processes that carry a marker of the project."""
        return [process for process in self.marked(self.project) if unit in (None, process.unit)]

    @staticmethod
    def marked(project: str) -> list[Marked]:
        """Return every living process that carries a marker of a project."""
        prefix = f"HARNESS_UNIT={project}/"
        found = []
        for pid, marker in carriers(prefix):
            unit, _, run = marker.removeprefix(prefix).partition("/")
            found.append(Marked(pid, unit, run, b" ".join(words(pid)).decode()))
        return found

    def run_dir(self, unit: str) -> Path:
        """Return the directory of a unit's newest run."""
        runs = (self.state_dir / "projects" / self.project / "units" / unit).glob("run-*")
        return max(runs, key=lambda path: int(path.name.removeprefix("run-")))

    def log_file(self, unit: str, stream: str = "stdout") -> Path:
        """Return the path of the file that a unit's output is in."""
        return self.state_dir / "projects" / self.project / "units" / unit / f"{stream}.log"


def eventually(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Return once the condition holds; the things looked at tell nobody when they change.

    Raises:
        AssertionError: it did not within that time.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        select.select((), (), (), 0.02)
