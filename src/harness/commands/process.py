"""An attached process: it belongs to whoever holds it, and nothing of it outlives the context.

Its output is read all the time, so it never blocks because nobody listens. Works the same on
every event loop: it waits for descriptors, not for the loop's own idea of a child process.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess  # noqa: TID251 - the layer that runs programs is the one place for it
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Self

import anyio
import anyio.abc

from harness.errors import CommandError
from harness.model import ExitStatus

from .command import Command, TerminalSize
from .events import CommandEvent, Exited, Output, Started, StreamName
from .pidfd import group_exists, signal_group, wait_ended
from .procfs import ProcessRef, process_ref
from .spawn import spawn
from .terminal import Terminal
from .tree import Tree, TreeReport, end_tree

__all__ = ["Process"]

_CHUNK_BYTES = 64 * 1024
_PIPE_BYTES = 1024 * 1024  # the most a pipe holds by default
_LINGER_S = 0.25  # for output that an ended process's children still hold open
_GRACE_S = 1.0
_TERMINAL_BUFFER_BYTES = 16 * 1024  # who presses Ctrl-C does not want to see much more


class Process:
    """One attached process; an async context manager that starts it and ends its whole tree.

    Iterate over it for its events: one `Started`, any number of `Output`, one `Exited` after all
    output. Closing the context while it runs ends everything it started: SIGTERM, after one
    second SIGKILL. What moved itself into another session before a normal end is left alone.

    With a terminal all output is of the stream stdout, and the first signal is SIGHUP: shells
    ignore SIGTERM there. What a shell has put into the background outlives the shell's normal end.

    Args:
        command: what to run; its `timeout_s` is not looked at.
        backpressure: stop reading while `buffer_bytes` wait to be iterated over, which holds the
            process up; otherwise the oldest waiting output is dropped, and counted.
        buffer_bytes: output kept for iteration.
        open_stdin: keep the input open for `write_stdin` after what `command.stdin` gives.
        sink: gets every output as it is read, in place of the iteration.
    """

    def __init__(
        self,
        command: Command,
        *,
        backpressure: bool = False,
        buffer_bytes: int = 4 * 1024 * 1024,
        open_stdin: bool = False,
        sink: Callable[[Output], None] | None = None,
    ) -> None:
        self.command = command
        self.dropped_bytes = 0
        self._backpressure = backpressure
        self._buffer_bytes = (
            min(buffer_bytes, _TERMINAL_BUFFER_BYTES) if command.terminal else buffer_bytes
        )
        self._open_stdin = open_stdin
        self._sink = sink
        self._queue: deque[Output] = deque()
        self._queued_bytes = 0
        self._changed = anyio.Event()
        self._room = anyio.Event()
        self._status: ExitStatus | None = None
        self._ended = anyio.Event()
        self._completed = anyio.Event()
        self._told_start = False
        self._told_end = False
        self._group_left = False
        self._waits: set[anyio.CancelScope] = set()
        self._marker = secrets.token_hex(16)
        self._popen: subprocess.Popen[bytes] | None = None
        self._terminal: Terminal | None = None
        self._ref: ProcessRef | None = None
        self._tasks: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        env = self.command.environment()
        env["HARNESS_COMMAND"] = self._marker
        wants_input = self._open_stdin or self.command.stdin is not None
        self._popen = self._spawn(env, subprocess.PIPE if wants_input else subprocess.DEVNULL)
        self._ref = process_ref(self._popen.pid)  # it is not reaped, so it is there
        self._tasks = await anyio.create_task_group().__aenter__()
        self._tasks.start_soon(self._watch)
        if wants_input:
            self._tasks.start_soon(self._pump_input)
        return self

    def _spawn(self, env: dict[str, str], stdin: int) -> subprocess.Popen[bytes]:
        if self.command.terminal is None:
            return spawn(self.command, env=env, stdin=stdin)
        try:
            terminal = Terminal(self.command.terminal)
        except OSError as error:
            cause = f"this machine gives no terminal: {error.strerror}"
            raise CommandError(command=str(self.command), cause=cause) from error
        try:
            popen = spawn(self.command, env=env, terminal=terminal)
        except BaseException:
            terminal.close()
            raise
        terminal.give_away()
        self._terminal = terminal
        return popen

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        assert self._tasks is not None  # noqa: S101 - entered before
        with anyio.CancelScope(shield=True):
            if self._status is None or self._group_left:
                await self.end(grace_s=_GRACE_S)
        self._tasks.cancel_scope.cancel()
        try:
            return await self._tasks.__aexit__(exc_type, error, traceback)
        except BaseExceptionGroup as group:
            if error is not None and group.exceptions == (error,):
                return False  # the caller's own error passes unwrapped
            raise
        finally:
            self._close()

    @property
    def pid(self) -> int:
        """Process id; also the id of the session and the group it leads."""
        return self._started().pid

    @property
    def status(self) -> ExitStatus | None:
        """How it ended, or None while it runs."""
        return self._status

    async def wait(self) -> ExitStatus:
        """Return how it ended, as soon as it did; its output may still be on the way."""
        await self._ended.wait()
        assert self._status is not None  # noqa: S101 - set before the event
        return self._status

    async def wait_complete(self) -> ExitStatus:
        """Return how it ended, once all its output was read."""
        await self._completed.wait()
        return await self.wait()

    def __aiter__(self) -> Self:
        """Return itself: what happens, from the start to the end; for one reader only."""
        return self

    async def __anext__(self) -> CommandEvent:
        if not self._told_start:
            self._told_start = True
            return Started(pid=self.pid)
        while not self._queue:
            if self._completed.is_set():
                return self._last_event()
            self._changed = anyio.Event()
            await self._changed.wait()
        output = self._queue.popleft()
        self._queued_bytes -= len(output.data)
        self._room.set()
        return output

    def _last_event(self) -> Exited:
        if self._told_end or self._status is None:
            raise StopAsyncIteration
        self._told_end = True
        return Exited(status=self._status)

    def signal(self, signum: int) -> bool:
        """Send a signal to its group; tell whether it had not ended yet."""
        popen = self._started()
        if self._ref is None or self._status is not None or popen.returncode is not None:
            return False  # reaped: its number may be somebody else's by now
        # What it needs to lead a group on a terminal it does itself, a moment after its start.
        return signal_group(self._ref, signum)

    def interrupt(self) -> bool:
        """Send SIGINT to its group."""
        return self.signal(signal.SIGINT)

    def terminate(self) -> bool:
        """Send SIGTERM to its group."""
        return self.signal(signal.SIGTERM)

    def kill(self) -> bool:
        """Send SIGKILL to its group."""
        return self.signal(signal.SIGKILL)

    async def end(self, *, grace_s: float = 0.0) -> TreeReport:
        """End its whole tree: SIGTERM, and after `grace_s` SIGKILL; return when nothing is left."""
        tree = Tree(marker=f"HARNESS_COMMAND={self._marker}", main=self._ref)
        stop_signal = signal.SIGTERM if self._terminal is None else signal.SIGHUP
        report = await end_tree(tree, stop_signal=stop_signal, timeout_s=grace_s)
        self._group_left = False
        if not report.survivors:
            await self._see_end()  # not left to the watching task, which may be cancelled by now
        return report

    async def write_stdin(self, data: bytes) -> None:
        """Write all of it to the input, or type it into the terminal.

        Raises:
            BrokenPipeError: nobody reads the input any more.
            anyio.ClosedResourceError: the input is not open.
        """
        terminal, stdin = self._terminal, self._started().stdin
        if terminal is not None:
            await _write_all(terminal.fd, terminal.write, data, lambda: terminal.is_closed)
        elif stdin is None or stdin.closed:
            raise anyio.ClosedResourceError
        else:
            fd = stdin.fileno()
            os.set_blocking(fd, False)
            await _write_all(fd, partial(os.write, fd), data, lambda: stdin.closed)

    async def close_stdin(self) -> None:
        """Close the input: its reader sees the end; on a terminal as after Ctrl-D."""
        if self._terminal is not None:
            if self._terminal.is_closed:
                return
            with contextlib.suppress(BrokenPipeError, anyio.ClosedResourceError):
                await self.write_stdin(self._terminal.end_of_input())
            return
        stdin = self._started().stdin
        if stdin is not None and not stdin.closed:
            anyio.notify_closing(stdin.fileno())
            stdin.close()

    def resize(self, size: TerminalSize) -> bool:
        """Change the size of its terminal's window; tell whether it has a terminal, still."""
        if self._terminal is None or self._terminal.is_closed:
            return False
        self._terminal.resize(size)
        return True

    def _started(self) -> subprocess.Popen[bytes]:
        if self._popen is None:
            raise RuntimeError("enter the context of this process first")
        return self._popen

    async def _watch(self) -> None:
        """See the process to its end, and its output to the end after that."""
        async with anyio.create_task_group() as readers:
            for stream, fd, read in self._outputs():
                readers.start_soon(self._read, stream, fd, read)
            await self._see_end()
            for wait in self._waits:
                wait.deadline = anyio.current_time() + _LINGER_S
        self._completed.set()
        self._changed.set()

    def _outputs(self) -> Iterator[tuple[StreamName, int, Callable[[int], bytes]]]:
        """Return each output's name, its descriptor, and what reads it."""
        popen = self._started()
        if self._terminal is not None:
            yield StreamName.STDOUT, self._terminal.fd, self._terminal.read
            return
        assert popen.stdout is not None  # noqa: S101 - always pipes
        assert popen.stderr is not None  # noqa: S101 - always pipes
        for stream, pipe in (
            (StreamName.STDOUT, popen.stdout),
            (StreamName.STDERR, popen.stderr),
        ):
            os.set_blocking(pipe.fileno(), False)
            yield stream, pipe.fileno(), partial(os.read, pipe.fileno())

    async def _see_end(self) -> None:
        popen = self._started()
        assert self._ref is not None  # noqa: S101 - set when it was started
        await wait_ended(self._ref)
        if self._status is None:
            self._status = ExitStatus.from_returncode(popen.wait())
            # Asked at this moment, while the group's number cannot be somebody else's yet.
            self._group_left = group_exists(popen.pid)
            self._ended.set()

    async def _read(self, stream: StreamName, fd: int, read: Callable[[int], bytes]) -> None:
        """Read one output until its end, or until what an ended process left in it is read."""
        left_bytes = _PIPE_BYTES
        while left_bytes > 0 and await self._readable(fd):
            try:
                data = read(_CHUNK_BYTES)
            except BlockingIOError:
                continue
            if not data:
                return
            if self._status is not None:
                left_bytes -= len(data)
            await self._offer(Output(stream=stream, data=data))

    async def _readable(self, fd: int) -> bool:
        with anyio.CancelScope() as wait:
            if self._status is not None:
                wait.deadline = anyio.current_time() + _LINGER_S
            self._waits.add(wait)
            try:
                await anyio.wait_readable(fd)
            finally:
                self._waits.discard(wait)
            return True
        return False

    async def _offer(self, output: Output) -> None:
        if self._sink is not None:
            self._sink(output)
            return
        self._queue.append(output)
        self._queued_bytes += len(output.data)
        self._changed.set()
        while self._queued_bytes > self._buffer_bytes and len(self._queue) > 1:
            if self._backpressure:
                self._room = anyio.Event()
                await self._room.wait()
            else:
                dropped = len(self._queue.popleft().data)
                self._queued_bytes -= dropped
                self.dropped_bytes += dropped

    async def _pump_input(self) -> None:
        source = self.command.stdin
        try:
            if isinstance(source, bytes):
                await self.write_stdin(source)
            elif source is not None:
                async for data in source:
                    await self.write_stdin(data)
        except (BrokenPipeError, anyio.ClosedResourceError, anyio.BrokenResourceError):
            pass  # it may stop reading its input, and whoever writes it may go away
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                with anyio.CancelScope(shield=True):
                    await close()
        if not self._open_stdin:
            await self.close_stdin()

    def _close(self) -> None:
        popen = self._started()
        for pipe in (popen.stdin, popen.stdout, popen.stderr):
            if pipe is not None and not pipe.closed:
                # The caller's tasks may wait for it, to write.
                anyio.notify_closing(pipe.fileno())
                pipe.close()
        if self._terminal is not None and not self._terminal.is_closed:
            anyio.notify_closing(self._terminal.fd)
            self._terminal.close()


async def _write_all(
    fd: int, write: Callable[[memoryview], int], data: bytes, is_closed: Callable[[], bool]
) -> None:
    view = memoryview(data)
    while view:
        # Also after each wait: what wakes it may be what closes the descriptor right after.
        if is_closed():
            raise anyio.ClosedResourceError
        try:
            view = view[write(view) :]
        except BlockingIOError:
            await anyio.wait_writable(fd)
