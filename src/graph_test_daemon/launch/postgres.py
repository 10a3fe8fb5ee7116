"""Becomes PostgreSQL, on a cluster that is made where there is none.

It listens on the loopback address alone, and never on a Unix socket, whose path may be at most 107
bytes long. Unless told `--safe` it does not wait for the disk: what was committed survives a server
that is killed, and not a machine that loses its power.

Source: ADR-0032.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from .cluster import Cluster
from .pg_server import find_server
from .unprivileged import become_unprivileged

__all__ = ["PASSWORD", "launch"]

PASSWORD = "POSTGRES_PASSWORD"  # noqa: S105 - the variable's name
"""Variable: the password of the user; where it is empty, nobody on the machine needs one."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_preload_libraries": "pg_stat_statements",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
}
# Commits still go to the kernel at once: whoever kills the server loses none of them.
_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
}


def launch(arguments: Sequence[str]) -> None:
    """Become it.

    Raises:
        SystemExit: the arguments, the server, the data or the rights of this user do not do.
    """
    options = _parsed(arguments)
    server = find_server(options.server)
    data: Path = options.data.absolute()
    settings = {**_SETTINGS, **({} if options.safe else _FAST), **dict(options.settings)}
    # A secret of the one who starts the server: programs that the server starts do not get it.
    password = os.environ.pop(PASSWORD, "")
    cluster = Cluster(data, server=server, user=options.user)
    cluster.prepare(password)
    os.chdir(data)
    become_unprivileged(data)
    words = [f"--{name}={value}" for name, value in settings.items()]
    os.execv(server.postgres, [server.postgres, "-D", str(data), "-p", str(options.port), *words])


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="graph_test_daemon.launch postgres",
        description=f"Run PostgreSQL. {PASSWORD} makes connections need that password.",
    )
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, help="directory; made when missing")
    parser.add_argument(
        "--server",
        default="embedded",
        help="embedded (from npm), path (on PATH, or the newest of Debian's), or a directory of "
        "programs; embedded unless given",
    )
    parser.add_argument("--user", default="postgres", help="the superuser; postgres unless given")
    parser.add_argument(
        "-c",
        dest="settings",
        metavar="NAME=VALUE",
        type=_setting,
        action="append",
        default=[],
        help="a setting of the server; may be repeated",
    )
    speed = parser.add_mutually_exclusive_group()
    speed.add_argument("--fast", action="store_true", help="do not wait for the disk; the default")
    speed.add_argument("--safe", action="store_true", help="survive a loss of power")
    return parser.parse_args(arguments)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name.strip().replace("-", "_"), value
