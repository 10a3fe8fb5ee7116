"""Running one command to its end and collecting what it wrote."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

from harness.errors import CommandFailed, CommandTimeout
from harness.model import ExitStatus

from .command import Command
from .events import Output, StreamName
from .process import Process

__all__ = ["Completed", "collect", "run"]

_TAIL_BYTES = 2000
_MAX_OUTPUT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A command that ended.

    Attributes:
        status: how it ended.
        stdout: what it wrote there, up to the limit.
        stderr: what it wrote there, up to the limit.
        log: both, in the order they were read.
        dropped_bytes: output beyond the limit.
    """

    status: ExitStatus
    stdout: bytes = b""
    stderr: bytes = b""
    log: tuple[Output, ...] = ()
    dropped_bytes: int = 0

    def tail(self) -> str:
        """Return the last lines of both outputs, for messages."""
        text = b"".join(output.data for output in self.log)[-_TAIL_BYTES:]
        return text.decode(errors="replace").strip()


@dataclass(slots=True)
class _Collector:
    """Keeps the first `max_bytes` of each stream."""

    max_bytes: int
    log: list[Output] = field(default_factory=list)
    dropped_bytes: int = 0
    sizes: dict[StreamName, int] = field(default_factory=lambda: dict.fromkeys(StreamName, 0))

    def __call__(self, output: Output) -> None:
        kept = output.data[: self.max_bytes - self.sizes[output.stream]]
        self.sizes[output.stream] += len(kept)
        self.dropped_bytes += len(output.data) - len(kept)
        if kept:
            self.log.append(Output(stream=output.stream, data=kept))

    def completed(self, status: ExitStatus) -> Completed:
        return Completed(
            status=status,
            stdout=self._joined(StreamName.STDOUT),
            stderr=self._joined(StreamName.STDERR),
            log=tuple(self.log),
            dropped_bytes=self.dropped_bytes,
        )

    def _joined(self, stream: StreamName) -> bytes:
        return b"".join(output.data for output in self.log if output.stream is stream)


async def run(
    command: Command,
    *,
    max_output_bytes: int = _MAX_OUTPUT_BYTES,
    check: bool = False,
    whole_tree: bool = False,
) -> Completed:
    """Run a command to its end; end its whole tree when its time is up or the caller cancels.

    Args:
        command: what to run.
        max_output_bytes: of each output; what comes after it is read and dropped.
        check: raise unless it succeeds.
        whole_tree: end what it leaves behind, also in sessions of its own.

    Raises:
        CommandTimeout: it ran longer than `command.timeout_s`; `details` holds its last output.
        CommandFailed: `check` is set, and it ended with another status than 0.
        CommandError: of the kind that tells why it could not be started.
    """
    collector = _Collector(max_output_bytes)
    async with Process(command, sink=collector) as process:
        with anyio.move_on_after(command.timeout_s):
            await process.wait_complete()
        status = process.status
        if whole_tree and status is not None:
            await process.end()
    return _completed(command, collector, status, check=check)


async def collect(
    process: Process,
    command: Command,
    *,
    check: bool = False,
    on_output: Callable[[Output], Awaitable[None]] | None = None,
) -> Completed:
    """See a process through that was not begun yet, of a command that runs elsewhere; see `run`.

    `on_output` is awaited with all of its output, also with what is beyond the limit.
    """
    collector = _Collector(_MAX_OUTPUT_BYTES)
    async with process:
        with anyio.move_on_after(command.timeout_s):
            async for event in process:
                if isinstance(event, Output):
                    collector(event)
                    if on_output is not None:
                        await on_output(event)
        status = process.status
    return _completed(command, collector, status, check=check)


def _completed(
    command: Command, collector: _Collector, status: ExitStatus | None, *, check: bool
) -> Completed:
    if status is None:
        output = collector.completed(ExitStatus()).tail()
        raise CommandTimeout(
            command=str(command),
            cause=f"it ran longer than {command.timeout_s:g} s",
            details={"timeout_s": command.timeout_s, "output": output},
        )
    completed = collector.completed(status)
    if check and not status.is_success:
        tail = completed.tail()
        raise CommandFailed(
            command=str(command),
            cause=f"{status}: {tail}" if tail else str(status),
            details={"exit": status.as_shell(), "output": tail},
        )
    return completed
