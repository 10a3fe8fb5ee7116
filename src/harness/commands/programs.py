"""Finding out before a start why it would fail, so that the cause can be named.

The kernel answers "no such file" for a missing program, a missing interpreter and a missing
directory alike. What is checked here can change before the start; the start reports again.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import (
    CommandNotExecutable,
    CommandNotFound,
    UnknownUser,
    WorkingDirectoryMissing,
)

from .command import Command

__all__ = ["Account", "check_command", "find_account"]

_DEFAULT_PATH = "/usr/local/bin:/bin:/usr/bin"
_SHEBANG_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user and group to run as; `home` is None for a number without an account."""

    name: str
    uid: int
    gid: int
    home: str | None

    @property
    def groups(self) -> list[int]:
        """All groups it is in; its own alone for a number without an account."""
        return [self.gid] if self.home is None else os.getgrouplist(self.name, self.gid)

    def as_data(self) -> dict[str, Any]:
        """Return uid, gid and groups as JSON values."""
        return {"uid": self.uid, "gid": self.gid, "groups": self.groups}


def check_command(command: Command, env: Mapping[str, str]) -> None:
    """Raise what starting this command would run into, as far as it shows beforehand.

    Args:
        command: what is to be started.
        env: its complete environment.

    Raises:
        WorkingDirectoryMissing: missing, no directory, or not to be entered.
        CommandNotFound: no such program, or its interpreter is missing.
        CommandNotExecutable: a directory, or without permission to execute.
    """
    if command.working_dir is not None:
        _check_directory(command, command.working_dir)
    _check_program(command, env)


def _check_directory(command: Command, directory: str) -> None:
    if os.path.isdir(directory) and os.access(directory, os.X_OK):
        return
    if not os.path.exists(directory):
        cause = f'working directory "{directory}" does not exist'
    elif not os.path.isdir(directory):
        cause = f'working directory "{directory}" is not a directory'
    else:
        cause = f'permission denied: working directory "{directory}"'
    raise WorkingDirectoryMissing(command=str(command), cause=cause)


def _check_program(command: Command, env: Mapping[str, str]) -> None:
    name = command.argv[0]
    base = command.working_dir or "."
    if "/" in name:
        candidates = [os.path.join(base, name)]
    else:
        path = env.get("PATH", _DEFAULT_PATH)
        # An absolute part stands for itself; "" and relative ones start where the command runs.
        candidates = [
            f"{part}/{name}" if part[:1] == "/" else os.path.join(base, part, name)
            for part in path.split(":")
        ]
    for candidate in candidates:
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            _check_interpreter(command, candidate, base)
            return
    found = next((candidate for candidate in candidates if os.path.exists(candidate)), None)
    if found is None:
        raise CommandNotFound(command=str(command), cause=f"command not found: {name}")
    cause = "it is a directory" if os.path.isdir(found) else "permission denied"
    raise CommandNotExecutable(command=str(command), cause=f"{cause}: {name}")


def _check_interpreter(command: Command, program: str, base: str) -> None:
    """Look at a script's first line: a missing interpreter looks like a missing script."""
    try:
        fd = os.open(program, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return  # executable, but not to be read: the kernel will judge
    try:
        head = os.read(fd, _SHEBANG_BYTES)
    finally:
        os.close(fd)
    words = head[2:].split(b"\n", 1)[0].split() if head.startswith(b"#!") else []
    if words and not os.path.exists(os.path.join(os.fsencode(base), words[0])):
        interpreter = words[0].decode(errors="replace")
        raise CommandNotFound(
            command=str(command),
            cause=f"command not found: {interpreter}, the interpreter of {command.argv[0]}",
        )


def find_account(command: Command) -> Account | None:
    """Return whom the command is to run as, or None when that is who runs this process.

    Raises:
        UnknownUser: no such user or group, or this process may not become it.
    """
    if command.user is None:
        return None
    name, _, group = command.user.partition(":")
    account = _account(command, name, group)
    if os.geteuid() == account.uid and (not group or os.getegid() == account.gid):
        return None
    if os.geteuid() != 0:
        raise UnknownUser(
            command=str(command),
            cause=f'permission denied: only root can run as user "{command.user}"',
        )
    return account


def _account(command: Command, name: str, group: str) -> Account:
    try:
        entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
        account = Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, home=entry.pw_dir)
    except KeyError:
        if not name.isdigit():
            raise UnknownUser(command=str(command), cause=f"unknown user: {name}") from None
        account = Account(name=name, uid=int(name), gid=int(name), home=None)
    if not group:
        return account
    try:
        gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise UnknownUser(command=str(command), cause=f"unknown group: {group}") from None
    return Account(name=account.name, uid=account.uid, gid=gid, home=account.home)
