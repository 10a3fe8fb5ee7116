"""Starts the process that will be a daemon, under the lock of those who start or end one.

Imports little: a command that is going to need a daemon starts it before it loads what it is made
of itself, so that the two load at the same time.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess  # noqa: TID251 - before anyio is loaded, which runs programs otherwise
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import DaemonUnavailable, HarnessError, StorageError
from harness.protocol import Endpoint, error_from_wire

if TYPE_CHECKING:
    from harness.protocol import CheckedStack

__all__ = ["Begun", "DaemonProcess", "begin_daemon", "daemon_env", "is_locked", "open_lock"]

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


class DaemonProcess:
    """A process that will be a daemon, or will say why not.

    It has this command's pipes for stdout and stderr until it is ready.

    Args:
        endpoint: names its state directory.
        gets_stack: it is to change nothing before it is handed the stack that it is wanted for.
        plugins: that it is started with, `module` or `module:attribute`; they are found where this
            process finds modules.
        idle_end_s: it is to end, and to remove its state directory, when for so long nobody has
            been connected and there was no project.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        gets_stack: bool,
        plugins: Sequence[str] = (),
        idle_end_s: float | None = None,
    ) -> None:
        self._endpoint = endpoint
        command = [sys.executable, "-P", "-m", "harness.daemon", "--detach"]
        command += ["--state-dir", str(endpoint.state_dir)]
        if gets_stack:
            command.append("--stack-from-stdin")
        command += [word for plugin in plugins for word in ("--plugin", plugin)]
        if plugins:
            # Not in its environment, which its children would have, too.
            command += ["--import-from", os.pathsep.join(map(os.path.abspath, sys.path))]
        if idle_end_s is not None:
            command += ["--end-when-idle", f"{idle_end_s:g}"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if gets_stack else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=daemon_env(os.environ),
            cwd="/",
            start_new_session=True,
        )

    def hand_over(self, checked: CheckedStack) -> None:
        """Give it the stack; blocks."""
        pipe, self._process.stdin = self._process.stdin, None
        if pipe is None:
            raise RuntimeError("this process gets no stack, or has got one")
        with suppress(BrokenPipeError), pipe:  # when it has ended, its word says why
            pipe.write(checked.encode())

    def word(self) -> HarnessError | None:
        """Wait for its word; return why it refused, or None when it is ready; blocks."""
        stdout, stderr = self._process.communicate()
        try:
            word = json.loads(stdout)
        except ValueError:
            said = stderr.decode("utf-8", "replace")
            return DaemonUnavailable(
                f"cannot start the daemon: {_last_line(said) or 'it ended without a word'}",
                hint=f"see {self._endpoint.log_path}",
            )
        return error_from_wire(word["error"]) if "error" in word else None

    def kill(self) -> None:
        """End it, unless it has left this command already."""
        self._process.kill()

    def give_up(self) -> None:
        """Let go of it before it was handed the stack: without one it ends by itself."""
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        self._process.kill()
        self._process.wait()


class Begun(NamedTuple):
    """A start that has begun: its process, and the descriptor of the lock that is held for it."""

    process: DaemonProcess
    lock: int


def begin_daemon(
    endpoint: Endpoint,
    *,
    source: Mapping[str, Any] | None = None,
    plugins: Sequence[str] = (),
) -> Begun | None:
    """Start a daemon's process, where there clearly is none and nobody starts or ends one.

    The stack is checked while the process loads what a daemon is made of.

    Args:
        endpoint: names its state directory.
        source: stack files that must be usable, or no daemon starts.
        plugins: that it is started with.

    Returns None when that is not clear; whoever connects finds out.

    Raises:
        StorageError: the state directory cannot be used.
        ConfigError, PlanError: the stack files cannot be used.
    """
    if os.path.lexists(endpoint.socket_path):
        return None
    lock = open_lock(endpoint)
    try:
        # Looked at again: one may have been started in between.
        if is_locked(lock) and not os.path.lexists(endpoint.socket_path):
            return Begun(_begin(endpoint, source, plugins), lock)
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


def open_lock(endpoint: Endpoint) -> int:
    """Open the file that is locked while a daemon starts or ends; return its descriptor.

    Raises:
        StorageError: the state directory cannot be used.
    """
    try:
        endpoint.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(endpoint.start_lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(
            f"cannot use the state directory {endpoint.state_dir}: {error.strerror or error}",
            hint="name another one with HARNESS_STATE_DIR",
        ) from error


def is_locked(descriptor: int) -> bool:
    """Take the lock unless somebody else has it; return whether it is held now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _begin(
    endpoint: Endpoint, source: Mapping[str, Any] | None, plugins: Sequence[str]
) -> DaemonProcess:
    process = DaemonProcess(endpoint, gets_stack=source is not None, plugins=plugins)
    if source is not None:
        try:
            from .stack_check import check_stack

            process.hand_over(check_stack(source, plugins))
        except BaseException:
            process.give_up()
            raise
    return process


def _last_line(said: str) -> str:
    """Return the last line with words; a frame around a group of errors has none."""
    lines = (line.strip(" |+-") for line in reversed(said.splitlines()))
    return next(filter(None, lines), "")
