"""The files of one detached run: what is written before it, and what its holder writes down.

The launch file is read by two: its first line, a comment to the shell, is JSON for us; the rest is
for the holder. The status file has a line for each thing that happened, complete when it ends with
a newline. They are only two, because making a file costs more than anything else here.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.model import ExitStatus

from .quoting import join, quote

__all__ = ["LaunchRecord", "RunFiles"]

_VERSION = 1
_STATUS = "status"
_RECOVERY = "recovery\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRecord:
    """What a run was started with; `env` is the service's complete environment."""

    marker: str
    boot_id: str
    env: Mapping[str, str]
    working_dir: str
    user: str | None
    umask: int | None
    open_stdin: bool


class RunFiles:
    """Reads and writes the files in a run directory.

    Small files on a local disk: reading takes microseconds, and is done on the event loop.
    """

    def __init__(self, run_dir: Path) -> None:
        self._dir = str(run_dir)

    @property
    def input(self) -> str:
        """Path of the named pipe that is the service's input, if it has one."""
        return f"{self._dir}/stdin"

    def write_launch(
        self,
        record: LaunchRecord,
        *,
        words: Sequence[str],
        setup: str,
        stdout: str,
        stderr: str,
    ) -> None:
        """Write what the holder needs.

        Args:
            record: what is needed later.
            words: the command with everything in front of it.
            setup: shell command to run in the service's process first.
            stdout: path to append its output to.
            stderr: path to append its error output to.

        Raises:
            OSError: the directory is not there, not writable, or was used before.
        """
        header = json.dumps({"version": _VERSION, **_fields(record)})
        text = (
            f"# {header}\n"
            f"_hh_dir={quote(record.working_dir)}\n"
            f"_hh_in={quote(self.input if record.open_stdin else '/dev/null')}\n"
            f"_hh_out={quote(stdout)}\n"
            f"_hh_err={quote(stderr)}\n"
            f"_hh_setup() {{ {setup}; }}\n"
            f"set -- {join(words)}\n"
        )
        self._create("launch", text)

    def launch_record(self) -> LaunchRecord | None:
        """Return what the run was started with, or None if that was never written completely."""
        text = self._read("launch")
        header, newline, _ = text.partition("\n")
        if not newline:
            return None
        data: dict[str, Any] = json.loads(header[2:])
        data.pop("version")
        return LaunchRecord(**data)

    def claim(self) -> bool:
        """Take the run from a holder that has not begun; tell whether it never will."""
        try:
            self._create(_STATUS, _RECOVERY)
        except FileExistsError:
            return self._read(_STATUS) == _RECOVERY
        return True

    def holder_pid(self) -> int | None:
        """Return the holder's pid, if it wrote it down."""
        return _number(self._lines().get("holder"))

    def service_pid(self) -> int | None:
        """Return the pid of the service's main process, if it was started."""
        return _number(self._lines().get("started"))

    def failed(self) -> str | None:
        """Return why the holder could not start it, or None."""
        return self._lines().get("failed")

    def exit(self) -> ExitStatus | None:
        """Return how it ended, or None while that is not written."""
        status = _number(self._lines().get("exit"))
        return None if status is None else ExitStatus.from_shell(status)

    def ended_at(self) -> datetime | None:
        """Return when the end was written down, the last thing that happens to a run."""
        if "exit" not in self._lines():
            return None
        with contextlib.suppress(FileNotFoundError):
            return datetime.fromtimestamp(os.lstat(f"{self._dir}/{_STATUS}").st_mtime, UTC)
        return None

    def _lines(self) -> dict[str, str]:
        """Return the complete lines of the status file: word → what follows it."""
        complete = self._read(_STATUS).rpartition("\n")[0]
        found = {}
        for line in complete.split("\n"):
            word, _, rest = line.partition(" ")
            found[word] = rest
        return found

    def _create(self, name: str, text: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NONBLOCK
        fd = os.open(f"{self._dir}/{name}", flags, 0o600)
        try:
            data = memoryview(os.fsencode(text))
            while data:
                data = data[os.write(fd, data) :]
        finally:
            os.close(fd)

    def _read(self, name: str) -> str:
        try:
            fd = os.open(f"{self._dir}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError):
            return ""
        try:
            chunks = []
            while chunk := os.read(fd, 1 << 20):
                chunks.append(chunk)
            return os.fsdecode(b"".join(chunks))
        finally:
            os.close(fd)


def _fields(record: LaunchRecord) -> dict[str, Any]:
    # Not dataclasses.asdict: it copies the environment word by word, which shows at 200 starts.
    return {name: getattr(record, name) for name in LaunchRecord.__dataclass_fields__}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
