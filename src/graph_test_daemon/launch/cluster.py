"""A cluster: the directory that a PostgreSQL server keeps its databases in.

A new one is a copy of one that was made before with the same programs, kept in the user's cache:
copying takes a fraction of the time of making. Both appear whole or not at all, under a lock on the
directory that they are in, so that those that start together do not disturb each other, and what a
killed one has left is removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from graph_test_daemon.tools.places import cache_dir

from .pg_server import Server
from .unprivileged import become_unprivileged

__all__ = ["Cluster"]

_OPTIONS = ("--encoding=UTF8", "--locale=C", "--auth=trust", "--no-sync", "--no-instructions")
_LIMIT_S = 120.0
_ENDS_WITHIN_S = 10.0
_HASH_LENGTH = 12
_ACCESS = """\
# Written at every start.
host  all          all  127.0.0.1/32  {method}
host  all          all  ::1/128       {method}
host  replication  all  127.0.0.1/32  {method}
host  replication  all  ::1/128       {method}
"""


class Cluster:
    """The cluster at one place.

    Args:
        data: absolute path of its directory.
        server: the programs it is for.
        user: name of its superuser.
    """

    def __init__(self, data: Path, *, server: Server, user: str) -> None:
        self._data = data
        self._server = server
        self._user = user

    def prepare(self, password: str) -> None:
        """Have it there, with no server on it, and let in who is to be let in.

        Args:
            password: of the superuser; empty: nobody on this machine needs one.

        Raises:
            SystemExit: it is something else, of another version, in use, or cannot be made.
        """
        self._data.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(self._data.parent, f".{self._data.name}-"):
            if self._is_there():
                self._clear_of_servers()
            else:
                self._copy_to_place()
        method = "scram-sha-256" if password else "trust"
        (self._data / "pg_hba.conf").write_text(_ACCESS.format(method=method), encoding="utf-8")
        if password:
            self._set_password(password)

    def _is_there(self) -> bool:
        version = self._data / "PG_VERSION"
        if not version.exists():
            if self._data.is_dir() and any(self._data.iterdir()):
                sys.exit(
                    f"cannot launch postgres: {self._data} holds something else than a database; "
                    "name an empty directory"
                )
            return False
        made_by = version.read_text(encoding="ascii").strip()
        if made_by != self._server.major:
            sys.exit(
                f"cannot launch postgres: {self._data} is of PostgreSQL {made_by}, and "
                f"{self._server.postgres} is {self._server.major}\n"
                "choose another --server, or remove the data: harness down --volumes"
            )
        return True

    # ── a new one ────────────────────────────────────────────────────────────────────────────────

    def _copy_to_place(self) -> None:
        made = self._made_before()
        copying = Path(tempfile.mkdtemp(prefix=f".{self._data.name}-", dir=self._data.parent))
        shutil.copytree(made, copying, dirs_exist_ok=True)
        copying.rename(self._data)

    def _made_before(self) -> Path:
        """Return the cluster in the cache that new ones are copied from; make it if need be."""
        words = "\n".join([self._server.version, self._server.initdb, self._user, *_OPTIONS])
        name = f"cluster-{hashlib.sha256(words.encode()).hexdigest()[:_HASH_LENGTH]}"
        cache = cache_dir()
        made = cache / name
        if made.exists():
            return made
        cache.mkdir(parents=True, exist_ok=True)
        with _alone_in(cache, f".{name}-"):
            if not made.exists():  # nobody was quicker
                making = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
                self._initdb(making)
                making.rename(made)
        return made

    def _initdb(self, directory: Path) -> None:
        argv = [self._server.initdb, "-D", str(directory), f"--username={self._user}", *_OPTIONS]
        self._run(argv, directory)

    # ── one that is there ────────────────────────────────────────────────────────────────────────

    def _clear_of_servers(self) -> None:
        """Wait for what a killed server has left, and remove its mark.

        The server itself would take any process that has the number by now for it.
        """
        mark = self._data / "postmaster.pid"
        if not mark.exists() or not Path("/proc/self").exists():
            return
        first = mark.read_text(encoding="utf-8").partition("\n")[0].strip()
        left = _processes_in(self._data)
        if first.isdigit() and int(first) in left:
            sys.exit(f"cannot launch postgres: process {first} runs on {self._data} already")
        deadline = time.monotonic() + _ENDS_WITHIN_S
        for pid in left:  # they end by themselves, once they notice
            _wait_for_end(pid, deadline)
        mark.unlink(missing_ok=True)

    def _set_password(self, password: str) -> None:
        quoted = password.replace("'", "''")
        user = self._user.replace('"', '""')
        argv = [self._server.postgres, "--single", "-D", str(self._data), "-c", "fsync=off"]
        # One line is one statement here; the literal needs no escapes but of its own quotes.
        statement = f"ALTER ROLE \"{user}\" PASSWORD '{quoted}'\n"
        if "\n" in password:
            sys.exit("cannot launch postgres: the password has more than one line")
        self._run([*argv, "postgres"], self._data, stdin=statement)

    def _run(self, argv: Sequence[str], tree: Path, *, stdin: str = "") -> None:
        try:
            subprocess.run(
                argv,
                input=stdin,
                check=True,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_LIMIT_S,
                preexec_fn=lambda: become_unprivileged(tree),
            )
        except subprocess.CalledProcessError as error:
            sys.exit(f"cannot launch postgres: {argv[0]} failed: {error.stdout.strip()[-2000:]}")
        except (OSError, subprocess.SubprocessError) as error:
            sys.exit(f"cannot launch postgres: cannot run {argv[0]}: {error}")


@contextmanager
def _alone_in(directory: Path, prefix: str) -> Iterator[None]:
    """Be the only one that makes something there; remove what others have left half-made."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for left in directory.glob(f"{prefix}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(descriptor)


def _processes_in(directory: Path) -> list[int]:
    """Return the processes that work in a directory, as those of a server do in its data."""
    found = []
    wanted = os.path.realpath(directory)
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError):
                if os.readlink(f"/proc/{entry}/cwd") == wanted:
                    found.append(int(entry))
    return [pid for pid in found if pid != os.getpid()]


def _wait_for_end(pid: int, deadline: float) -> None:
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        finally:
            os.close(descriptor)
