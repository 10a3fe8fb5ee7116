"""Starts the user's daemon in the background and waits until it is ready, or says why it is not.

Whoever starts or ends a daemon holds a lock on `start.lock` in the state directory, so two commands
at once end with one daemon. Nothing is polled: the lock wakes the second command, and a pipe that
the daemon inherits tells the first that it is ready, or how it failed, or that it died.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from harness.errors import DaemonUnavailable, HarnessError
from harness.protocol import Endpoint

from .spawning import Begun, DaemonProcess, is_locked, open_lock

if TYPE_CHECKING:
    from harness.protocol import MessageStream

__all__ = ["start_daemon"]

_START_TIMEOUT_S = 30.0


async def start_daemon(
    endpoint: Endpoint,
    open_stream: Callable[[], Awaitable[MessageStream | None]],
    *,
    source: Mapping[str, Any] | None = None,
    begun: Begun | None = None,
    plugins: Sequence[str] = (),
    idle_end_s: float | None = None,
) -> MessageStream:
    """Start a daemon unless another command has meanwhile; return a stream to it.

    Args:
        endpoint: names its state directory.
        open_stream: connects to it; None when nobody listens.
        source: stack files that must be usable, or no daemon starts.
        begun: the start, when it has begun already, for the same endpoint and source.
        plugins: that it is started with.
        idle_end_s: as for `connect`.

    Raises:
        DaemonUnavailable: it ended or said nothing for half a minute.
        ConfigError, PlanError: the stack files cannot be used.
        HarnessError: why it refused to start.
    """
    refusal: HarnessError | None = None
    try:
        with anyio.fail_after(_START_TIMEOUT_S):
            async with _start_lock(endpoint, begun):
                stream = None if begun else await open_stream()
                if stream is None:
                    process = begun.process if begun else None
                    process = process or await _begin(endpoint, source, plugins, idle_end_s)
                    refusal = await _word(process)
                    stream = await open_stream()
    except TimeoutError:
        raise DaemonUnavailable(
            f"cannot start the daemon: it was not ready within {_START_TIMEOUT_S:g} s",
            hint=f"see {endpoint.log_path}",
        ) from None
    if stream is not None:
        return stream
    raise refusal or DaemonUnavailable(
        "cannot start the daemon: it was ready, and is gone again",
        hint=f"see {endpoint.log_path}",
    )


@asynccontextmanager
async def _start_lock(endpoint: Endpoint, begun: Begun | None) -> AsyncIterator[None]:
    descriptor = begun.lock if begun else open_lock(endpoint)
    try:
        if not begun and not is_locked(descriptor):
            # Another command starts one, or one is ending: the kernel wakes this thread.
            await to_thread.run_sync(fcntl.flock, descriptor, fcntl.LOCK_EX, abandon_on_cancel=True)
        yield
    finally:
        os.close(descriptor)


async def _begin(
    endpoint: Endpoint,
    source: Mapping[str, Any] | None,
    plugins: Sequence[str],
    idle_end_s: float | None,
) -> DaemonProcess:
    checked = None
    if source is not None:
        from .stack_check import check_stack

        checked = await to_thread.run_sync(check_stack, source, plugins)
    process = DaemonProcess(
        endpoint, gets_stack=checked is not None, plugins=plugins, idle_end_s=idle_end_s
    )
    if checked is not None:
        await to_thread.run_sync(process.hand_over, checked, abandon_on_cancel=True)
    return process


async def _word(process: DaemonProcess) -> HarnessError | None:
    """Wait for a daemon's word; return why it refused, or None when it is ready."""
    try:
        return await to_thread.run_sync(process.word, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        process.kill()
        raise
