"""Content on disk: whole or not there, kept or collected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph_test_daemon.ipfs import Cid, Store
from graph_test_daemon.ipfs.cid import RAW
from graph_test_daemon.ipfs.dag import Added, Form, directory
from graph_test_daemon.ipfs.errors import ContentNotFound, IpfsFault
from graph_test_daemon.ipfs.store import Pin

SMALL = Form(chunk_size=4, max_links=2)
PIN = Pin("recursive")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "repo") as opened:
        yield opened


def add(store: Store, data: bytes, form: Form = SMALL) -> Added:
    with store.session() as session:
        sink = session.file(form)
        sink.write(data)
        return sink.finish()


def files(store: Store) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (store.root / "files").iterdir()}


def test_each_added_file_is_there_under_its_name(store: Store) -> None:
    old = add(store, b"0123456789")
    new = add(store, b"0123456789", Form(version=1, raw_leaves=True))
    assert files(store) == {str(old.cid): b"0123456789", str(new.cid): b"0123456789"}


def test_a_file_that_is_one_block_is_not_on_disk_twice(store: Store) -> None:
    added = add(store, b"abc", Form(version=1, raw_leaves=True))
    assert (store.root / "files" / str(added.cid)).samefile(store.place(added.cid))


def test_what_is_not_finished_leaves_no_file(store: Store) -> None:
    with store.session() as session:
        session.file(SMALL).write(b"0123456789")
    assert files(store) == {}
    assert list((store.root / "tmp").iterdir()) == []


def test_what_was_there_is_there_again(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        added = add(store, b"0123456789")
        store.pin(added.cid, Pin("recursive", "mine"))
        (tmp_path / "tmp" / "half").write_bytes(b"of a server that was killed")
    with Store(tmp_path) as store:
        assert store.pins() == {str(added.cid): Pin("recursive", "mine")}
        assert store.has(added.cid)
        assert list((tmp_path / "tmp").iterdir()) == []


def test_a_repository_is_open_once(store: Store) -> None:
    with pytest.raises(IpfsFault, match="another server has it open"), Store(store.root):
        pass


def test_a_place_that_can_be_no_repository_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(IpfsFault, match=r"open the repository .*/file/repo: Not a directory"),
        Store(tmp_path / "file" / "repo"),
    ):
        pass


def test_a_repository_of_the_future_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path):
        pass
    (tmp_path / "version").write_text("2\n")
    with pytest.raises(IpfsFault, match="it has version 2, and this reads 1"), Store(tmp_path):
        pass
    (tmp_path / "version").write_text("x\n")
    with pytest.raises(IpfsFault, match="holds no number"), Store(tmp_path):
        pass


def test_a_damaged_block_is_missing_until_it_is_added_again(store: Store) -> None:
    added = add(store, b"abc")
    place = store.place(added.cid)
    place.write_bytes(bytes(place.stat().st_size))
    with pytest.raises(ContentNotFound, match=str(added.cid)):
        store.block(added.cid)
    add(store, b"abc")
    assert store.block(added.cid)


def test_garbage_is_what_no_pin_reaches(store: Store) -> None:
    kept, gone = add(store, b"0123456789"), add(store, b"abcdefghijklm")
    store.pin(kept.cid, PIN)
    removed = store.collect_garbage()
    assert gone.cid.digest in {cid.digest for cid in removed}
    store.check(kept.cid)
    assert [*files(store)] == [str(kept.cid)]
    assert store.stat()[0] == len(list((store.root / "blocks").glob("*/*")))
    store.unpin(kept.cid)
    store.collect_garbage()
    assert (store.stat(), files(store)) == ((0, 0), {})


def test_what_is_being_added_is_no_garbage(store: Store) -> None:
    with store.session() as session:
        sink = session.file(SMALL)
        sink.write(b"0123456789")
        assert store.collect_garbage() == []
        added = sink.finish()
        store.keep(added.cid, PIN)
    assert store.collect_garbage() == []
    store.check(added.cid)


def test_a_direct_pin_keeps_one_block(store: Store) -> None:
    added = add(store, b"0123456789")
    store.pin(added.cid, Pin("direct"))
    store.collect_garbage()
    assert store.has(added.cid)
    with pytest.raises(ContentNotFound):
        store.pin(added.cid, PIN)


def test_what_a_folders_pin_keeps_is_listed_as_such(store: Store) -> None:
    added = add(store, b"abc")
    with store.session() as session:
        folder = directory(session.put, {"a": added}, version=0)
    store.pin(folder.cid, PIN)
    assert store.indirect() == {str(added.cid): folder.cid}
    with pytest.raises(IpfsFault, match="not pinned or pinned indirectly"):
        store.unpin(added.cid)


def test_a_file_that_came_as_blocks_is_a_file_when_it_is_pinned(store: Store) -> None:
    added = add(store, b"0123456789")
    (store.root / "files" / str(added.cid)).unlink()
    store.pin(added.cid, PIN)
    assert files(store) == {str(added.cid): b"0123456789"}


def test_somebodys_own_file_stays(store: Store) -> None:
    (store.root / "files" / "notes.txt").write_text("mine")
    store.collect_garbage()
    assert "notes.txt" in files(store)


def test_another_hash_function_is_refused(store: Store) -> None:
    cid = Cid(1, RAW, 0x16, bytes(32))
    assert not store.has(cid)
    with pytest.raises(IpfsFault, match="only SHA2-256"):
        store.put(cid, b"")
