"""What the sqlite store does beyond the contract: one owner, refusals, a full disk, trimming."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import StorageError, StoreCorrupt, StoreFull, StoreLocked, StoreTooNew
from harness.events import EventBus
from harness.model import Event, EventKind
from harness.storage import STORE_VERSION, SqliteStore
from tests.fakes.clock import FakeClock
from tests.requirements import require

AT = datetime(2026, 1, 1, tzinfo=UTC)


def event(**data) -> Event:
    return Event(at=AT, kind=EventKind.UNIT_ADOPTED, project="p", unit="a", data=data)


def filled(directory: Path) -> Path:
    with SqliteStore(directory) as store:
        for n in range(200):
            store.put("c", f"k{n}", {"text": "x" * 100})
    return directory / "state.db"


def test_everything_is_there_again_after_a_restart(tmp_path: Path) -> None:
    with SqliteStore(tmp_path) as store:
        store.put("c", "k", {"n": 1})
        store.append(event(n=1))
    with SqliteStore(tmp_path) as store:
        assert store.record("c", "k") == {"n": 1}
        assert store.append(event(n=2)) == 2


def test_the_files_are_for_the_user_alone(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "new" / "state") as store:
        store.put("c", "k", {})
        assert (tmp_path / "new" / "state").stat().st_mode & 0o777 == 0o700
        modes = {path.name: path.stat().st_mode & 0o777 for path in store.path.parent.iterdir()}
        assert modes == dict.fromkeys(("state.db", "state.db-wal", "state.lock"), 0o600)


def test_a_second_owner_is_refused_with_the_first_one_s_pid(tmp_path: Path) -> None:
    script = f"""
import pathlib, sys
from harness.storage import SqliteStore
store = SqliteStore(pathlib.Path({str(tmp_path)!r}))
print("open", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"open\n"
        with pytest.raises(StoreLocked, match=f"the daemon with pid {owner.pid} owns it"):
            SqliteStore(tmp_path)
        owner.send_signal(signal.SIGKILL)
    with SqliteStore(tmp_path):
        pass


def test_a_lock_is_free_again_after_a_refusal(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.write_bytes(b"garbage" * 1000)
    for _ in range(2):
        with pytest.raises(StoreCorrupt):
            SqliteStore(tmp_path)
    path.unlink()
    with SqliteStore(tmp_path):
        pass


def refused(directory: Path, error: type[StorageError]) -> str:
    """Open a database that must be refused; nothing but the lock may change."""
    path = directory / "state.db"
    before = path.read_bytes()
    with pytest.raises(error) as caught:
        SqliteStore(directory)
    assert path.read_bytes() == before
    assert str(caught.value).startswith(f"cannot open the state database {path}") or str(
        caught.value
    ).startswith(f"cannot use the state database {path}")
    assert "nothing was changed" in str(caught.value.hint)
    return str(caught.value)


@pytest.mark.parametrize("keep", [100, 5_000, 20_000])
def test_a_truncated_database_is_refused_and_left_as_it_is(tmp_path: Path, keep: int) -> None:
    path = filled(tmp_path)
    os.truncate(path, keep)
    refused(tmp_path, StoreCorrupt)


def test_garbage_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(os.urandom(10_000))
    refused(tmp_path, StoreCorrupt)


def test_garbage_in_the_middle_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 8192)
    refused(tmp_path, StoreCorrupt)


def test_another_program_s_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.db") as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.close()
    assert "no state database of this program" in refused(tmp_path, StoreCorrupt)


def test_a_newer_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = filled(tmp_path)
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {STORE_VERSION + 1}")
    db.close()
    assert "newer version" in refused(tmp_path, StoreTooNew)


def test_a_newer_database_whose_owner_was_killed_is_left_as_it_is_too(tmp_path: Path) -> None:
    path = filled(tmp_path / "live")
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {STORE_VERSION + 1}")
    copy = tmp_path / "killed"
    shutil.copytree(tmp_path / "live", copy)
    db.close()
    assert (copy / "state.db-wal").stat().st_size > 0
    wal = (copy / "state.db-wal").read_bytes()
    refused(copy, StoreTooNew)
    assert (copy / "state.db-wal").read_bytes() == wal


def test_what_a_killed_owner_wrote_is_there(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "live") as store:
        store.put("c", "k", {"n": 1})
        shutil.copytree(tmp_path / "live", tmp_path / "killed")
    with SqliteStore(tmp_path / "killed") as store:
        assert store.record("c", "k") == {"n": 1}


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "state.db").touch()
    with SqliteStore(tmp_path) as store:
        assert store.append(event()) == 1


def test_a_directory_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot use the state directory"):
        SqliteStore(tmp_path / "file")


def test_old_events_are_trimmed_and_numbers_go_on(tmp_path: Path) -> None:
    with SqliteStore(tmp_path, kept_events=100) as store:
        for _ in range(1_000):
            store.append(event())
        assert store.first_number == 901
        assert store.append(event()) == 1_001


def test_numbers_go_on_although_no_event_is_left(tmp_path: Path) -> None:
    with SqliteStore(tmp_path, kept_events=0) as store:
        for _ in range(1_000):
            store.append(event())
        assert (store.first_number, store.last_number) == (1_001, 1_000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    require("root", os.geteuid() == 0, "mounting a file system takes root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(tmp_path)],
        check=False, capture_output=True,
    )  # fmt: skip
    require("mount", mounted.returncode == 0, "a tmpfs cannot be mounted here")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def fill(directory: Path) -> Path:
    path = directory / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return path


def write_much(store: SqliteStore) -> None:
    for n in range(10_000):
        store.put("c", f"k{n}", {"text": "x" * 1000})


def test_a_full_disk_is_named_and_the_bus_goes_on(small_disk: Path) -> None:
    with SqliteStore(small_disk / "state") as store:
        bus = EventBus(store=store, clock=FakeClock())
        bus.publish(EventKind.DAEMON_STARTED)
        filler = fill(small_disk)
        with pytest.raises(StoreFull, match="the disk is full"):
            write_much(store)
        lost = [bus.publish(EventKind.GAP, data={"text": "x" * 1000}) for _ in range(200)]
        assert [e.number for e in lost] == list(range(2, 202))
        filler.unlink()
        after = bus.publish(EventKind.DAEMON_STOPPED)
        assert after.number == 202
        assert store.events(after=201)[0].kind is EventKind.DAEMON_STOPPED
        assert store.last_number == 202


def test_a_disk_that_is_full_from_the_start_is_no_damage(small_disk: Path) -> None:
    (small_disk / "state").mkdir()
    fill(small_disk)
    with pytest.raises(StorageError) as caught:
        SqliteStore(small_disk / "state")
    assert not isinstance(caught.value, StoreCorrupt)


def test_what_is_put_twice_in_a_batch_is_read_and_written_with_its_last_value(
    tmp_path: Path,
) -> None:
    with SqliteStore(tmp_path) as store:
        with store.batch():
            store.put("units", "a", {"n": 1})
            store.put("units", "a", {"n": 2})
            assert store.record("units", "a") == {"n": 2}
            store.put("units", "a", {"n": 3})
            store.put("units", "b", {"n": 4})
            store.delete("units", "b")
        assert store.records("units") == {"a": {"n": 3}}


def test_a_value_that_is_no_json_is_refused_at_once_and_harms_no_batch(tmp_path: Path) -> None:
    with SqliteStore(tmp_path) as store:
        with store.batch():
            store.put("units", "a", {"n": 1})
            with pytest.raises(TypeError):
                store.put("units", "b", {"n": object()})
        store.put("units", "c", {"n": 2})
    with SqliteStore(tmp_path) as store:
        assert store.records("units") == {"a": {"n": 1}, "c": {"n": 2}}


def test_a_value_is_stored_as_it_was_when_it_was_put(tmp_path: Path) -> None:
    ports = {"http": 1}
    with SqliteStore(tmp_path) as store:
        with store.batch():
            store.put("units", "a", {"ports": ports})
            ports["http"] = 2
        assert store.record("units", "a") == {"ports": {"http": 1}}
