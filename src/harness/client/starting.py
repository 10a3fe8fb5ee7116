"""Starts the user's daemon in the background and waits until it is ready, or says why it is not.

Whoever starts or ends a daemon holds a lock on `start.lock` in the state directory, so two commands
at once end with one daemon. Nothing is polled: the lock wakes the second command, and a pipe that
the daemon inherits tells the first that it is ready, or how it failed, or that it died.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from harness.errors import DaemonUnavailable, HarnessError, StorageError
from harness.protocol import Endpoint, error_from_wire

if TYPE_CHECKING:
    from harness.protocol import MessageStream

__all__ = ["daemon_env", "start_daemon"]

_START_TIMEOUT_S = 30.0

_KEPT_NAMES = frozenset(
    {"HOME", "KUBECONFIG", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "LOGNAME", "NO_PROXY", "PATH"}
    | {"SHELL", "SSH_AUTH_SOCK", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV", "no_proxy"}
)
_KEPT_PREFIXES = ("LC_", "XDG_", "HARNESS_", "PYTHON", "DOCKER_", "SSL_CERT_")


def daemon_env(env: Mapping[str, str]) -> dict[str, str]:
    """Return what a daemon inherits of a command's environment.

    It outlives the command, so it gets what programs need to run and nothing else that may be
    there, such as credentials; services get theirs with each request.
    """
    return {
        name: value
        for name, value in env.items()
        if name in _KEPT_NAMES or name.startswith(_KEPT_PREFIXES)
    }


async def start_daemon(
    endpoint: Endpoint,
    open_stream: Callable[[], Awaitable[MessageStream | None]],
    *,
    source: Mapping[str, Any] | None = None,
) -> MessageStream:
    """Start a daemon unless another command has meanwhile; return a stream to it.

    Args:
        endpoint: names its state directory.
        open_stream: connects to it; None when nobody listens.
        source: stack files that it must be able to use, or it does not start.

    Raises:
        DaemonUnavailable: it ended or said nothing for half a minute.
        HarnessError: why it refused to start.
    """
    refusal: HarnessError | None = None
    try:
        with anyio.fail_after(_START_TIMEOUT_S):
            async with _start_lock(endpoint):
                stream = await open_stream()
                if stream is None:
                    refusal = await _spawn(endpoint, source)
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
async def _start_lock(endpoint: Endpoint) -> AsyncIterator[None]:
    try:
        endpoint.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(endpoint.start_lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(
            f"cannot use the state directory {endpoint.state_dir}: {error.strerror or error}",
            hint="name another one with HARNESS_STATE_DIR",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Another command starts one, or one is ending: the kernel wakes this thread.
            await anyio.to_thread.run_sync(
                fcntl.flock, descriptor, fcntl.LOCK_EX, abandon_on_cancel=True
            )
        yield
    finally:
        os.close(descriptor)


async def _spawn(endpoint: Endpoint, source: Mapping[str, Any] | None) -> HarnessError | None:
    """Start a daemon and wait for its word; return why it refused, or None when it is ready.

    The daemon keeps this command's pipes for stdout and stderr until it is ready.
    """
    command = [sys.executable, "-P", "-m", "harness.daemon", "--detach"]
    command += ["--state-dir", str(endpoint.state_dir)]
    if source is not None:
        command.append("--check")
    with _input(source) as stdin:
        done = await anyio.run_process(
            command,
            stdin=stdin,
            env=daemon_env(os.environ),
            cwd="/",
            check=False,
            start_new_session=True,
        )
    try:
        word = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return DaemonUnavailable(
            f"cannot start the daemon: {last or 'it ended without a word'}",
            hint=f"see {endpoint.log_path}",
        )
    return error_from_wire(word["error"]) if "error" in word else None


@contextmanager
def _input(source: Mapping[str, Any] | None) -> Iterator[int]:
    """Make what a daemon reads; not a pipe, which breaks when one that dies has not read it."""
    descriptor = os.memfd_create("harness-source", os.MFD_CLOEXEC)
    try:
        if source is not None:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(json.dumps(source).encode())
            os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
