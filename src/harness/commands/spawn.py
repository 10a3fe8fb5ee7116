"""Starting one program as a child, with pipes, in a session of its own."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess  # noqa: TID251 - the layer that runs programs is the one place for it
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.errors import (
    CommandError,
    CommandNotExecutable,
    CommandNotFound,
)

from .command import Command
from .limits import limits_script
from .programs import Account, check_command, find_account
from .terminal import Terminal, terminal_prefix

__all__ = ["account_environment", "command_prefix", "spawn", "spawn_errors"]

_NOT_EXECUTABLE = {
    errno.EACCES: "permission denied",
    errno.EPERM: "not permitted",
    errno.ENOEXEC: "no #! line, or a program for another kind of machine",
    errno.E2BIG: "arguments and environment are too long",
    errno.ETXTBSY: "its file is being written",
}


def spawn(
    command: Command,
    *,
    env: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
    terminal: Terminal | None = None,
) -> subprocess.Popen[bytes]:
    """Start the command with pipes for its outputs, or on a terminal.

    It leads a session and a group of its own, and gets no other descriptor of this process.

    Args:
        command: what to start; `stdin` and `timeout_s` are not looked at.
        env: the complete environment.
        stdin: as `subprocess.Popen` takes it.
        terminal: its input and both outputs, in place of all pipes.

    Raises:
        CommandError: of the kind that tells why it cannot be started.
    """
    check_command(command, env)
    account = find_account(command)
    identity: dict[str, Any] = {}
    stdout = stderr = subprocess.PIPE
    words = [*command_prefix(command), *command.argv]
    if terminal is not None:
        stdin = stdout = stderr = terminal.far_fd
        words = [*terminal_prefix(command), *words]
    with spawn_errors(command):
        if account is not None:
            if terminal is not None:
                terminal.own(account.uid)
            identity = {
                "user": account.uid,
                "group": account.gid,
                "extra_groups": account.groups,
            }
        return subprocess.Popen(
            words,
            env=account_environment(env, account),
            cwd=command.working_dir,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            bufsize=0,
            # With a terminal its first word does that.
            start_new_session=terminal is None,
            umask=-1 if command.umask is None else command.umask,
            **identity,
        )


def command_prefix(command: Command) -> Sequence[str]:
    """Return the words that set limits and niceness and then become the command."""
    words: list[str] = []
    if command.limits:
        words += ["/bin/sh", "-c", f'{limits_script(command.limits)} && exec "$@"', "sh"]
    if command.nice is not None:
        words += ["nice", "-n", str(command.nice)]
    return words


def account_environment(env: Mapping[str, str], account: Account | None) -> dict[str, str]:
    """Return the environment with the account's HOME, USER and LOGNAME.

    A value that differs from what this process itself has was chosen by the user, and stays.
    """
    if account is None:
        return dict(env)
    wanted = {"USER": account.name, "LOGNAME": account.name}
    if account.home is not None:
        wanted["HOME"] = account.home
    inherited = (None, *(os.environ.get(name) for name in wanted))
    return {**env, **{k: v for k, v in wanted.items() if env.get(k) in inherited}}


@contextlib.contextmanager
def spawn_errors(command: Command) -> Iterator[None]:
    """Turn the kernel's refusal to start a program into the error that names the cause."""
    try:
        yield
    except OSError as error:
        text, program = str(command), command.argv[0]
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise CommandNotFound(command=text, cause=f"command not found: {program}") from error
        if error.errno in _NOT_EXECUTABLE:
            cause = f"{_NOT_EXECUTABLE[error.errno]}: {program}"
            raise CommandNotExecutable(command=text, cause=cause) from error
        cause = f"the system refuses to start it: {error.strerror}"
        raise CommandError(command=text, cause=cause) from error
