"""Which PostgreSQL: where its programs are, and of which version they are."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from graph_test_daemon.tools.places import find_tool

__all__ = ["Server", "find_server"]

_DEBIAN = Path("/usr/lib/postgresql")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The programs of one PostgreSQL.

    Attributes:
        initdb: path of the program that makes clusters.
        postgres: path of the server itself.
        version: as it says it, with whatever its packager adds.
    """

    initdb: str
    postgres: str
    version: str

    @property
    def major(self) -> str:
        """The part of the version that data belongs to, such as 18."""
        found = _NUMBER.search(self.version)
        return found[0] if found else self.version


def find_server(wanted: str) -> Server:
    """Return the server that `--server` asks for.

    Raises:
        ToolMissing: the embedded one is not installed, and none is on PATH.
        SystemExit: there is none, or it cannot be run; it says where was looked.
    """
    if wanted == "embedded":
        directory = find_tool("postgres").parent
    elif wanted == "path":
        directory = _of_this_machine()
    else:
        directory = Path(wanted).expanduser().absolute()
    initdb, postgres = directory / "initdb", directory / "postgres"
    for program in (initdb, postgres):
        if not program.is_file():
            sys.exit(
                f"cannot launch postgres: there is no {program}\n"
                "--server is embedded, path, or a directory that holds initdb and postgres"
            )
    return Server(initdb=str(initdb), postgres=str(postgres), version=_version(postgres))


def _of_this_machine() -> Path:
    on_path = shutil.which("postgres")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = [path.parent for path in _DEBIAN.glob("*/bin/postgres")]
    if not found:
        sys.exit(
            f"cannot launch postgres: none is on PATH, nor below {_DEBIAN}\n"
            "apt-get install postgresql, or leave out --server path"
        )
    return max(found, key=lambda path: [int(n) for n in _NUMBER.findall(path.parent.name)])


def _version(postgres: Path) -> str:
    try:
        done = subprocess.run(
            [postgres, "--version"], check=True, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError) as error:
        sys.exit(f"cannot launch postgres: cannot run {postgres}: {error}")
    return done.stdout.strip()
