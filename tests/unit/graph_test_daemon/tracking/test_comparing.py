"""Two JSON values, field by field."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_test_daemon.tracking import Change, Comparison, Difference, Rules, compare


def changed(path: str, before: Any, after: Any) -> Difference:
    return Difference(path=path, change=Change.CHANGED, before=before, after=after)


def missing(path: str, before: Any) -> Difference:
    return Difference(path=path, change=Change.MISSING, before=before, after=None)


def added(path: str, after: Any) -> Difference:
    return Difference(path=path, change=Change.ADDED, before=None, after=after)


def test_fields_that_changed_are_named_by_their_paths() -> None:
    before = {"token": {"balance": "1", "owner": {"name": "a"}}, "n": 1}
    after = {"token": {"balance": "2", "owner": {"name": "b"}}, "n": 1}
    assert compare(before, after) == (
        changed("token.balance", "1", "2"),
        changed("token.owner.name", "a", "b"),
    )


def test_null_is_not_the_same_as_missing() -> None:
    assert compare({"a": None}, {}) == (missing("a", None),)
    assert compare({}, {"a": None}) == (added("a", None),)
    assert compare({"a": None}, {"a": 0}) == (changed("a", None, 0),)
    assert compare({"a": None}, {"a": None}) == ()


def test_items_with_ids_are_found_again_in_any_order() -> None:
    before = {"tokens": [{"id": "0x1", "n": 1}, {"id": "0x2", "n": 2}, {"id": "0x3", "n": 3}]}
    after = {"tokens": [{"id": "0x3", "n": 3}, {"id": "0x1", "n": 9}, {"id": "0x4", "n": 4}]}
    assert compare(before, after) == (
        changed("tokens[id=0x1].n", 1, 9),
        missing("tokens[id=0x2]", {"id": "0x2", "n": 2}),
        added("tokens[id=0x4]", {"id": "0x4", "n": 4}),
    )


def test_the_order_counts_where_that_is_asked_for() -> None:
    before = [{"id": "1"}, {"id": "2"}]
    assert compare(before, before[::-1]) == ()
    assert compare(before, before[::-1], Rules(ordered=True)) == (
        changed("[0].id", "1", "2"),
        changed("[1].id", "2", "1"),
    )


@pytest.mark.parametrize(
    "items",
    [
        [{"id": "1", "n": 1}, {"id": "1", "n": 2}],  # not of their own
        [{"id": "1", "n": 1}, {"id": 1, "n": 2}],
        [{"id": "1", "n": 1}, {"n": 2}],
        [{"id": "1", "n": 1}, 2],
        [{"id": None, "n": 1}, {"id": True, "n": 2}],
        [1, 2],
    ],
)
def test_items_without_ids_of_their_own_are_told_by_their_places(items: list[Any]) -> None:
    assert compare(items, items[:1]) == (missing("[1]", items[1]),)
    assert compare(items, items[::-1])


def test_items_whose_ids_are_ignored_are_told_by_their_places() -> None:
    before = {"events": [{"id": "0xa-1", "n": 1}, {"id": "0xb-1", "n": 2}]}
    after = {"events": [{"id": "0xc-1", "n": 1}, {"id": "0xd-1", "n": 3}]}
    assert compare(before, after, Rules(ignore=["id"])) == (changed("events[1].n", 2, 3),)
    assert compare(before, after, Rules(ignore=["events.id"])) == (changed("events[1].n", 2, 3),)


def test_numbers_are_compared_and_not_how_they_are_written() -> None:
    nan = float("nan")
    assert compare([1, 2.0, nan, 10**400], [1.0, 2, nan, 10**400]) == ()
    assert len(compare([1, 0, 1, nan], [True, False, "1", 1])) == 4


def test_texts_that_are_numbers_are_compared_as_such_when_that_is_asked_for() -> None:
    rules = Rules(numeric_text=True)
    before = ["1", "0.10", "1e3", 5, 0.1, "-0"]
    after = ["1.0", "0.1", "1000", "5", "0.1", "0"]
    assert compare(before, after, rules) == ()
    assert len(compare(before, after)) == 6
    different = [("1", "2"), ("0x1", "0x01"), ("1_0", "10"), (" 1", "1"), ("1", True), ("", "0")]
    for one, other in [*different, ("1e99999999999999999999", "1"), ("NaN", 0)]:
        assert compare(one, other, rules) == (changed("$", one, other),)


def test_what_is_ignored_is_so_with_all_that_is_below() -> None:
    before = {"_meta": {"block": {"number": 1}}, "tokens": [{"id": "1", "blockNumber": 1, "n": 1}]}
    after = {"_meta": {"block": {"number": 2}}, "tokens": [{"id": "1", "blockNumber": 2, "n": 2}]}
    rules = Rules(ignore=["_meta", "*.blockNumber"])
    assert compare(before, after, rules) == (changed("tokens[id=1].n", 1, 2),)
    assert compare(before, {**after, "x": 1}, Rules(ignore=["*"])) == ()


def test_another_shape_is_one_difference() -> None:
    assert compare({"a": {"b": 1}}, {"a": [1]}) == (changed("a", {"b": 1}, [1]),)
    assert compare({"a": {"b": 1}}, {"a": None}) == (changed("a", {"b": 1}, None),)


def test_values_may_be_nested_deeper_than_calls() -> None:
    one: Any = 1
    other: Any = 2
    for _ in range(5_000):
        one, other = [one], [other]
    (found,) = compare(one, other)
    assert (found.before, found.after) == (1, 2)


def test_the_summary_is_bounded() -> None:
    before = {f"f{n:04}": "x" * 1000 for n in range(2_000)}
    found = Comparison.of(compare(before, {"new": None, "f0000": "y"}), limit=100)
    lines = found.summary.splitlines()
    assert (found.equal, found.count, len(found.differences)) == (False, 2_001, 100)
    assert lines[0].startswith('f0000: "xxx')
    assert lines[0].endswith('… became "y"')
    assert lines[1].startswith("f0001: is missing; it was")
    assert lines[-1] == "and 1991 more"
    assert max(map(len, lines)) < 200
    assert Comparison.of(()) == Comparison(equal=True, count=0, differences=(), summary="")
    assert Comparison.of(compare({}, {"a": None})).summary == "a: is new: null"


NUMBERS = st.integers() | st.floats()
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=5)
NAMES = st.sampled_from(["id", "a", "b", "tokens", "balance", "x.y"])


def nested(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=20,
    )


JSON = nested(SCALARS)
# Ids of such texts are no parts of paths that look like fields.
PLAIN = nested(st.none() | NUMBERS | st.text("01x", max_size=3))
RULES = st.builds(Rules, ordered=st.booleans(), numeric_text=st.booleans())


@given(JSON, RULES)
def test_a_value_is_the_same_as_itself(value: Any, rules: Rules) -> None:
    assert compare(value, deepcopy(value), rules) == ()


_MIRRORED = {
    Change.CHANGED: Change.CHANGED,
    Change.MISSING: Change.ADDED,
    Change.ADDED: Change.MISSING,
}


@given(JSON, JSON, RULES)
def test_a_comparison_the_other_way_round_finds_the_same(
    one: Any, other: Any, rules: Rules
) -> None:
    there = {(d.path, d.change, repr(d.before), repr(d.after)) for d in compare(one, other, rules)}
    back = {
        (d.path, _MIRRORED[d.change], repr(d.after), repr(d.before))
        for d in compare(other, one, rules)
    }
    assert there == back


@given(PLAIN, PLAIN, RULES)
def test_ignoring_a_field_hides_what_is_there_and_below_and_nothing_else(
    one: Any, other: Any, rules: Rules
) -> None:
    found = compare(one, other, rules)
    ignoring = Rules(ignore=["a"], ordered=rules.ordered, numeric_text=rules.numeric_text)
    shown = compare(one, other, ignoring)
    leading_through = re.compile(r"(^|\.)a($|[.\[])")
    assert list(shown) == [d for d in found if not leading_through.search(d.path)]


@given(JSON, JSON)
def test_a_value_compared_with_another_one_is_summed_up(one: Any, other: Any) -> None:
    found = Comparison.of(compare(one, other))
    assert found.equal == (found.summary == "") == (found.count == 0)
