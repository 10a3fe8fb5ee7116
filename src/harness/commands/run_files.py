"""The file of one detached run: what it is started with, and what its holder writes down.

The first line is JSON: what to start. Its holder takes the file by giving it another name, then
appends a line for each thing that happens, which counts once it ends with a newline. It is only one
file, because making a file costs more than anything else here.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio

from harness.errors import StorageError
from harness.model import ExitStatus

from .procfs import ProcessRef, is_running

__all__ = ["LaunchRecord", "RunFiles", "RunStatus"]

_VERSION = 1
_FIRST_DELAY_S = 0.001
_LONGEST_DELAY_S = 0.05
_ASKED, _TAKEN, _GIVEN_UP = "launch", "run", "given-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRecord:
    """What a run is started with, as its holder and whoever comes later read it.

    Attributes:
        marker: `HARNESS_UNIT=…` in the environment of all its processes.
        boot_id: run of the machine.
        holder: pid and start time of the process that is asked to start it.
        argv: program and arguments.
        env: the service's complete environment.
        working_dir: where it runs.
        umask: file mode bits to withhold.
        user: whom it runs as, in the words of the stack file; None: whom the daemon runs as.
        account: the same in numbers: uid, gid and groups.
        nice: added to the holder's niceness.
        limits: resource name → limit, soft and hard.
        stdin: path of its input.
        stdout: path to append its output to.
        stderr: path to append its error output to.
    """

    marker: str
    boot_id: str
    holder: ProcessRef
    argv: Sequence[str]
    env: Mapping[str, str]
    working_dir: str
    umask: int
    user: str | None
    account: Mapping[str, Any] | None
    nice: int | None
    limits: Mapping[str, int]
    stdin: str
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """What a holder has written down.

    Attributes:
        service: the service's main process, if it was started.
        failed: why it could not be started.
        exit: how it ended.
    """

    service: ProcessRef | None
    failed: str | None
    exit: ExitStatus | None


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

    def write_launch(self, record: LaunchRecord) -> None:
        """Write what the holder needs.

        Raises:
            OSError: the directory is not there, not writable, or was used before.
        """
        self._create(_ASKED, json.dumps({"version": _VERSION, **_fields(record)}) + "\n")

    def remove_launch(self) -> None:
        """Take back what no holder was asked to start."""
        os.unlink(f"{self._dir}/{_ASKED}")

    def launch_record(self) -> LaunchRecord | None:
        """Return what the run was started with, or None if that was never written completely.

        Raises:
            StorageError: a newer daemon has written it.
        """
        # In this order: it may be taken in between.
        text = self._read(_ASKED) or self._read(_TAKEN) or self._read(_GIVEN_UP)
        header, complete, _ = text.partition("\n")
        if not complete:
            return None
        data: dict[str, Any] = json.loads(header)
        version = data.pop("version")
        if version > _VERSION:
            raise StorageError(
                f"cannot read the run in {self._dir}: it is of version {version}, newer than this",
                hint="use the harness that started it",
            )
        return LaunchRecord(**{**data, "holder": ProcessRef(*data["holder"])})

    def give_up(self) -> bool:
        """Take the run from a holder that has not begun; tell whether it never will."""
        try:
            os.rename(f"{self._dir}/{_ASKED}", f"{self._dir}/{_GIVEN_UP}")
        except FileNotFoundError:
            return not os.path.exists(f"{self._dir}/{_TAKEN}")
        return True

    def status(self) -> RunStatus:
        """Return what is written down so far; a line counts once it is complete."""
        complete = self._read(_TAKEN).rpartition("\n")[0]
        lines = dict(line.partition(" ")[::2] for line in complete.split("\n")[1:])
        return RunStatus(
            service=_process(lines.get("started")),
            failed=lines.get("failed"),
            exit=_exit_status(lines.get("exit")),
        )

    async def until(self, wanted: Callable[[RunStatus], bool], *, by: ProcessRef) -> RunStatus:
        """Return the status once it is as wanted, or when nobody is left to write it.

        For what takes a holder a moment only: it is looked at again and again, since watches of the
        kernel are too few to have one for each of many runs.

        Args:
            wanted: tells whether it is.
            by: the process that writes it.
        """
        delay_s = _FIRST_DELAY_S
        while True:
            is_held = is_running(by)
            # Read after asking: what nobody is left to write will not change any more.
            status = self.status()
            if wanted(status) or not is_held:
                return status
            await anyio.sleep(delay_s)
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    def ended_at(self) -> datetime | None:
        """Return when the end was written down, if it was: the last thing that happens to a run."""
        if self.status().exit is None:
            return None
        with contextlib.suppress(FileNotFoundError):
            return datetime.fromtimestamp(os.lstat(f"{self._dir}/{_TAKEN}").st_mtime, UTC)
        return None

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


def _process(text: str | None) -> ProcessRef | None:
    pid, _, start = (text or "").partition(" ")
    return ProcessRef(int(pid), int(start)) if start else None


def _exit_status(text: str | None) -> ExitStatus | None:
    match (text or "").split():
        case ["code", number]:
            return ExitStatus(code=int(number))
        case ["signal", number]:
            return ExitStatus(signal=int(number))
        case _:
            return None
