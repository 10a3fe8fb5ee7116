"""What a row asks of a tool."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from bench.processes import MARKERS, Launched, end_all, launch, marked, run, undisturbed, wait_until
from bench.stamps import Stamp, Stamps

__all__ = ["Service", "Tool", "ToolFailed"]


class ToolFailed(Exception):
    """A tool did not do what the row needs; the row shows why instead of a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service, told to every tool alike.

    Attributes:
        name: its name.
        argv: its command.
        restart: start it again whenever it ended, at once.
        needs: name of a service it waits for; tools without dependencies ignore it.
        is_task: it is to end with success.
        keep_all: keep all of its output, where the tool would otherwise keep the newest part.
        check_port: a TCP port checked every 10 s, where the tool has checks.
    """

    name: str
    argv: tuple[str, ...]
    restart: bool = False
    needs: str | None = None
    is_task: bool = False
    keep_all: bool = False
    check_port: int | None = None


class Tool(ABC):
    """One tool with its own folder, environment and FIFO; leaving the context ends everything.

    Every process it starts carries the marker of this object.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"bench-{self.name}-"))
        self.mark = uuid.uuid4().hex
        self.stamps = Stamps(self.folder / "stamps")
        self.manager: Launched | None = None
        self._starting: Launched | None = None
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            **dict.fromkeys(MARKERS, self.mark),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with undisturbed():
            try:
                self.clean_up()
            finally:
                end_all(self.mark)
                for process in (self.manager, self._starting):
                    if process is not None:
                        process.end()
                self.stamps.close()
                self._give_back()

    def _give_back(self) -> None:
        """Free what the folder's files hold; the folder itself is removed at the end of it all.

        For a minute after a removal ext4 looks at each freed inode again whenever a file is made,
        which would be charged to whoever is measured next.
        """
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                os.truncate(path, 0)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Return the tool's version.

        Raises:
            ToolFailed: it is not installed.
        """

    @abstractmethod
    def write(self, services: Sequence[Service]) -> None:
        """Write the tool's own description of the services."""

    @abstractmethod
    def up(self) -> None:
        """Begin to start the manager and all services; returns at once."""

    @abstractmethod
    def stop(self) -> None:
        """Stop all services, and the manager where that is one command; wait for the command."""

    @abstractmethod
    def manager_pid(self) -> int:
        """Return the pid of the process that manages the services."""

    @abstractmethod
    def output(self, name: str) -> bytes:
        """Return what the tool kept of a service's standard output."""

    def status_argv(self) -> list[str] | None:
        """Return the command that shows the state of all services, where there is one."""
        return None

    def follow_argv(self, name: str) -> list[str] | None:
        """Return the command that follows one service's output, where there is one."""
        return None

    def stop_one(self, name: str) -> None:
        """Stop everything; tools that can stop one service do that instead."""
        self.stop()

    def service_pids(self, stamps: Iterable[Stamp]) -> set[int]:
        """Return the pids of running services as this machine counts them."""
        return {stamp.pid for stamp in stamps}

    def clean_up(self) -> None:
        """Undo what ending the processes does not undo."""
        return

    def command(self, *argv: str | Path, timeout_s: float = 60.0) -> bytes:
        """Run one of the tool's commands; return its output."""
        done = run(argv, env=self.env, cwd=self.folder, timeout_s=timeout_s)
        if done.status != 0:
            text = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            shown = " ".join(text[-3:])[:300]
            raise ToolFailed(f"{Path(argv[0]).name} ended with {done.status}: {shown}")
        return done.stdout

    def launch_manager(self, *argv: str | Path) -> None:
        """Start the manager in the foreground of its own session."""
        self.manager = launch(
            argv, env=self.env, cwd=self.folder, output=self.folder / "manager.log"
        )

    def launch_up(self, *argv: str | Path) -> None:
        """Begin a command that starts the services and ends when it thinks they run."""
        self._starting = launch(argv, env=self.env, cwd=self.folder, output=self._up_log)

    @property
    def _up_log(self) -> Path:
        return self.folder / "up.log"

    def started(self, count: int, *, timeout_s: float = 60.0) -> list[Stamp]:
        """Return the stamps of `count` services, as soon as the last of them ran.

        Raises:
            ToolFailed: fewer ran in time, or the command that starts them failed.
        """
        found: list[Stamp] = []
        deadline = time.perf_counter() + timeout_s
        while len(found) < count and time.perf_counter() < deadline:
            found += self.stamps.wait(count - len(found), timeout_s=1.0)
            if self._starting is not None and not self._starting.is_alive():
                self.finish_up()
        if len(found) < count:
            raise ToolFailed(f"{len(found)} of {count} services ran after {timeout_s:.0f} s")
        return found

    def finish_up(self, *, timeout_s: float = 120.0) -> float:
        """Wait for the command that starts the services; return when it ended (perf_counter).

        Raises:
            ToolFailed: it failed, or did not end in time.
        """
        if self._starting is not None:
            if not self._starting.wait(timeout_s):
                raise ToolFailed(f"the command that starts all did not end in {timeout_s:.0f} s")
            if self._starting.status != 0:
                text = self._up_log.read_text(errors="replace").strip().splitlines()[-3:]
                raise ToolFailed(f"cannot start: {' '.join(text)}"[:300])
        return time.perf_counter()

    def launched_pid(self) -> int:
        """Return the pid of the manager that was launched."""
        if self.manager is None:
            raise ToolFailed("the manager was not started")
        return self.manager.pid

    def wait_empty(self, timeout_s: float = 60.0) -> None:
        """Wait until no process of this tool is left.

        Raises:
            ToolFailed: something is left.
        """
        if not wait_until(self._is_empty, timeout_s=timeout_s):
            raise ToolFailed(f"{len(list(marked(self.mark)))} processes are left")

    def _is_empty(self) -> bool:
        if self.manager is not None:
            self.manager.is_alive()
        return not any(marked(self.mark))
