"""Parent of all services that one daemon starts: a program of its own, with nothing but Python.

It outlives the daemon. Standard input is a socket; each message on it is the directory of a run,
with a descriptor to report the start on. There it finds a file that says what to start (`launch`).
It takes it by another name (`run`), so that nobody else does, and appends what happens, a line
each:

    started PID START       the service, and its start time in clock ticks; or
    failed WHAT NUMBER      it could not be started: what was refused, and the system's error
    exit code NUMBER        how the service ended; or
    exit signal NUMBER

A message of one question mark is answered,
by an empty line, once every end so far is written down. It ends when nobody can ask it for anything
any more and nothing that it started runs. It imports nothing of the package around it.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import subprocess  # noqa: TID251 - the layer that runs programs is the one place for it
from contextlib import ExitStack, suppress
from io import FileIO
from typing import Any

CATCH_UP = b"?"

_MESSAGE_BYTES = 8192
# Whoever sends them to everything he finds wants the services to end, and the status kept.
_HANDLED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGCHLD)
_KEPT = (signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ)


class Refused(Exception):
    """Why a service cannot be started: the words after `failed`."""


class Holder:
    """Starts what it is asked to and awaits what it started, one thing after the other.

    Args:
        requests: where it is asked, message by message.
    """

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._is_asked = True
        self._running: dict[int, tuple[str, subprocess.Popen[bytes]]] = {}  # pid → its file

    def serve(self) -> None:
        """Return when there is nothing left to do, ever."""
        woken, waking = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(woken, select.POLLIN)
        poll.register(self._requests, select.POLLIN)
        while self._is_asked or self._running:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if woken in ready:
                with suppress(BlockingIOError):
                    os.read(woken, _MESSAGE_BYTES)
                self._await()
            if self._requests.fileno() in ready:
                self._answer()
                if not self._is_asked:
                    poll.unregister(self._requests)

    def _answer(self) -> None:
        """Take one request and report on it."""
        message, descriptors, _, _ = socket.recv_fds(
            self._requests, _MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC
        )
        if not message:
            self._is_asked = False
            return
        report = descriptors[0]
        try:
            if message == CATCH_UP:
                self._await()
                line = "\n"
            else:
                line = self._start(os.fsdecode(message))
            # Nobody may be left to read it.
            with suppress(BrokenPipeError):
                os.write(report, line.encode())
        finally:
            os.close(report)

    def _start(self, run_dir: str) -> str:
        """Start a run; return the line that says how that went, which is in its file, too."""
        path = f"{run_dir}/run"
        try:
            os.rename(f"{run_dir}/launch", path)
            record = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:  # not there: a recovering daemon has given it up
            return f"failed record {error.errno}\n"
        with open(record, "rb+", buffering=0) as file:
            return self._start_taken(path, file)

    def _start_taken(self, path: str, file: FileIO) -> str:
        try:
            child = _spawn(json.loads(file.readall()))
        except Exception as error:  # a defect must not take the other services' statuses with it
            why = error if isinstance(error, Refused) else f"defect 0 {error!r}"
            line = f"failed {why}\n"
            with suppress(OSError):  # that nothing was started says the same
                file.write(line.encode())
            return line
        line = f"started {child.pid} {_start_time(child.pid)}\n"
        try:
            file.write(line.encode())
        except OSError as error:
            # Nobody would find it again.
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return f"failed record {error.errno}\n"
        self._running[child.pid] = path, child
        return line

    def _await(self) -> None:
        """Write down how each child ended that has."""
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            path, child = self._running.pop(pid)
            child.returncode = os.waitstatus_to_exitcode(status)
            _note_end(path, child.returncode)


def _note_end(path: str, returncode: int) -> None:
    what = "code" if returncode >= 0 else "signal"
    # The directory may be gone, which needs no status any more.
    with suppress(OSError):
        record = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        with open(record, "wb", buffering=0) as file:
            file.write(f"exit {what} {abs(returncode)}\n".encode())


def _start_time(pid: int) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])


def _spawn(launch: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start what the file says.

    Raises:
        Refused: the system does not let it.
    """
    with ExitStack() as opened:
        stdin = _open(opened, "input", launch["stdin"], os.O_RDWR)
        stdout, stderr = (
            _open(opened, "output", launch[name], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            for name in ("stdout", "stderr")
        )
        working_dir = launch["working_dir"]
        try:
            return subprocess.Popen(
                launch["argv"],
                env=launch["env"],
                cwd=working_dir,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                umask=launch["umask"],
                # Without, no Python runs between the fork and the program, which is quicker.
                preexec_fn=_changes(launch),
            )
        except OSError as error:
            what = "directory" if error.filename == working_dir else "program"
            raise Refused(f"{what} {error.errno}") from error
        except subprocess.SubprocessError as error:
            raise Refused("change 0") from error


def _open(opened: ExitStack, what: str, path: str, flags: int) -> int:
    # Whatever is in its place, opening it holds nobody up.
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, 0o600)
    except OSError as error:
        raise Refused(f"{what} {error.errno}") from error
    opened.callback(os.close, descriptor)
    os.set_blocking(descriptor, True)
    return descriptor


def _changes(launch: dict[str, Any]) -> Any:
    """Return what sets limits, niceness and user in the new process; None: nothing to set."""
    limits, nice, account = launch["limits"], launch["nice"], launch["account"]
    if not limits and nice is None and account is None:
        return None

    def change() -> None:
        for name, limit in limits.items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (limit, limit))
        if nice is not None:
            os.nice(nice)
        if account is not None:  # last: it takes the right to do the others
            os.setgroups(account["groups"])
            os.setgid(account["gid"])
            os.setuid(account["uid"])

    return change


def _main() -> None:
    # As a service shall find them; what Python itself ignores is set back for each child.
    for number in signal.valid_signals() - set(_KEPT):
        signal.signal(number, signal.SIG_DFL)
    for number in _HANDLED:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(0o077)
    Holder(socket.socket(fileno=0)).serve()


if __name__ == "__main__":
    _main()
