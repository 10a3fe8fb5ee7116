"""One suite over every store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.model import Event, EventKind
from harness.storage import MemoryStore, SqliteStore, Store

AT = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "state")
    yield made
    made.close()


def event(unit: str = "a", *, number: int = 0, project: str | None = "p", **data) -> Event:
    return Event(
        number=number, at=AT, kind=EventKind.UNIT_ADOPTED, project=project, unit=unit, data=data
    )


def test_a_record_comes_back_as_it_was(store: Store) -> None:
    value = {"text": "ä€", "list": [1, None, {"x": 1.5}], "no": False}
    store.put("c", "k", value)
    assert store.record("c", "k") == value


def test_a_record_is_replaced_and_deleted(store: Store) -> None:
    store.put("c", "k", {"n": 1})
    store.put("c", "k", {"n": 2})
    assert store.record("c", "k") == {"n": 2}
    store.delete("c", "k")
    store.delete("c", "k")
    assert store.record("c", "k") is None


def test_collections_are_apart_and_ordered_by_key(store: Store) -> None:
    for key in ("b", "a", "c"):
        store.put("one", key, {"key": key})
    store.put("two", "a", {})
    assert list(store.records("one")) == ["a", "b", "c"]
    assert store.records("none") == {}
    assert store.collections() == ["one", "two"]
    with store.batch():
        store.put("three", "a", {})
        assert store.collections() == ["one", "three", "two"]
    store.delete("two", "a")
    assert store.collections() == ["one", "three"]


def test_what_was_stored_does_not_change_with_the_caller_s_value(store: Store) -> None:
    value = {"list": [1]}
    store.put("c", "k", value)
    value["list"].append(2)
    assert store.record("c", "k") == {"list": [1]}


def test_events_are_numbered_from_one(store: Store) -> None:
    assert (store.first_number, store.last_number) == (1, 0)
    assert [store.append(event()) for _ in range(3)] == [1, 2, 3]
    assert (store.first_number, store.last_number) == (1, 3)


def test_an_event_keeps_a_number_it_has_already(store: Store) -> None:
    store.append(event())
    assert store.append(event(number=7)) == 7
    assert store.append(event()) == 8
    assert [e.number for e in store.events()] == [1, 7, 8]
    assert store.last_number == 8
    assert [e.number for e in store.events(after=1)] == [7, 8]
    assert [e.number for e in store.events(after=5)] == [7, 8]


def test_an_event_comes_back_as_it_was(store: Store) -> None:
    written = Event(
        at=AT.astimezone(UTC) + timedelta(microseconds=1),
        kind=EventKind.HEALTH_CHANGED,
        project=None,
        unit=None,
        data={"old": "none", "list": [1, 2]},
    )
    store.append(written)
    (read,) = store.events()
    assert read.number == 1
    assert (read.at, read.kind, read.project, read.unit) == (written.at, written.kind, None, None)
    assert read.data == written.data


def test_events_are_read_in_pages_and_by_project(store: Store) -> None:
    for n in range(10):
        store.append(event(f"u{n}", project="p" if n % 2 else "q"))
    assert [e.number for e in store.events(limit=3)] == [1, 2, 3]
    assert [e.number for e in store.events(after=8)] == [9, 10]
    assert [e.number for e in store.events(project="p", after=2, limit=2)] == [4, 6]
    assert store.events(after=10) == []
    assert store.events(after=10**30) == []
    assert [e.number for e in store.events(after=-(10**30), limit=10**3)] == [
        e.number for e in store.events()
    ]
