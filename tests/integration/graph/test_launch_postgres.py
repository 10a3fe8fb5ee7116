"""The launcher of PostgreSQL: how the real server comes up, and on what."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from graph_test_daemon.errors import Unreachable
from graph_test_daemon.postgres import Database
from tests.requirements import debians_postgres, graph_tool, require

from .conftest import running_postgres

# Each test starts the server several times.
pytestmark = pytest.mark.timeout(60)

LAUNCH = [sys.executable, "-m", "graph_test_daemon.launch", "postgres"]


def refused(*arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Launch what cannot run, and return what it says."""
    done = subprocess.run(
        [*LAUNCH, *arguments], capture_output=True, text=True, env={**os.environ, **(env or {})}
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def pid_of(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split("\n")[0])


def ask(url: str, sql: str) -> Any:
    return anyio.run(Database(url).query, sql).value()


def test_the_process_is_the_server_and_its_data_is_kept(tmp_path: Path) -> None:
    data = tmp_path / "private" / "data"
    data.parent.mkdir(mode=0o700)
    with running_postgres(tmp_path, data=data) as url:
        assert (
            Path(f"/proc/{pid_of(data)}/cmdline").read_bytes().split(b"\0")[0].endswith(b"postgres")
        )
        ask(url, "CREATE TABLE kept AS SELECT 7 AS a")
    assert not (data / "postmaster.pid").exists()
    with running_postgres(tmp_path, data=data) as url:
        assert ask(url, "SELECT a FROM kept") == 7
        assert ask(url, "SHOW fsync") == ask(url, "SHOW full_page_writes") == "off"
        assert ask(url, "SHOW unix_socket_directories") == ""
        assert ask(url, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(url, "SHOW server_encoding") == "UTF8"
    assert [path.name for path in data.parent.iterdir()] == ["data"]


def test_settings_and_speed_are_as_asked(tmp_path: Path) -> None:
    arguments = ["--safe", "-c", "max_connections=33", "-c", "work_mem=7MB", "--user", "boss"]
    with running_postgres(tmp_path, *arguments) as url:
        url = url.replace("postgres@", "boss@")
        assert ask(url, "SHOW fsync") == "on"
        assert ask(url, "SHOW max_connections") == "33"
        assert ask(url, "SHOW work_mem") == "7MB"
        assert ask(url, "SELECT current_user::text") == "boss"


def test_a_password_is_needed_once_there_is_one(tmp_path: Path) -> None:
    with running_postgres(tmp_path):
        pass
    with running_postgres(tmp_path, password="it's") as url:
        assert ask(url, "SELECT 1") == 1
        with pytest.raises(Unreachable, match="password"):
            ask(url.replace(":it's", ""), "SELECT 1")
        environ = Path(f"/proc/{pid_of(tmp_path / 'data')}/environ").read_bytes()
        assert b"it's" not in environ
    with running_postgres(tmp_path, password="another") as url:
        assert ask(url, "SELECT 1") == 1
    with running_postgres(tmp_path) as url:
        assert ask(url, "SELECT 1") == 1


@pytest.mark.parametrize("victim", ["the server", "all of it"])
def test_a_killed_server_comes_up_again_with_what_was_committed(
    tmp_path: Path, victim: str
) -> None:
    data = tmp_path / "data"
    with running_postgres(tmp_path) as url:
        ask(url, "CREATE TABLE kept AS SELECT 7 AS a")
        pid = pid_of(data)
        if victim == "all of it":
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                with suppress(ProcessLookupError):  # a worker that has ended by itself
                    os.kill(int(child), signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
    # Somebody else has the number of the dead one now.
    mark = data / "postmaster.pid"
    mark.write_text(mark.read_text().replace(str(pid), str(os.getpid()), 1))
    with running_postgres(tmp_path) as url:
        assert ask(url, "SELECT a FROM kept") == 7


def test_what_a_killed_launcher_left_half_made_is_removed(tmp_path: Path) -> None:
    half = tmp_path / ".data-abcdefgh"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with running_postgres(tmp_path) as url:
        assert ask(url, "SELECT 1") == 1
    assert not half.exists()


def test_two_servers_on_the_same_data_are_refused(tmp_path: Path) -> None:
    with running_postgres(tmp_path) as url:
        said = refused("--port", "1", "--data", str(tmp_path / "data"))
        assert f"process {pid_of(tmp_path / 'data')} runs on" in said
        assert ask(url, "SELECT 1") == 1


def test_servers_that_start_together_make_one_cluster_to_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPH_TEST_TOOLS", str(graph_tool("postgres").parents[5]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()

    def answer(directory: Path) -> int:
        with running_postgres(directory) as url:
            return int(ask(url, "SELECT 1"))

    with ThreadPoolExecutor() as threads:
        assert list(threads.map(answer, (first, second))) == [1, 1]
    cache = tmp_path / "cache" / "graph-network-harness"
    assert len([path for path in cache.iterdir() if path.name.startswith("cluster-")]) == 1
    assert not list(cache.glob(".*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--server", "/nowhere"], "there is no /nowhere/initdb"),
        (["--data", "FULL"], "holds something else than a database"),
        (["--data", "OLD"], "is of PostgreSQL 9.6"),
    ],
)
def test_what_cannot_be_is_said_with_a_remedy(
    tmp_path: Path, arguments: Sequence[str], said: str
) -> None:
    graph_tool("postgres")
    for name, version in (("FULL", None), ("OLD", "9.6\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / ("PG_VERSION" if version else "x")).write_text(version or "")
    words = [str(tmp_path / word) if word in ("FULL", "OLD") else word for word in arguments]
    assert said in refused("--port", "1", "--data", str(tmp_path / "data"), *words)


def test_arguments_that_are_none_are_refused(tmp_path: Path) -> None:
    done = subprocess.run([*LAUNCH, "--port", "1"], capture_output=True, text=True)
    assert (done.returncode, "--data" in done.stderr) == (2, True)
    done = subprocess.run(
        [*LAUNCH, "--port", "1", "--data", str(tmp_path / "d"), "-c", "fsync"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "'fsync' is not NAME=VALUE" in done.stderr) == (2, True)


def test_debians_server_runs(tmp_path: Path) -> None:
    directory = debians_postgres()
    major = directory.parent.name
    with running_postgres(tmp_path, "--server", str(directory)) as url:
        assert ask(url, "SHOW server_version").startswith(f"{major}.")
    said = refused("--port", "1", "--data", str(tmp_path / "data"), "--server", "embedded")
    assert f"is of PostgreSQL {major}" in said
    with running_postgres(tmp_path, "--server", "path") as url:
        assert ask(url, "SELECT 1") == 1


# ── as root, which PostgreSQL refuses ────────────────────────────────────────────────────────────


def test_roots_data_stays_roots(tmp_path: Path) -> None:
    require("root", os.geteuid() == 0, "this is for root")
    with running_postgres(tmp_path) as url:
        assert (tmp_path / "data" / "PG_VERSION").stat().st_uid == 0
        status = Path(f"/proc/{pid_of(tmp_path / 'data')}/status").read_text()
        assert "\nUid:\t0\t" in status
        assert "\nCapEff:\t0000000000000000\n" in status
        assert ask(url, "SELECT 1") == 1


def test_without_namespaces_it_is_another_user_who_reaches_the_same_data(
    tmp_path: Path,
) -> None:
    require("root", os.geteuid() == 0, "this is for root")
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    data = private / "data"
    dockers_root = [sys.executable, str(Path(__file__).with_name("dockers_root.py"))]
    with running_postgres(tmp_path, data=data, before=dockers_root) as url:
        assert (data / "PG_VERSION").stat().st_uid != 0
        status = Path(f"/proc/{pid_of(data)}/status").read_text()
        assert "\nCapEff:\t0000000000000002\n" in status
        ask(url, "CREATE TABLE kept AS SELECT 7 AS a")
    with running_postgres(tmp_path, data=data) as url:
        assert (data / "PG_VERSION").stat().st_uid == 0
        assert ask(url, "SELECT a FROM kept") == 7
    with running_postgres(tmp_path, data=data, before=dockers_root) as url:
        assert ask(url, "SELECT a FROM kept") == 7
