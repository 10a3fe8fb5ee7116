"""Commands run beside a unit; they belong to the connection and end with it."""

from __future__ import annotations

import base64
from contextlib import ExitStack
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectSendStream

from harness.commands import Command, Exited, Output, Process, TerminalSize, signal_number
from harness.daemon.dispatcher import Handler
from harness.daemon.iteration import iterating
from harness.errors import InvalidParameters, OperationError, OperationNotFound
from harness.protocol import Empty

from .services import decode_data

if TYPE_CHECKING:
    from harness.daemon.channel import Channel
    from harness.daemon.session import Call
    from harness.daemon.wiring import Wiring
    from harness.protocol import (
        ExecParams,
        ExecRef,
        ExecResizeParams,
        ExecRunParams,
        ExecSignalParams,
        ExecWriteParams,
        Window,
    )

__all__ = ["handlers"]


class _Attached:
    """A running command, as its channel holds it."""

    def __init__(self, process: Process, stdin: MemoryObjectSendStream[bytes] | None) -> None:
        self.process = process
        self.stdin = stdin


def handlers(wiring: Wiring) -> dict[str, Handler]:
    """Return the handlers of `exec.*`."""

    async def run(params: ExecRunParams, call: Call) -> ExecRef:
        from harness.protocol import ExecRef  # loaded with the parameters: few daemons are asked

        project = wiring.stacks.project(params.project)
        given, taken = anyio.create_memory_object_stream[bytes](1)
        with ExitStack() as unused:
            unused.enter_context(given)
            unused.enter_context(taken)
            command = _command(params, taken if params.stdin else None)
            process = await project.execute(params.unit, command)
            unused.pop_all()

        async def attend(channel: Channel, status: TaskStatus[None]) -> None:
            async with given, taken, process:
                channel.attached = _Attached(process, given if params.stdin else None)
                status.started()
                await _report(channel, process)

        return ExecRef(id=await call.open_channel(attend, key="id", window=params.window))

    return {
        "exec.run": run,
        "exec.write": _write,
        "exec.close_stdin": _close_stdin,
        "exec.signal": _signal,
        "exec.resize": _resize,
    }


def _command(params: ExecRunParams, stdin: anyio.abc.ObjectReceiveStream[bytes] | None) -> Command:
    try:
        return Command(
            argv=params.argv,
            env=params.env,
            inherit_env=False,
            working_dir=params.working_dir,
            stdin=stdin,
            terminal=_size(params.terminal) if params.terminal else None,
        )
    except ValueError as error:
        raise InvalidParameters(f"cannot call exec.run: {error}") from error


def _size(window: Window) -> TerminalSize:
    return TerminalSize(columns=window.columns, rows=window.rows)


async def _report(channel: Channel, process: Process) -> None:
    async with iterating(process) as events:
        async for event in events:
            if isinstance(event, Output):
                data = base64.b64encode(event.data).decode("ascii")
                await channel.notify("exec.output", {"stream": event.stream.value, "data": data})
            elif isinstance(event, Exited):
                status = event.status
                await channel.notify("exec.exit", {"code": status.code, "signal": status.signal})


async def _write(params: ExecWriteParams, call: Call) -> Empty:
    stdin = _attached(params.id, call).stdin
    data = decode_data(params.data, method="exec.write")
    try:
        if stdin is None:
            raise anyio.ClosedResourceError
        await stdin.send(data)
    except (anyio.ClosedResourceError, anyio.BrokenResourceError):
        raise OperationError("cannot write to the command: its input is closed") from None
    return Empty()


async def _close_stdin(params: ExecParams, call: Call) -> Empty:
    stdin = _attached(params.id, call).stdin
    if stdin is not None:
        stdin.close()
    return Empty()


async def _signal(params: ExecSignalParams, call: Call) -> Empty:
    try:
        number = signal_number(params.signal)
    except ValueError as error:
        raise InvalidParameters(f"cannot call exec.signal: {error}") from error
    _attached(params.id, call).process.signal(number)
    return Empty()


async def _resize(params: ExecResizeParams, call: Call) -> Empty:
    try:
        size = _size(params.terminal)
    except ValueError as error:
        raise InvalidParameters(f"cannot call exec.resize: {error}") from error
    process = _attached(params.id, call).process
    if not process.resize(size) and process.status is None:
        raise OperationError("cannot change the size of its terminal: the command has none")
    return Empty()


def _attached(name: str, call: Call) -> _Attached:
    channel = call.session.channel(name)
    attached = channel.attached if channel is not None else None
    if not isinstance(attached, _Attached):
        raise OperationNotFound(
            f'cannot find the command "{name}": it has ended, or is another connection\'s'
        )
    return attached
