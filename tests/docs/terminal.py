"""Do what a page says, in a folder of its own and on a terminal, as its reader does."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from graph_test_daemon.tools import tools_dir
from tests.processes import sweep

from .blocks import Command, File, steps
from .shown import difference, is_shown

__all__ = ["Reader", "follow"]

TIMEOUT_S = 60.0  # not a measure of the product: many tests may share the machine


class Reader:
    """Somebody with an empty folder and a terminal, whose home is `/home/you` and empty, too.

    The terminal is one without colours that cannot move its cursor: what it has at the end of a
    command is what stays on a real one.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.directory = home / "demo"  # where a stack file names no project, this is its name
        self.directory.mkdir()
        self._env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "GRAPH_TEST_TOOLS": str(tools_dir()),  # they are installed once for all
        }

    def do(self, step: File | Command) -> None:
        """Write the file, or type the command and compare.

        Raises:
            AssertionError: the command did not end as the page says, or showed something else.
        """
        match step:
            case File():
                path = self.directory / step.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(step.text, encoding="utf-8")
            case Command():
                self._type(step)

    def _type(self, command: Command) -> None:
        status, printed = self.run(
            command.line, interrupt_at=command.shown if command.interrupted else None
        )
        told = f"$ {command.line}\n{printed}"
        assert command.interrupted or status == command.status, f"exited with {status}:\n{told}"
        if command.shown or command.interrupted:
            assert is_shown(command.shown, printed), (
                f"the page shows another output:\n{told}\n{difference(command.shown, printed)}"
            )

    def run(self, line: str, *, interrupt_at: str | None = None) -> tuple[int, str]:
        """Run a line to its end; return its status and what was shown, before Ctrl-C if pressed.

        Args:
            line: for a shell.
            interrupt_at: press Ctrl-C once this has been shown.
        """
        screen, terminal = os.openpty()
        with open(screen, "rb", buffering=0) as output:
            process = subprocess.Popen(
                ["sh", "-c", line],
                cwd=self.directory,
                env=self._env,
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                process_group=0,
            )
            os.close(terminal)
            try:
                text, is_interrupted = "", False
                for shown in _growing(output.fileno()):
                    if is_interrupted:
                        continue
                    text = shown.replace(str(self.home), "/home/you")
                    if interrupt_at is not None and is_shown(interrupt_at, text):
                        os.killpg(process.pid, signal.SIGINT)
                        is_interrupted = True
                return process.wait(TIMEOUT_S), text
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


def follow(page: Path, home: Path) -> int:
    """Do all that a page says, then stop the daemon; return how many commands the page has.

    Raises:
        AssertionError: something is not as the page says, or was left behind.
    """
    reader = Reader(home)
    typed = 0
    try:
        for step in steps(page):
            reader.do(step)
            typed += isinstance(step, Command)
        status, printed = reader.run("harness daemon stop")
        assert status == 0, printed
    finally:
        left = sweep(home)
    assert not left, f"still there after `harness daemon stop`: {left}"
    return typed


def _growing(screen: int) -> Iterator[str]:
    """Return all that has been shown so far, each time it is more, until the end."""
    shown = b""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        ready, _, _ = select.select((screen,), (), (), max(0.0, deadline - time.monotonic()))
        assert ready, f"it did not end in {TIMEOUT_S:.0f} s:\n{shown.decode(errors='replace')}"
        try:
            more = os.read(screen, 65536)
        except OSError:  # EIO: nobody has the terminal open any more
            return
        shown += more
        yield shown.decode(errors="replace").replace("\r\n", "\n")
