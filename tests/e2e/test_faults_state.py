"""A state database that cannot be used is never touched, and nothing stays where nothing should."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes import is_alive, users

from .harness_case import HarnessCase

pytestmark = pytest.mark.timeout(120)

STACK = (
    "services:\n  a: {type: process, command: sleep 1000}\n"
    "  b: {type: process, command: sleep 1000, depends_on: [a]}\n"
    "tasks:\n  t: {type: process, command: 'true'}"
)
OWN_FILES = ("daemon.log", "start.lock", "state.lock", "state.db-shm")


@pytest.fixture
def case(case: HarnessCase) -> HarnessCase:
    case.write(STACK)
    return case


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 100)


def _overwrite(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 200)


def _damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)


def _make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 999")


def _replace(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE diary (text)")


def _contents(directory: Path) -> dict[str, str]:
    """Return path → digest of every file but those a daemon writes to say why it ended."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name not in OWN_FILES
    }


def _leave_socket(case: HarnessCase) -> None:
    """Leave what a daemon that was killed leaves, so that every command looks for its state."""
    path = case.state_dir / "daemon.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_truncate, "malformed"),
        (_overwrite, "not a database"),
        (_damage, "state database"),
        (_make_newer, "newer version"),
        (_replace, "no state database of this program"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_and_left_as_it_is(
    case: HarnessCase, harm: Callable[[Path], None], words: str
) -> None:
    case.ok("up", "-q")
    case.ok("daemon", "stop")
    harm(case.state_dir / "state.db")
    before = _contents(case.state_dir)
    for command in ("up", "down", "status"):
        _leave_socket(case)
        done = case(command)
        assert done.returncode == 1
        assert "harness: cannot" in done.stderr
        assert words in done.stderr
        assert str(case.state_dir / "state.db") in done.stderr
        assert "hint: " in done.stderr
        assert "Traceback" not in done.stderr
    _leave_socket(case)
    assert json.loads(case("status", "--json").stderr)["error"]["kind"] in (
        "store-corrupt",
        "store-too-new",
    )
    after = _contents(case.state_dir)
    assert {path: digest for path, digest in after.items() if path in before} == before
    assert case.daemon_pid() is None
    assert case.marked(case.project) == []


def test_what_runs_is_not_touched_while_the_database_cannot_be_read(case: HarnessCase) -> None:
    case.ok("up", "-q")
    case.kill_daemon()
    running = case.processes()
    database = case.state_dir / "state.db"
    good = {path: path.read_bytes() for path in (database, Path(f"{database}-wal"))}
    for path in good:
        _overwrite(path)
    assert case("up").returncode == 1
    assert case.processes() == running
    for path, data in good.items():
        path.write_bytes(data)
    assert {unit["pid"] for unit in case.status().values()} - {None} == {p.pid for p in running}
    case.ok("down")
    assert case.marked(case.project) == []


@pytest.mark.parametrize("collection", ["projects", "units"])
def test_a_record_of_a_newer_version_is_refused_and_nothing_is_started_twice(
    case: HarnessCase, collection: str
) -> None:
    case.ok("up", "-q")
    case.kill_daemon()
    running = case.processes()
    with closing(sqlite3.connect(case.state_dir / "state.db")) as db, db:
        db.execute(
            "UPDATE record SET value = json_set(value, '$.version', 999) "
            "WHERE collection LIKE ? || '%'",
            (collection,),
        )
    for command in ("up", "down", "status"):
        done = case(command)
        assert done.returncode == 1, command
        assert "newer version" in done.stderr
        assert case.processes() == running


def test_a_state_directory_of_somebody_else_is_refused(case: HarnessCase) -> None:
    case.state_dir.write_text("a file\n")
    done = case("up")
    assert done.returncode == 1
    assert str(case.state_dir) in done.stderr
    assert "HARNESS_STATE_DIR" in done.stderr
    assert case.state_dir.read_text() == "a file\n"


@pytest.mark.parametrize("command", ["up", "status", "logs", "down"])
def test_a_state_directory_that_cannot_be_looked_into_is_named(
    tmp_path: Path, command: str
) -> None:
    state = tmp_path / ("s" * 300)
    with HarnessCase(tmp_path, state_dir=state) as case:
        case.write(STACK)
        done = case(command)
    assert done.returncode in (1, 5)
    assert f"{state}" in done.stderr
    assert "File name too long" in done.stderr
    assert "HARNESS_STATE_DIR" in done.stderr
    assert "defect" not in done.stderr


@pytest.mark.parametrize("length", ["short", "long"])
def test_nothing_is_left_after_down_and_daemon_stop(tmp_path: Path, length: str) -> None:
    state = tmp_path / ("state" if length == "short" else "s" * 120)
    with HarnessCase(tmp_path, state_dir=state) as case:
        case.write(STACK)
        for name in ("home", "run", "tmp"):
            (tmp_path / name).mkdir(mode=0o700)
        case.env |= {
            "HOME": str(tmp_path / "home"),
            "XDG_RUNTIME_DIR": str(tmp_path / "run"),
            "TMPDIR": str(tmp_path / "tmp"),
        }
        case.ok("up", "-q")
        daemon = case.daemon_pid()
        assert daemon is not None
        case.ok("down")
        case.ok("daemon", "stop")

        assert not is_alive(daemon)
        assert case.marked(case.project) == []
        assert users(state) == []
        outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(state)]
        names = {str(path.relative_to(tmp_path)) for path in outside if not path.is_dir()}
        assert names == {"harness.yaml"}
        assert not any(path.is_socket() for path in tmp_path.rglob("*"))
        assert not (state / "daemon.pid").exists()
        for name in ("state.lock", "start.lock"):
            with (state / name).open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert state.stat().st_mode & 0o077 == 0


def test_daemon_stop_alone_takes_everything_down(case: HarnessCase) -> None:
    case.ok("up", "-q")
    case.ok("daemon", "stop")
    assert case.marked(case.project) == []
    assert case.daemon_pid() is None
