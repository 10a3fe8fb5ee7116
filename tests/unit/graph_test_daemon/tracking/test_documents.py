"""Records as JSON, of older and newer layouts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_test_daemon.tracking import (
    Allocation,
    BlockAt,
    Deployment,
    Graft,
    GraftChain,
    Moment,
    Note,
    QuerySnapshot,
    Transaction,
)
from graph_test_daemon.tracking.documents import KINDS, document_of, record_of
from graph_test_daemon.tracking.errors import JournalTooNew
from graph_test_daemon.tracking.records import Record

TIMES = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))
TEXTS = st.text(max_size=10)
BLOCKS = st.builds(BlockAt, number=st.integers(0), hash=st.none() | TEXTS)
JSON = st.dictionaries(
    TEXTS, st.none() | st.integers() | TEXTS | st.lists(TEXTS, max_size=2), max_size=3
)
AT = {"deployed_at": TIMES, "removed_at": st.none() | TIMES}
MADE = st.one_of(
    st.builds(Deployment, version=st.just(1), block=st.none() | BLOCKS, **AT),
    st.builds(Deployment, version=st.just(1), graft=st.builds(Graft), **AT),
    st.builds(GraftChain, version=st.just(1), recorded_at=TIMES),
    st.builds(Allocation, version=st.just(1), closed=st.none() | st.builds(Moment)),
    st.builds(Transaction, version=st.just(1), block=BLOCKS, recorded_at=TIMES),
    st.builds(
        QuerySnapshot, version=st.just(1), variables=JSON, result=JSON, block=BLOCKS, taken_at=TIMES
    ),
    st.builds(Note, version=st.just(1), noted_at=TIMES),
)


@given(MADE)
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert record_of(type(record), document_of(record)) == record


def document(**changes: Any) -> str:
    values = {"version": 1, "name": "x", "text": "y", "noted_at": "2026-01-01T00:00:00+00:00"}
    return json.dumps({k: v for k, v in (values | changes).items() if v is not ...})


def test_what_an_older_layout_did_not_have_takes_its_default() -> None:
    noted_at = datetime(2026, 1, 1, tzinfo=UTC)
    assert record_of(Note, document(version=0)) == Note(name="x", text="y", noted_at=noted_at)


def test_what_is_not_known_is_passed_over() -> None:
    assert record_of(Note, document(colour="red")).name == "x"


def test_a_newer_layout_is_refused() -> None:
    with pytest.raises(JournalTooNew, match="layout 2, this one knows 1") as caught:
        record_of(Note, document(version=2))
    assert caught.value.hint == "use the newer version; nothing was changed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        document(name=...),
        document(noted_at="yesterday"),
        document(noted_at=3),
        document(version="1"),
    ],
)
def test_something_else_is_no_record(text: str) -> None:
    with pytest.raises(ValueError):
        record_of(Note, text)


def test_every_kind_has_a_name_of_its_own() -> None:
    # A class with slots is made twice; only one has the name in its module.
    assert {of.__name__ for of in Record.__subclasses__()} == {of.__name__ for of in KINDS.values()}
    assert len(set(KINDS.values())) == len(KINDS)
