"""One run of a typed task, as its class sees it: events, and commands writing its output."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from harness.commands import Command, Completed, Output, Process, StreamName, collect
from harness.executors import StartRequest

from .call import ActionEvent, Call

__all__ = ["TaskCall"]

_LONGEST_LINE_BYTES = 1024 * 1024

OnLine = Callable[[str], Awaitable[None]]


class TaskCall(Call):
    """One run of a task.

    Args:
        events: name → dataclass, what it may tell besides its progress.
        send: takes each event.
        request: what is run.
    """

    def __init__(
        self,
        events: Mapping[str, type],
        send: Callable[[ActionEvent], Awaitable[None]],
        request: StartRequest,
    ) -> None:
        super().__init__("execute", events, send)
        self._request = request

    async def progress(
        self, message: str, *, done: float | None = None, total: float | None = None
    ) -> None:
        """Tell how far it is; it is a line of the task's log, too."""
        self.log(message)
        await super().progress(message, done=done, total=total)

    def log(self, text: str) -> None:
        """Write a line to the task's output, which `harness logs` shows."""
        self._append(StreamName.STDOUT, f"{text}\n".encode())

    async def run(
        self,
        *argv: str,
        on_line: OnLine | None = None,
        env: Mapping[str, str] | None = None,
        directory: str | Path | None = None,
        stdin: bytes | None = None,
        timeout_s: float | None = None,
        check: bool = True,
    ) -> Completed:
        """Run a command to its end; what it writes is the task's output.

        Args:
            argv: program and arguments.
            on_line: is awaited with each line of either output as it comes, without its end; the
                place to make events of them. The command waits where it does not keep up.
            env: variables on top of the task's own.
            directory: where it runs, relative to the stack file's, which it is unless given.
            stdin: what it reads.
            timeout_s: how long it may run; None: as long as the task.
            check: raise unless it succeeds.

        Raises:
            CommandError: it cannot be run, took too long, or ended with another status than 0.
        """
        request = self._request
        command = Command(
            argv=argv,
            env={**request.env, **(env or {}), **request.identity},
            inherit_env=False,
            working_dir=str(request.base_dir / (directory or ".")),
            stdin=stdin,
            timeout_s=timeout_s,
        )
        lines = _Lines(on_line)

        async def take(output: Output) -> None:
            self._append(output.stream, output.data)
            await lines.take(output)

        process = Process(command, backpressure=True)
        try:
            return await collect(process, command, check=check, on_output=take)
        finally:
            await lines.end()

    def _append(self, stream: StreamName, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        fd = os.open(self._request.log_dir / f"{stream.value}.log", flags, 0o600)
        try:
            os.write(fd, data)
        finally:
            os.close(fd)


class _Lines:
    """Makes lines of two outputs, each with a rest of its own."""

    def __init__(self, on_line: OnLine | None) -> None:
        self._on_line = on_line
        self._rest = dict.fromkeys(StreamName, b"")

    async def take(self, output: Output) -> None:
        if self._on_line is None:
            return
        *lines, rest = (self._rest[output.stream] + output.data).split(b"\n")
        if len(rest) > _LONGEST_LINE_BYTES:
            lines, rest = [*lines, rest], b""
        self._rest[output.stream] = rest
        for line in lines:
            await self._tell(line)

    async def end(self) -> None:
        for stream, rest in self._rest.items():
            if rest:
                self._rest[stream] = b""
                await self._tell(rest)

    async def _tell(self, line: bytes) -> None:
        if self._on_line is not None:
            await self._on_line(line.decode("utf-8", "replace").removesuffix("\r"))
