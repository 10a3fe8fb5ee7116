"""A suite of a user's own, run by pytest as a program; all that it makes is below one directory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import carriers, users

from .harness_case import TIMEOUT_S, Begun, eventually

__all__ = ["PytestCase"]

_SERVICES = """
import sys
SLEEP = {"type": "process", "command": "sleep 1000"}
WEB = {
    "type": "process",
    "command": [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "${web.port}"],
    "ports": {"http": {"port": "auto", "scheme": "http"}},
    "health_check": {"http": "${web.url}/"},
}
"""


class PytestCase:
    """A folder with a suite, a temporary folder, and what runs there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "suite"
        self.directory.mkdir()
        self.tmp = directory / "tmp"
        self.tmp.mkdir()
        self.home = directory / "home"
        self.home.mkdir()
        self.env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "TERM": "dumb",
        }

    def write(self, name: str, text: str) -> None:
        """Write a file of the suite; those in Python know SLEEP and WEB, services."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = textwrap.dedent(text)
        path.write_text(f"{_SERVICES}{text}" if name.endswith(".py") else text)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the suite to its end."""
        with self.begun(*arguments) as process:
            stdout, _ = process.communicate(timeout=TIMEOUT_S)
        return subprocess.CompletedProcess(arguments, process.returncode, stdout.decode(), "")

    def passes(self, *arguments: str) -> str:
        """Run the suite, all of which must pass; return what was printed."""
        done = self(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def begun(self, *arguments: str) -> Begun:
        """Begin the suite, in a process group of its own as a shell does."""
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return Begun(
            command,
            cwd=self.directory,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )

    @contextmanager
    def running(self, *arguments: str, services: int) -> Iterator[Begun]:
        """Begin the suite, and go on once so many of its services run."""
        with self.begun(*arguments) as process:
            eventually(lambda: len(self.services()) >= services, within_s=TIMEOUT_S)
            yield process

    # ── what there is ────────────────────────────────────────────────────────────────────────────

    def services(self) -> list[int]:
        """Return the processes that carry a unit's marker and log below this folder."""
        marked = {pid for pid, _ in carriers("HARNESS_UNIT=")}
        return sorted(marked & set(users(self.tmp)))

    def state_dirs(self) -> list[Path]:
        """Return the state directories of daemons of test runs."""
        return sorted(self.tmp.glob("harness-pytest-*"))

    def pages(self) -> list[Path]:
        """Return the pages of all bundles."""
        return sorted(self.tmp.rglob("bundle.html"))

    def is_clean(self) -> bool:
        """Tell whether nothing runs and no state is left."""
        return not users(self.tmp) and not self.state_dirs()

    def assert_clean(self) -> None:
        """Check that a run that has ended has left nothing, its daemon's last moments apart."""
        eventually(self.is_clean, within_s=TIMEOUT_S)

    @staticmethod
    def interrupt(process: Begun) -> None:
        """Press Ctrl-C."""
        os.killpg(process.pid, signal.SIGINT)


def projects(text: str) -> list[str]:
    """Return the projects that a test printed, as `project=NAME`."""
    return re.findall(r"project=(\S+)", text)
